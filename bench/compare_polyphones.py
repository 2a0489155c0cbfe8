"""Counts how many polyphones (Hanzi with several readings) of tests/speech_text/polyphone*.tsv are read well.

Compares the server's phoneme mode with pypinyin alone and with g2pM alone.

    python -m bench.compare_polyphones [FILE...]    the sets of tests/speech_text, or files of the same form
"""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from itertools import chain
from pathlib import Path

from g2pM import G2pM

from speech_text.phonemes.writer import Phonemizer, read_aligned
from tests.speech_text.polyphones import SETS, Reader, marked, misread, names, syllables


def _read_alone(run: str) -> list[str]:
    """Reads a run of Hanzi with pypinyin and pypinyin's own word segmentation instead of jieba's."""
    from pypinyin.seg.mmseg import seg

    return [" ".join(syllable) for syllable in chain.from_iterable(map(read_aligned, seg.cut(run)))]


def compare(readers: dict[str, Reader], path: Path) -> None:
    found = list(marked(path))
    print(f"{path.name}: {len(found)} polyphones of {len({text[at] for text, at, _ in found})} Hanzi")
    for name, read in readers.items():
        read("热身")  # loads the dictionaries
        start = time.perf_counter()
        wrong = misread(read, found)
        each = (time.perf_counter() - start) / len(found)
        print(f"{name}: {100 * (1 - len(wrong) / len(found)):.1f} % right, {1000 * each:.2f} ms each")
        print("   ", " ".join(f"{text}({one})" for text, _, one in wrong))


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        readers: dict[str, Reader] = {}
        for name, published in (("published", True), ("default", False)):
            readers[name] = partial(syllables, Phonemizer(Path(cache), published=published))
        readers["pypinyin alone"] = _read_alone
        g2pm = G2pM()
        readers["g2pM"] = lambda run: [names(one) for one in g2pm(run, tone=True, char_split=True)]
        for path in [Path(name) for name in sys.argv[1:]] or sorted(SETS.glob("polyphone*.tsv")):
            compare(readers, path)


if __name__ == "__main__":
    main()
