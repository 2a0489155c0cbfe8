"""The door of the text room: what it gives, what it refuses, what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from speech_text import Dictionaries, TextError, TextFrontend
from speech_text.__main__ import main

NOTHING = [
    *(
        "",
        "  ",
        "\n\t",
        "？！……",
        "!?.,;:'\"-",
        "——",
        "()[]{}",
        "👨\u200d👩\u200d👧🎉",
        "★→",
        "@#$%^&*",
        *"。😀*#",
    ),
    *("\x00", "\x00\x01\x02\x1f", "\u200b\u200d\ufeff", "\u202e\u200f", "\ud800", "\ue000", "---\n===\n"),
]


@pytest.mark.parametrize("text", NOTHING, ids=ascii)
def test_a_text_without_anything_to_say_is_refused(
    frontend: TextFrontend, published: TextFrontend, text: str
) -> None:
    for door in (frontend, published):
        with pytest.raises(TextError) as refused:
            door.prepare(text)
        assert refused.value.code == "nothing_to_say"


def test_prepare_gives_closed_segments_in_order(frontend: TextFrontend) -> None:
    sentence = "春天来了，花园里的花都开了，小猫蜷缩在沙发上睡着了，"
    segments = frontend.prepare(sentence * 4)
    assert "".join(segments).replace("。", "，") == sentence * 4
    assert all(segment.endswith("。") for segment in segments)
    assert len(segments) == 3


def test_replacements_of_the_user_hold_at_once(configs: Path, cache_dir: Path) -> None:
    frontend = TextFrontend(partial(Dictionaries.read, configs), cache_dir=cache_dir)
    assert frontend.normalize("噢，GLM来了") == "哦，glm来了。"
    with (configs / "custom_replace.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"origin": "GLM", "new": "智谱模型"}\n')
    assert frontend.normalize("噢，GLM来了") == "哦，智谱模型来了。"


def test_words_of_the_user_stand_beside_those_of_the_rules(configs: Path, cache_dir: Path) -> None:
    frontend = TextFrontend(partial(Dictionaries.read, configs), cache_dir=cache_dir)
    (configs / "words.tsv").write_text(
        "kind\twritten\tchinese\tenglish\tpart\nunit\tkWp\t千瓦峰\tkilowatt peak\n"
        "currency\tǤ\t金币\tgem\tshard\n"
        "team\t飞虎\nteam\t白鹭\nriver\tNile\nunit\n",
        encoding="utf-8",
    )
    assert frontend.normalize("装机5kWp，付Ǥ20。") == "装机五千瓦峰，付二十金币。"
    assert frontend.normalize("飞虎2-3白鹭") == "飞虎二比三白鹭。"
    assert (
        frontend.normalize("It makes 5 kWp for Ǥ2.05.")
        == "it makes five kilowatt peaks for two gems and five shards."
    )
    assert [fault[:17] for fault in Dictionaries.read(configs).warnings] == [
        "words.tsv, line 6",
        "words.tsv, line 7",
    ]


def test_a_broken_line_is_passed_over_and_reported(configs: Path, cache_dir: Path) -> None:
    (configs / "custom_replace.jsonl").write_text(
        '{"origin": "甲", "new": "乙"}\nnot json\n{"origin": 3, "new": "x"}\n["a"]\n', encoding="utf-8"
    )
    (configs / "G2P_replace_dict.jsonl").write_text('{"重庆": "<|NOPE9|>"}\n', encoding="utf-8")
    (configs / "G2P_able_1word.json").write_text("{", encoding="utf-8")
    dictionaries = Dictionaries.read(configs)
    frontend = TextFrontend(lambda: dictionaries, cache_dir=cache_dir)
    assert frontend.normalize("甲方") == "乙方。"
    warnings = "\n".join(dictionaries.warnings)
    for place in (
        "jsonl, line 2",
        "jsonl, line 3",
        "jsonl, line 4",
        "NOPE9",
        "G2P_able_1word.json: not JSON",
    ):
        assert place in warnings


def test_every_mistake_in_a_dictionary_is_named_and_costs_its_own_entry_alone(
    configs: Path, cache_dir: Path
) -> None:
    (configs / "G2P_replace_dict.jsonl").write_text(
        '{"": "x", "重庆": 5, "<|a|>": "<|b|>"}\n', encoding="utf-8"
    )
    (configs / "G2P_able_1word.json").write_text('["行", "行", "银行"]', encoding="utf-8")
    (configs / "custom_replace.jsonl").write_bytes(b"\xff\xfe\x00")
    warnings = Dictionaries.read(configs).warnings
    assert sum("line 1: a text and its replacement" in warning for warning in warnings) == 2
    assert any("2 entries are repeated or not one character" in warning for warning in warnings)
    assert any("custom_replace.jsonl: cannot be read" in warning for warning in warnings)
    for name in ("G2P_able_1word.json", "G2P_all_phonemes.json"):
        (configs / name).write_text('"x"', encoding="utf-8")
        dictionaries = Dictionaries.read(configs)
        assert any(warning.startswith(f"{name}: a JSON ") for warning in dictionaries.warnings)
        assert TextFrontend(lambda: dictionaries, cache_dir=cache_dir).prepare("你好") == ["你好。"]  # noqa: B023


def test_what_was_read_before_is_forgotten_on_demand_and_reads_the_same(frontend: TextFrontend) -> None:
    text = "他有3只猫 and 12 dogs, the blorkne too."
    before = frontend.prepare(text)
    frontend.clear_cache()
    assert frontend.prepare(text) == before


def test_a_file_that_the_folder_lacks_is_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "own"
    assert Dictionaries.read(own).warnings == ()
    assert ("噢", "哦") in Dictionaries.read(own).replacements
    own.mkdir()
    (own / "custom_replace.jsonl").write_text('{"origin": "噢", "new": "嗯"}\n', encoding="utf-8")
    assert Dictionaries.read(own).replacements == (("噢", "嗯"),)


def test_nothing_is_printed(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frontend = TextFrontend(cache_dir=tmp_path / "cache")
    frontend.prepare("3个银行行长说hello", use_phoneme=True)
    out, err = capfd.readouterr()
    assert (out, err, caplog.text) == ("", "", "")


def test_work_on_a_text_ends_as_soon_as_nobody_wants_it(
    frontend: TextFrontend, published: TextFrontend
) -> None:
    class Left(Exception):
        pass

    for door in (frontend, published):
        for n_looks in (1, 50):
            looks = iter(range(n_looks))

            def check(looks: Iterator[int] = looks) -> None:
                if next(looks, None) is None:
                    raise Left

            with pytest.raises(Left):
                door.read("他在2024年有3只猫。It cost $3.50 in 1999. " * 200, check=check)


@pytest.mark.parametrize("sentence", ["他在2024年有3只猫，", "It cost $3.50 in 1999, and "])
def test_no_long_stretch_of_a_text_is_read_without_a_look(
    frontend: TextFrontend, published: TextFrontend, sentence: str
) -> None:
    for door in (frontend, published):
        looks: list[None] = []
        door.read((sentence * 4000)[:4000], check=partial(looks.append, None))
        assert len(looks) >= 4


def test_signs_that_stand_for_many_characters_count_as_such(cache_dir: Path) -> None:
    frontend = TextFrontend(cache_dir=cache_dir, max_characters=100)
    assert frontend.prepare("①" * 40 + "\ufdfa")
    with pytest.raises(TextError, match=r"1800 characters .* at most 200"):
        frontend.prepare("\ufdfa" * 100)


def test_the_command_prints_each_segment_and_why_it_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for text, status, printed in (
        ("预计3-5天。", 0, "预计三到五天。\n  3-5 -> 三到五: span, figures_zh.tsv:[0-9]+ to\n"),
        ("Dr. Lee", 0, "doctor lee.\n  Dr -> doctor: .*, tokens_en.tsv:[0-9]+ .*\n"),
        ("……", 2, "The text has nothing to say: .*\n"),
    ):
        monkeypatch.setattr("sys.argv", ["speech_text", "--explain", text])
        assert main() == status
        assert re.fullmatch(printed, "".join(capsys.readouterr()))


def test_threads_get_the_same_as_one(frontend: TextFrontend) -> None:
    texts = [f"{number}个行长在2024年{number}月说了hello {number} times。" for number in range(1, 25)]
    alone = [frontend.prepare(text, use_phoneme=True) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: frontend.prepare(text, use_phoneme=True), texts))
    assert together == alone
