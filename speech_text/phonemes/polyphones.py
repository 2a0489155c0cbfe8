"""Reads polyphones (Hanzi with several pronunciations) by the text next to them, from two tables.

assets/readings/in_context.tsv       倒 <tab> dao3 <tab> 刮|撞 <tab> 了
assets/readings/word_readings.tsv    肚子 <tab> du4 zi5

The second table corrects words that pypinyin misreads, wherever they stand. A row of the first one has a
word, its reading, and patterns of the text before and after the word; an empty pattern fits any text. Words
with the same patterns share a row: 单/盖 <tab> shan4/ge3. The first row that fits is taken. A pattern with /
also sees the part of speech that jieba gives the word before: /[va] means after a verb or an adjective. A row
counts for a Hanzi that is a word by itself; with + before the Hanzi it also counts inside a longer word. A
row never counts inside a phrase that pypinyin knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from speech_text.phonemes.pinyin import Phonemes, phoneme_names

READINGS = Path(__file__).parents[1] / "assets" / "readings"
_ANY = re.compile("")
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
    """Returns the rows of both tables by their words, in the order of the tables. The names of phonemes are
    in small letters."""
    table: dict[str, list[Row]] = {}
    for line in (READINGS / "in_context.tsv").read_text(encoding="utf-8").splitlines():
        words, readings, before, behind = line.split("\t")
        patterns = re.compile(f"(?:{before})$"), re.compile(behind)
        for word, reading in zip(words.removeprefix("+").split("/"), readings.split("/"), strict=True):
            table.setdefault(word, []).append(Row(syllables_of(reading), *patterns, words.startswith("+")))
    for word, reading in corrected().items():
        table.setdefault(word, []).append(Row(syllables_of(reading), _ANY, _ANY, in_words=True))
    return table


@cache
def corrected() -> dict[str, str]:
    """Returns the readings of the second table by their words."""
    lines = (READINGS / "word_readings.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def joined(words: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yields `words`, each with its part of speech. Two neighbours that make a word of the second table
    become one word, since jieba does not know every such word (魔, 都 -> 魔都)."""
    known, waiting = corrected(), iter([*words[1:], ("", "")])
    last = words[0]
    for word in waiting:
        if last[0] + word[0] in known and word[0]:
            yield last[0] + word[0], word[1]
            last = next(waiting)
        else:
            yield last
            last = word


def syllables_of(reading: str) -> tuple[Phonemes, ...]:
    """Returns the phonemes of each syllable of `reading`, in small letters."""
    return tuple(tuple(name.lower() for name in names) for names in phoneme_names(reading, ()))
