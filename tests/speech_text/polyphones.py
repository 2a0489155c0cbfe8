"""The marked polyphones of polyphone*.tsv: {行|hang2} is a Hanzi and its right reading in this text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from speech_text.phonemes.pinyin import named_syllable
from speech_text.phonemes.writer import HANZI_RUN, Phonemizer

SETS = Path(__file__).resolve().parent
_MARKED = re.compile(r"\{(.)\|(\w+)\}")
Reader = Callable[[str], list[str]]
"""Maps a run of Hanzi to a list with one reading for each character."""
Case = tuple[str, int, str]
"""(a text, the index of the polyphone in the text, the right reading of the polyphone)."""


def marked(path: Path) -> Iterator[Case]:
    for cell in path.read_text(encoding="utf-8").split():
        text = _MARKED.sub(r"\1", cell)
        for mark in _MARKED.finditer(cell):
            yield text, len(_MARKED.sub(r"\1", cell[: mark.start()])), mark[2]


def names(pinyin: str) -> str:
    """Converts a pinyin syllable, such as "chong2", to the phonemes that a Reader returns for it."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    base, tone = pinyin[:-1].replace("u:", "v"), pinyin[-1]
    final = to_finals(base, strict=True, v_to_u=False) + tone
    return " ".join(named_syllable(to_initials(base, strict=True), final))


def misread(read: Reader, cases: list[Case]) -> list[Case]:
    return [case for case in cases if reading(read, case[0], case[1]) != names(case[2])]


def reading(read: Reader, text: str, at: int) -> str:
    run = next(run for run in HANZI_RUN.finditer(text) if run.start() <= at < run.end())
    return read(run.group())[at - run.start()]


def syllables(phonemizer: Phonemizer, run: str) -> list[str]:
    return [" ".join(syllable) for syllable in phonemizer.syllables(run)]
