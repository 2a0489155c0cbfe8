"""Counts how many polyphones (Hanzi with several readings) of tests/speech_text/polyphone*.tsv are read well.

Compares the server's phoneme mode with pypinyin alone, and with g2pM where it is installed.

pip install --no-deps --target /tmp/g2pm g2pM
PYTHONPATH=/tmp/g2pm .venv/bin/python -m bench.compare_polyphones
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path

from speech_text.phonemes.pinyin import named_syllable
from speech_text.phonemes.writer import HANZI_RUN, Phonemizer, read_aligned

SETS = Path(__file__).resolve().parents[1] / "tests" / "speech_text"
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


def _read_alone(run: str) -> list[str]:
    """Reads a run of Hanzi with pypinyin and pypinyin's own word segmentation instead of jieba's."""
    from pypinyin.seg.mmseg import seg

    return [" ".join(syllable) for syllable in chain.from_iterable(map(read_aligned, seg.cut(run)))]


def _right(wrong: list[Case], found: list[Case]) -> str:
    return f"{100 * (1 - len(wrong) / len(found)):.1f} %"


def compare(readers: dict[str, Reader], path: Path) -> None:
    found = list(marked(path))
    print(f"{path.name}: {len(found)} polyphones of {len({text[at] for text, at, _ in found})} Hanzi")
    for name, read in readers.items():
        read("热身")  # loads the dictionaries
        start = time.perf_counter()
        wrong = misread(read, found)
        each = (time.perf_counter() - start) / len(found)
        print(f"{name}: {_right(wrong, found)} right, {1000 * each:.2f} ms each")
        print("   ", " ".join(f"{text}({one})" for text, _, one in wrong))


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        readers: dict[str, Reader] = {}
        for name, published in (("published", True), ("default", False)):
            readers[name] = partial(syllables, Phonemizer(Path(cache), published=published))
        readers["pypinyin alone"] = _read_alone
        try:
            g2pm = import_module("g2pM").G2pM()
            readers["g2pM"] = lambda run: [names(one) for one in g2pm(run, tone=True, char_split=True)]
        except ImportError:
            print("g2pM is not installed")
        for path in sorted(SETS.glob("polyphone*.tsv")):
            compare(readers, path)


if __name__ == "__main__":
    main()
