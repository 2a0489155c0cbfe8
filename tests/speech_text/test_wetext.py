"""The transducers: shipped with the right flags, and what they need not be asked."""

from __future__ import annotations

import json
import random
from importlib.metadata import version
from pathlib import Path

import tn

from speech_text import TextFrontend
from speech_text.cut.pieces import pieces, sentences
from speech_text.places import Placed
from speech_text.published.rules import spoken_in_pieces
from speech_text.wetext import (
    SHIPPED_FSTS,
    TextNormalizer,
    chinese_normalizer,
    english_normalizer,
)


def test_the_shipped_transducers_are_of_the_tested_version() -> None:
    manifest = json.loads((SHIPPED_FSTS / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["WeTextProcessing"] == version("WeTextProcessing")


def test_interjections_and_erhua_are_kept() -> None:
    assert chinese_normalizer()("呃，花儿有3朵啊") == "呃,花儿有三朵啊"


def test_what_has_no_path_is_none() -> None:
    assert english_normalizer()("a\ud800") is None


def automata_alone(name: str, folder: Path, order: str) -> TextNormalizer:
    tagger, verbaliser = folder / f"{name}_tagger.fst", folder / f"{name}_verbalizer.fst"
    return TextNormalizer(tagger, verbaliser, order=order, plain=lambda text: None, max_digits=40)


def test_what_never_reaches_the_chinese_automata_is_what_they_would_make_of_it() -> None:
    shortcut, automata = chinese_normalizer(), automata_alone("zh_tn", SHIPPED_FSTS, "tn")
    hanzi = "".join(map(chr, range(0x4E00, 0xA000)))
    rng = random.Random(1)
    others = "我们的儿子女儿一二三百千万亿点年月日时分秒呃啊额，。、？！：；“”（）《》,.?!:;aBcMVPkgmx   "
    texts = ["".join(rng.sample(hanzi, 120)) for _ in range(40)] + ["他是M.V.P"]
    texts += ["".join(rng.choices(others, k=rng.randint(1, 40))) for _ in range(80)]
    for text in texts:
        assert shortcut(text) == automata(text), text


def test_what_never_reaches_the_english_automata_is_what_they_would_make_of_it() -> None:
    folder = Path(tn.__file__).parent
    shortcut, automata = english_normalizer(), automata_alone("en_tn", folder, "en_tn")
    rng = random.Random(1)
    words = "the of and to a i it’s don’t per cent percent m man kg oz vs etc am pm no st dr mr jan march may"
    words += " sunday www com is call me at by x iv xi ny ca usa paper super seven hundred point minus half"
    for _ in range(120):
        some = rng.choices(words.split(), k=rng.randint(1, 20))
        text = "".join(word + rng.choice([" "] * 6 + [", ", ". ", "? ", ": "]) for word in some)
        text = text.rstrip() if rng.random() < 0.5 else text
        assert shortcut(text) == automata(text), text


def test_pieces_are_complete_and_cut_no_figure() -> None:
    text = "今天是2024年1月5日，气温3.5度。It cost $1,234.50 on January 5th, 2024, and more. " * 20
    parts = list(pieces(text))
    assert "".join(parts) == text
    assert max(map(len, parts)) <= 80
    assert not any(part[0].isdigit() for part in parts)
    assert "".join(sentences(text)) == text


def test_a_long_text_is_read_in_pieces_as_it_is_read_whole() -> None:
    chinese = (
        "今天是2024年1月5日，气温3.5度，价格：$5、€6。比分3:2，GDP增长5.2%；他跑了34.5公里，",
        "1，234，567元，占50%，电话010-12345678，约3/4的人在10:30-12:00来了！M.V.P是谁？100km/h的车，",
    )
    english = (
        "Yesterday the meeting cost $1,234.50 and lasted from 10:30 to 12:00. ",
        "Twenty people walked 5 km/h along the river on January 5th, 2024, about 3/4 of them slowly. ",
    )
    alone = (
        automata_alone("zh_tn", SHIPPED_FSTS, "tn"),
        automata_alone("en_tn", Path(tn.__file__).parent, "en_tn"),
    )
    cut = chinese_normalizer(), english_normalizer()
    for parts, whole, pieced in zip((chinese, english), alone, cut, strict=True):
        rng = random.Random(1)
        for _ in range(6):
            text = "".join(rng.choices(parts, k=5))
            assert len(list(sentences(text, max_digits=pieced.max_digits))) > 2
            assert spoken_in_pieces(pieced, Placed.written(text)).text.rstrip() == whole(text), text


def test_a_number_without_end_is_read_as_the_automata_read_it(published: TextFrontend) -> None:
    automata = automata_alone("en_tn", Path(tn.__file__).parent, "en_tn")
    for text in ("1234567890" * 3, "x: " + "20" * 14 + "1.", "ab" + "12" * 15 + "cd"):
        assert published.normalize(text).removesuffix(".") == str(automata(text)).removesuffix("."), text
