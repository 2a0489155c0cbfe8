"""spoken.tsv: texts and exactly how they are spoken, as a whole ("normal"), in segments, or as phonemes. In a
text ⏎ is a line break."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from speech_text import TextFrontend, has_hanzi

with Path(__file__).with_name("spoken.tsv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True))


def texts_of(what: str) -> list[str]:
    return [row["text"].replace("⏎", "\n") for row in ROWS if row["what"] == what]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['what']}: {row['text']}")
def test_a_text_is_spoken_exactly_so(frontend: TextFrontend, row: dict[str, str]) -> None:
    text, spoken = row["text"].replace("⏎", "\n"), row["spoken"]
    if row["how"] == "normal":
        assert frontend.normalize(text) == spoken
    else:
        segments = frontend.prepare(text, use_phoneme=row["how"] == "phonemes")
        assert ("" if has_hanzi(spoken) else " ").join(segments) == spoken
