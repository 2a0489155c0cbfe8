"""The transducers: shipped with the right flags, and what they need not be asked."""

from __future__ import annotations

import json
import random
from importlib.metadata import version

from speech_text import TextFrontend
from speech_text.cut.pieces import pieces, sentences
from speech_text.places import Placed
from speech_text.published import spoken_in_pieces
from speech_text.wetext import SHIPPED_FSTS, chinese_normalizer, english_normalizer


def test_the_shipped_transducers_are_of_the_tested_version() -> None:
    manifest = json.loads((SHIPPED_FSTS / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["WeTextProcessing"] == version("WeTextProcessing")


def test_interjections_and_erhua_are_kept() -> None:
    assert chinese_normalizer()("呃，花儿有3朵啊") == "呃,花儿有三朵啊"


def test_what_has_no_path_is_none() -> None:
    assert english_normalizer()("a\ud800") is None


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
    for parts, normalizer in ((chinese, chinese_normalizer()), (english, english_normalizer())):
        rng = random.Random(1)
        for _ in range(6):
            text = "".join(rng.choices(parts, k=5))
            assert len(list(sentences(text, max_digits=normalizer.max_digits))) > 2
            assert spoken_in_pieces(normalizer, Placed.written(text)).text.rstrip() == normalizer(text), text


def test_a_number_without_end_is_read_as_the_automata_read_it(published: TextFrontend) -> None:
    automata = english_normalizer()
    for text in ("1234567890" * 3, "x: " + "20" * 14 + "1.", "ab" + "12" * 15 + "cd"):
        assert published.normalize(text).removesuffix(".") == str(automata(text)).removesuffix("."), text
