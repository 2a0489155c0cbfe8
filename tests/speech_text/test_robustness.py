"""Whatever the input: no failure but a TextError, nothing speakable lost, the same every time."""

from __future__ import annotations

import random

import pytest

from speech_text import TextError, TextFrontend

WORDS = ["mango", "zebra", "quartz", "violin", "jungle", "walnut", "dolphin", "粥", "葡萄", "犀牛", "麒麟"]
FIGURES = ["12", "3.5", "1,234", "7", "2024", "10:30", "-5", "3-4", "5%", "①", "Ⅳ", "９", "١"]
JUNK = [
    *"  ..,,!?;:'\"-–—_*+=/\\|<>()[]{}#@&%$€¥￥°¹²³⁴⁺⁻^~`…“”‘’「」《》【】·、，。！？；：★□→×÷‰ॐ",
    *(*FIGURES, "1/2", "½", "0" * 30),
    *("m²", "km", "pm", *"xQéßﬁＡ你㐂𠮷かカ한юअिก㎡"),
    *("www.", "http://", ".com", "a@b.co", "```", "**", "- ", "1. ", "| ", "😀", "👨‍👩‍👧", "1️⃣"),
    *"\u200b\u200f\u202e\x00\x1b\ud800\udfff\n\t\u3000\ufeff",
    *("\r\n", *"\ue000\ue001\ue123\U000e0001\U0010ffff\u0301\u2028"),
]


def random_texts(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices(JUNK + WORDS, k=rng.randint(1, 25))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_but_nothing_to_say_is_raised(
    frontend: TextFrontend, published: TextFrontend, seed: int
) -> None:
    for text in random_texts(seed, 60):
        for door in (frontend, published):
            for use_phoneme in (False, True):
                try:
                    segments = door.prepare(text, use_phoneme=use_phoneme)
                except TextError:
                    continue
                assert segments
                assert all(segment.strip() for segment in segments)
                "".join(segments).encode()


@pytest.mark.parametrize("seed", range(4))
def test_words_and_figures_between_them_are_kept(frontend: TextFrontend, seed: int) -> None:
    rng = random.Random(100 + seed)
    figures = [*FIGURES, *"é你юか"]
    marks = [*list('  .,!?;:"-—*=/()[]#@&…“”「」《》、，。！？；：\n\t\u200b\u3000'), "😀", "\x00", "�"]
    for _ in range(60):
        words = rng.sample(WORDS, 3)
        between = [rng.choice(figures) for _ in words]
        text = "".join(
            f"{rng.choice(marks)} {figure} {rng.choice(marks)} {word}"
            for figure, word in zip(between, words, strict=True)
        )
        spoken = "".join(frontend.prepare(text))
        position = 0
        for word in words:
            found = spoken.find(word, position)
            assert found >= 0, (text, spoken)
            assert any(char.isalnum() for char in spoken[position:found]), (text, spoken)
            position = found + len(word)
        assert not any(char.isdigit() for char in spoken), (text, spoken)


def test_the_same_text_gives_the_same_segments(frontend: TextFrontend) -> None:
    for text in random_texts(7, 40):
        try:
            first = frontend.prepare(text)
        except TextError:
            continue
        assert frontend.prepare(text) == first


@pytest.mark.parametrize(
    "unit",
    ["啊", "a", "1", "1,", "$", "*", "😀啊", " a", "a.", "3.5度，", "http://a.b/", "\n1. x", "é", "한", "“"],
    ids=ascii,
)
def test_twenty_thousand_characters_come_back_in_segments(frontend: TextFrontend, unit: str) -> None:
    text = (unit * 20_000)[:20_000]
    try:
        segments = frontend.prepare(text)
    except TextError:
        assert not any(char.isalnum() for char in text)
        return
    assert max(map(len, segments)) < 700


@pytest.mark.parametrize("lead", ["", "$", "¥", "第", "it is ", "-", "1.", "1-", "1:", "3.5*10^", "$1."])
def test_a_number_of_any_length_is_read(frontend: TextFrontend, published: TextFrontend, lead: str) -> None:
    spoken = frontend.normalize(lead + "7" * 5000)
    assert spoken.count("seven") + spoken.count("七") >= 5000
    assert published.normalize(lead + "7" * 50)


@pytest.mark.parametrize("length", [79, 80, 81, 1000])
def test_a_letter_is_never_lost_at_the_edge_of_a_piece(frontend: TextFrontend, length: int) -> None:
    text = ("abcdefghij" * 200)[:length]
    assert frontend.normalize(f"{text} 5").startswith(text)
    hanzi = ("春天来了花园里的花都开" * 200)[:length]
    assert frontend.normalize(f"{hanzi}5").startswith(hanzi)


@pytest.mark.parametrize("signs", ["⁺⁺", "⁻⁺", "²⁺⁻", "⁴⁵⁺⁺"])
def test_raised_signs_that_are_no_exponent_and_no_charge_are_read(frontend: TextFrontend, signs: str) -> None:
    assert "ten to the power of" in frontend.normalize(f"the value 10{signs} is high")
    assert frontend.normalize(f"数值10{signs}很大")


@pytest.mark.parametrize("text", ["现在4t°了。", "9b°C", "7t′月", "[£@2K′⁰₂€", "83B′年"])
def test_signs_of_an_angle_behind_other_units_are_read(frontend: TextFrontend, text: str) -> None:
    assert frontend.normalize(text)
