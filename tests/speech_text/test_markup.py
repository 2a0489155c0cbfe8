"""Marks in a text: what they become, what they leave alone, what is wrong with one."""

from __future__ import annotations

import time

import pytest

from speech_text import ReadingOptions, SentenceSplitter, TextError, TextFrontend, with_marks
from speech_text.marks import voices_in, without_marks
from speech_text.markup.formulas import plain
from tests.speech_text.readings.accepted import sentences

CHONGQING = "<|CH|><|ONG2|><|Q|><|ING4|>"


def test_phoneme_mode_reads_the_words_around_a_mark(frontend: TextFrontend) -> None:
    reading = frontend.read("[[重庆|chong2 qing4]]银行行长", ReadingOptions(use_phoneme=True))
    (segment,) = reading.segments
    assert segment.spoken == f"{CHONGQING}银<|H|><|ANG2|><|H|><|ANG2|><|ZH|><|ANG3|>。"
    assert segment.text == "重庆银行行长。"
    assert [(one.written, one.said, one.start, one.rule) for one in reading.changes] == [
        ("重庆", "CH ONG2 Q ING4", 2, "mark")
    ]


def test_pauses_voices_and_speeds_cut_the_text(frontend: TextFrontend, published: TextFrontend) -> None:
    text = "[[pause .1]]编号[[pause 0.8]]123。[[voice exampleB]]你好[[speed 1.5]]啊[[pause 1]][[pause 2]]"
    for door in (frontend, published):
        reading = door.read(text)
        assert [(one.text, one.pause_s, one.voice, one.speed) for one in reading.segments] == [
            ("编号。", 0.1, None, 1.0),
            ("一百二十三。", 0.8, None, 1.0),  # in Chinese, as the text is
            ("你好。", 0.0, "exampleB", 1.0),
            ("啊。", 0.0, "exampleB", 1.5),
        ]
        assert reading.pause_s == 3.0
        assert reading.text == "编号。一百二十三。你好。啊。"
    assert [change.start for change in reading.changes] == [text.index("123")]


@pytest.mark.parametrize(
    ("mark", "names"),
    [
        ("[[重庆|chong9 qing4]]", "'chong9' is no pinyin"),
        ("[[重庆|chong2 qing]]", "'qing' has no tone"),
        ("[[儿|er1]]", "no phonemes for 'er1'"),
        ("[[live|L AY1 V]]", "'L AY1 V' is ARPAbet, and the model has phonemes for Mandarin alone"),
        ("[[重庆|]]", "no reading"),
        ("[[ |a1]]", "no word"),
        ("[[pause]]", "from 0.05 to 10"),
        ("[[pause 10.1]]", "from 0.05 to 10"),
        ("[[pause -1]]", "from 0.05 to 10"),
        ("[[pause ٣]]", "from 0.05 to 10"),
        ("[[speed 9]]", "from 0.25 to 4"),
    ],
)
def test_a_mark_that_makes_no_sense_is_named_with_its_place(
    frontend: TextFrontend, mark: str, names: str
) -> None:
    with pytest.raises(TextError) as refused:
        frontend.read("你好，" + mark)
    assert names in str(refused.value)
    assert mark in str(refused.value)
    assert "at character 3" in str(refused.value)
    assert refused.value.code == "malformed_pronunciation"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Pipes of [[lead|leed]].", "pipes of leed."),
        ("We run [[nginx|engine x]] here.", "we run engine x here."),
        ("用[[GLM|智谱模型]]朗读。", "用智谱模型朗读。"),
    ],
)
def test_a_word_without_hanzi_takes_a_respelling(frontend: TextFrontend, text: str, spoken: str) -> None:
    reading = frontend.read(text)
    assert [segment.spoken for segment in reading.segments] == [spoken]
    assert [(change.rule, change.start) for change in reading.changes] == [("mark", text.index("[[") + 2)]


