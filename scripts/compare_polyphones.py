"""How many polyphones phoneme mode reads right: tests/text/polyphones.tsv, beside g2pM where it is installed.

.venv/bin/python scripts/compare_polyphones.py
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

from glm_tts_api.text.phonemes import Phonemizer, named_syllable

ROOT = Path(__file__).resolve().parents[1]
_MARKED = re.compile(r"\{(.)\|(\w+)\}")
Reader = Callable[[str], list[str]]


def sentences() -> Iterator[tuple[str, int, str]]:
    """The sentence, the place of its polyphone, and the reading."""
    for cell in (ROOT / "tests" / "text" / "polyphones.tsv").read_text(encoding="utf-8").split():
        for marked in _MARKED.finditer(cell):
            yield _MARKED.sub(r"\1", cell), marked.start(), marked[2]


def names(pinyin: str) -> str:
    """Pinyin as the phonemes that a reader of ours gives."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    base, tone = pinyin[:-1].replace("u:", "v"), pinyin[-1]
    final = to_finals(base, strict=True, v_to_u=False) + tone
    return " ".join(named_syllable(to_initials(base, strict=True), final))


def _read(phonemizer: Phonemizer, text: str) -> list[str]:
    return [" ".join(syllable) for syllable in phonemizer.syllables(text)]


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        readers: dict[str, Reader] = {}
        for name, published in (("published", True), ("default", False)):
            readers[name] = partial(_read, Phonemizer(Path(cache), published=published))
        try:
            g2pm = import_module("g2pM").G2pM()
            readers["g2pM"] = lambda text: [names(one) for one in g2pm(text, tone=True, char_split=True)]
        except ImportError:
            print("g2pM is not installed: pip install g2pM")
        found = list(sentences())
        print(f"{len(found)} polyphones of {len({text[at] for text, at, _ in found})} Hanzi")
        for name, read in readers.items():
            wrong = [(text, one) for text, at, one in found if read(text)[at] != names(one)]
            print(f"{name}: {100 * (1 - len(wrong) / len(found)):.1f} % right")
            print("   ", " ".join(f"{text}({one})" for text, one in wrong))


if __name__ == "__main__":
    main()
