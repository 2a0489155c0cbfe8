"""The readings of polyphones beside their neighbours. Knows one table.

assets/readings/in_context.tsv    倒 <tab> dao3 <tab> 刮|撞 <tab> 了: a word, its reading, and patterns of the text
before and behind it; an empty one fits all. The first row that fits is taken. The text before ends in / and
the part of speech that jieba gives its last word: /[va] is a verb or an adjective. A row counts for a Hanzi
that is a word by itself; with + before it also for one in a longer word, unless pypinyin has a phrase there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from glm_tts_api.text.pinyin import Phonemes, phoneme_names

_TABLE = Path(__file__).parent.parent / "assets" / "readings" / "in_context.tsv"
_NEAR = 8  # characters on either side


@dataclass(frozen=True, slots=True)
class Row:
    reading: tuple[Phonemes, ...]
    before: re.Pattern[str]
    behind: re.Pattern[str]
    in_words: bool

    def fits(self, run: str, start: int, end: int, part_of_speech: str) -> bool:
        before = run[max(0, start - _NEAR) : start] + (f"/{part_of_speech}" if start else "")
        return bool(self.before.search(before) and self.behind.match(run[end : end + _NEAR]))


@cache
def rows() -> dict[str, list[Row]]:
    """By their words; phonemes are in small letters."""
    table: dict[str, list[Row]] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        word, reading, before, behind = line.split("\t")
        syllables = tuple(tuple(name.lower() for name in names) for names in phoneme_names(reading, ()))
        before_it = re.compile(rf"(?:{before})(?:/\w*)?$")
        row = Row(syllables, before_it, re.compile(behind), word.startswith("+"))
        table.setdefault(word.removeprefix("+"), []).append(row)
    return table