def test_the_pauses_of_a_text_are_limited_together(frontend: TextFrontend) -> None:
    pauses = "[[pause 10]]" * 30
    assert frontend.read(f"你好{pauses}再见").segments[-1].pause_s == 300
    for text in (f"你好{pauses}再见[[pause 0.05]]", with_marks(f"<speak>你好{pauses}<break/></speak>")[0]):
        with pytest.raises(TextError, match="may last 300 seconds together") as refused:
            frontend.read(text)
        assert f"at character {text.rindex('[[')}" in str(refused.value)


def test_blanks_in_a_mark_cost_what_they_are_long() -> None:
    def cpu_s(mark: str) -> float:
        began = time.thread_time()
        voices_in(mark * 20)
        return time.thread_time() - began

    for command in ("pause", "speed", "voice"):
        short_s, long_s = (min(cpu_s(f"[[{command}{' ' * n}|]]") for _ in range(3)) for n in (95, 190))
        assert long_s < 4 * short_s + 0.01


def test_marks_alone_say_nothing(frontend: TextFrontend) -> None:
    with pytest.raises(TextError) as refused:
        frontend.read("[[pause 1]]。")
    assert refused.value.code == "nothing_to_say"


def test_no_mark_is_lost_or_moves_in_any_sentence(frontend: TextFrontend, published: TextFrontend) -> None:
    """A marked word before, in the middle of and behind each kind of sentence."""
    for sentence in sentences()[::31]:
        half = len(sentence.text) // 2
        marked = f"[[你|ni3]]{sentence.text[:half]}[[pause 1]][[好|hao3]]{sentence.text[half:]}[[吗|ma5]]"
        for door in (frontend, published):
            spoken = door.prepare(marked)
            joined = "".join(spoken)
            places = [joined.index(tokens) for tokens in ("<|N|><|I3|>", "<|H|><|AO3|>", "<|M|><|A5|>")]
            assert places == sorted(places), marked
            assert joined.count("<|") == 6, marked


def test_control_tokens_are_text(frontend: TextFrontend, published: TextFrontend) -> None:
    for door in (frontend, published):
        for text in ("<|X|>你好<|audio_5|>", "你好<|user|>", "[[<|X|>]]"):
            assert not any("<" in segment or "|" in segment for segment in door.prepare(text))


def test_text_in_pieces_is_not_cut_inside_a_mark() -> None:
    text = "今天的天气真的很好。[[今天。的天气真的很好。|jin1]]我们一起去公园走走吧。[[pause 0.5]]好。"
    splitter = SentenceSplitter()
    sentences = [one for char in text for one in splitter.push(char)] + [splitter.flush()]
    assert "".join(sentences) == text
    assert len(sentences) == 3
    assert all(sentence.count("[[") == sentence.count("]]") for sentence in sentences)


def test_a_formula_of_many_braces_is_written_in_time() -> None:
    assert plain("{" * 400 + "x" + "}" * 400) == "x"
    assert plain(r"\frac{" * 60 + "1" + "}{2}" * 60).count("÷") == 59


TEXT = "一。[[mood glad]]二。[[mood]]三。[[voice me]][[mood sad]]四。[[mood]]五。[[voice]]六。"


def test_a_mood_is_one_of_the_voice_that_speaks(frontend: TextFrontend) -> None:
    segments = frontend.read(TEXT, ReadingOptions()).segments
    assert [one.voice for one in segments] == [None, ":glad", None, "me:sad", "me", None]
    assert voices_in(TEXT) == [":glad", ":", "me", "me:sad", "me", ""]
    assert voices_in("[[mood glad]]", "me:sad") == ["me:glad"]
    assert without_marks(TEXT) == "一。二。三。四。五。六。"


def test_a_tag_is_told_as_a_change(frontend: TextFrontend) -> None:
    changes = frontend.read("Click <b>here</b> now.").changes
    assert [(change.said, change.rule) for change in changes] == [("here", "verbatim")]
