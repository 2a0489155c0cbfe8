"""Phoneme mode: certain readings stay text, the others become tokens."""

from __future__ import annotations

import json
import random
from functools import partial
from pathlib import Path

import pytest

from speech_text import Dictionaries, TextFrontend
from speech_text.dictionaries import shipped
from speech_text.phonemes.writer import Phonemizer
from tests.speech_text.polyphones import marked, misread, syllables


@pytest.fixture(scope="module")
def phonemizer(cache_dir: Path) -> Phonemizer:
    return Phonemizer(cache_dir, published=False)


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("polyphones", 0.99),
        ("polyphone_sentences", 0.975),
        ("polyphones_fresh", 0.89),
        ("polyphones_fresh_2", 0.98),
        ("polyphones_fresh_3", 0.98),
        ("polyphones_fresh_4", 0.98),
        ("polyphones_fresh_5", 0.99),
        ("polyphones_fresh_6", 0.98),
        ("polyphones_fresh_7", 0.98),
        ("polyphones_fresh_8", 0.98),
        ("polyphones_fresh_9", 0.98),
    ],
)
def test_the_share_of_polyphones_read_right(phonemizer: Phonemizer, name: str, share: float) -> None:
    cases = list(marked(Path(__file__).with_name(f"{name}.tsv")))
    wrong = misread(partial(syllables, phonemizer), cases)
    assert 1 - len(wrong) / len(cases) >= share, wrong


def test_the_published_rules_do_not_look_at_neighbours(published: TextFrontend) -> None:
    assert "".join(published.prepare("书还要还。", use_phoneme=True)).count("<|H|><|AI2|>") == 2


def test_the_users_pronunciation_wins_and_the_longest_key_first(configs: Path, cache_dir: Path) -> None:
    frontend = TextFrontend(partial(Dictionaries.read, configs), cache_dir=cache_dir)
    (configs / "G2P_replace_dict.jsonl").write_text('{"乐": "<|L|><|AO4|>"}\n{"声乐": "声<|VE2|>"}', "utf-8")
    assert frontend.prepare("声乐乐声", use_phoneme=True) == ["声<|VE2|><|L|><|AO4|>声。"]


def test_the_official_keep_list_in_its_place_is_used(configs: Path, cache_dir: Path) -> None:
    frontend = TextFrontend(partial(Dictionaries.read, configs), cache_dir=cache_dir)
    (configs / "G2P_able_1word.json").write_text(json.dumps(["行", "长"]), encoding="utf-8")
    assert frontend.prepare("行人", use_phoneme=True) == ["行<|R|><|EN2|>。"]


def test_a_phoneme_without_a_token_is_not_written(configs: Path, cache_dir: Path) -> None:
    (configs / "G2P_all_phonemes.json").write_text(json.dumps({"0": "H", "1": "ANG2"}), encoding="utf-8")
    frontend = TextFrontend(configs, cache_dir=cache_dir)
    assert frontend.prepare("行长", use_phoneme=True) == ["<|H|><|ANG2|>长。"]


def test_a_phoneme_token_cannot_be_typed(frontend: TextFrontend) -> None:
    assert "<|" not in frontend.prepare("<|X|><|ING2|>你好")[0]


def test_every_phoneme_of_the_lists_can_be_written() -> None:
    names = shipped().phonemes
    assert {"B", "ZH", "II4", "III4", "VAN1", "UENG1"} <= names
    assert all(name.isupper() for name in names)
    assert shipped().keep


def test_unusual_hanzi_are_cut_as_jieba_cuts_them(cache_dir: Path) -> None:
    from jieba import Tokenizer
    from jieba.posseg import POSTokenizer

    from speech_text.phonemes.tagger import Tagger

    tokenizer = Tokenizer()
    tokenizer.tmp_dir = str(cache_dir)
    draw = random.Random(1)
    texts = ["".join(chr(draw.randint(0x4E00, 0x9FFF)) for _ in range(n)) for n in range(1, 25)]
    texts += ["".join(draw.choices("的一是了我不人在他有小明王刚" + text, k=20)) for text in texts]
    ours, jiebas = (
        [[(pair.word, pair.flag) for pair in tagger.lcut(text)] for text in texts]
        for tagger in (Tagger(tokenizer), POSTokenizer(tokenizer))
    )
    assert ours == jiebas
