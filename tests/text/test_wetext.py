"""The transducers: shipped with the right flags, built again for another version, never into the package."""

from __future__ import annotations

import json
from pathlib import Path

from glm_tts_api.text.english import number_words
from glm_tts_api.text.pieces import pieces, sentences
from glm_tts_api.text.wetext import SHIPPED_FSTS, chinese_verbaliser, english_verbaliser, installed_version


def test_the_shipped_transducers_are_of_the_tested_version() -> None:
    manifest = json.loads((SHIPPED_FSTS / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["WeTextProcessing"] == installed_version()


def test_interjections_and_erhua_are_kept(tmp_path: Path) -> None:
    verbalise = chinese_verbaliser(tmp_path)
    assert verbalise("呃，花儿有3朵啊") == "呃,花儿有三朵啊"
    assert not list(tmp_path.iterdir())


def test_another_version_is_built_into_the_cache(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "manifest.json").write_text('{"WeTextProcessing": "0.0.1"}', encoding="utf-8")
    cache = tmp_path / "cache"
    verbalise = chinese_verbaliser(cache, shipped)
    assert verbalise("花儿3") == "花儿三"
    assert [path.name for path in cache.iterdir()] == [f"fst-{installed_version()}"]
    built = {path: path.stat().st_mtime_ns for path in next(cache.iterdir()).iterdir()}
    chinese_verbaliser(cache, shipped)
    assert built == {path: path.stat().st_mtime_ns for path in next(cache.iterdir()).iterdir()}


def test_what_has_no_path_is_none() -> None:
    assert english_verbaliser()("a\ud800") is None


def test_pieces_are_complete_and_cut_no_figure() -> None:
    text = "今天是2024年1月5日，气温3.5度。It cost $1,234.50 on January 5th, 2024, and more. " * 20
    parts = list(pieces(text))
    assert "".join(parts) == text
    assert max(map(len, parts)) <= 80
    assert not any(part[0].isdigit() for part in parts)
    assert "".join(sentences(text)) == text


def test_numbers_in_words() -> None:
    expected = {
        "0": "zero",
        "007": "seven",
        "21": "twenty-one",
        "100": "one hundred",
        "101": "one hundred and one",
        "1100": "one thousand, one hundred",
        "12345": "twelve thousand, three hundred and forty-five",
        "1000001": "one million and one",
        "1234567890123": "one trillion, two hundred and thirty-four billion, "
        "five hundred and sixty-seven million, "
        "eight hundred and ninety thousand, one hundred and twenty-three",
        "9" * 37: " ".join(["nine"] * 37),
    }
    assert {digits: number_words(digits) for digits in expected} == expected
