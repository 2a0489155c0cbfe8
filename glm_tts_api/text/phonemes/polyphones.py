"""The readings of polyphones beside their neighbours. Knows one table.

assets/readings/in_context.tsv    倒 <tab> dao3 <tab> 刮|撞 <tab> 了: a word, its reading, and patterns of the
text before and behind it; an empty one fits all. The first row that fits is taken. A pattern with / sees the
part of speech that jieba gives the last word, too: /[va] is behind a verb or an adjective. A row counts for a
Hanzi that is a word by itself; with + before it also for one in a longer word. It never counts in a phrase
that pypinyin has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from glm_tts_api.text.phonemes.pinyin import Phonemes, phoneme_names

_TABLE = Path(__file__).parents[2] / "assets" / "readings" / "in_context.tsv"
_NEAR = 8  # characters on either side


@dataclass(frozen=True, slots=True)
class Row:
    reading: tuple[Phonemes, ...]
    before: re.Pattern[str]
    behind: re.Pattern[str]
    in_words: bool

    def fits(self, run: str, start: int, end: int, part_of_speech: str) -> bool:
        """Whether run[start:end] stands where the row counts, behind a word of this part of speech."""
        before = run[max(0, start - _NEAR) : start]
        if before and "/" in self.before.pattern:
            before += f"/{part_of_speech}"
        return bool(self.before.search(before) and self.behind.match(run[end : end + _NEAR]))


@cache
def rows() -> dict[str, list[Row]]:
    """The table's rows, by word; phonemes are in small letters."""
    table: dict[str, list[Row]] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        word, reading, before, behind = line.split("\t")
        syllables = tuple(tuple(name.lower() for name in names) for names in phoneme_names(reading, ()))
        row = Row(syllables, re.compile(f"(?:{before})$"), re.compile(behind), word.startswith("+"))
        table.setdefault(word.removeprefix("+"), []).append(row)
    return table
