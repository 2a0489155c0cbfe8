"""Reads polyphones (Hanzi with several pronunciations) by the text next to them, from one table.

assets/readings/in_context.tsv    倒 <tab> dao3 <tab> 刮|撞 <tab> 了

A row has a word, its reading, and patterns of the text before and after the word; an empty pattern fits any
text. The first row that fits is taken. A pattern with / also sees the part of speech that jieba gives the
word before: /[va] means after a verb or an adjective. A row counts for a Hanzi that is a word by itself;
with + before the Hanzi it also counts inside a longer word. A row never counts inside a phrase that pypinyin
knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from glm_tts_api.text.phonemes.pinyin import Phonemes, phoneme_names

_TABLE = Path(__file__).parents[2] / "assets" / "readings" / "in_context.tsv"
_NEAR = 8  # characters to either side that a pattern sees


@dataclass(frozen=True, slots=True)
class Row:
    reading: tuple[Phonemes, ...]
    before: re.Pattern[str]
    behind: re.Pattern[str]
    in_words: bool

    def fits(self, run: str, start: int, end: int, part_of_speech: str) -> bool:
        """Returns whether the reading of this row is right for the Hanzi `run[start:end]`: the patterns fit
        the text before and after. `part_of_speech` is that of the word before."""
        before = run[max(0, start - _NEAR) : start]
        if before and "/" in self.before.pattern:
            before += f"/{part_of_speech}"
        return bool(self.before.search(before) and self.behind.match(run[end : end + _NEAR]))


@cache
def rows() -> dict[str, list[Row]]:
    """Returns the rows of the table by their words, in the order of the table. The names of phonemes are in
    small letters."""
    table: dict[str, list[Row]] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        word, reading, before, behind = line.split("\t")
        syllables = tuple(tuple(name.lower() for name in names) for names in phoneme_names(reading, ()))
        row = Row(syllables, re.compile(f"(?:{before})$"), re.compile(behind), word.startswith("+"))
        table.setdefault(word.removeprefix("+"), []).append(row)
    return table
