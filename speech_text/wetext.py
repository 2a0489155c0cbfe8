"""Loads the transducers of the package WeTextProcessing as the published front end uses them.

The wheel has Chinese transducers that were built with other flags (they drop interjections and erhua), and
the package ignores its flags where it finds a built file. So scripts/make/build_fsts.py has built our own
transducers, which are shipped and used with any version of the package (docs/model.md 9).
"""

from __future__ import annotations

import threading
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from pynini import Fst, escape, shortestpath
from pywrapfst import FstOpError
from tn.token_parser import TokenParser

SHIPPED_FSTS = Path(__file__).resolve().parent / "assets" / "fst"
_PACKAGE = Path(str(files("tn")))
_REMEMBERED = 1024  # how many pieces of text the cache holds, with their words
_ENGLISH_DIGITS, _CHINESE_DIGITS = 24, 40  # in one piece: a digit takes up to 2 ms and 0.5 ms


class TextNormalizer:
    """Writes the numbers, dates and units of a text as words, by the transducers of one language. Safe to
    call from several threads."""

    def __init__(self, folder: Path, language: str, order: str, max_digits: int) -> None:
        """`folder` has the files of the two transducers of `language`. `order` is the name under which the
        package keeps the order of a token's fields. A text should have at most `max_digits` digits."""
        self._tagger = Fst.read(str(folder / f"{language}_tn_tagger.fst"))
        self._verbaliser = Fst.read(str(folder / f"{language}_tn_verbalizer.fst"))
        self._order = order
        self.max_digits = max_digits
        self._lock = threading.Lock()  # OpenFst changes cached properties of an automaton even while reading
        self.remembered = lru_cache(_REMEMBERED)(self._normalize)

    def __call__(self, text: str) -> str | None:
        """Returns `text` with its numbers, dates and units written as words; None if the transducers cannot
        read the text (for example half a surrogate pair)."""
        return self.remembered(text) if text else ""

    def _normalize(self, text: str) -> str | None:
        try:
            with self._lock:
                tagged = shortestpath(escape(text) @ self._tagger, nshortest=1, unique=True).string()
                ordered = TokenParser(self._order).reorder(tagged)
                return str(
                    shortestpath(escape(ordered) @ self._verbaliser, nshortest=1, unique=True).string()
                )
        except (FstOpError, UnicodeError, ValueError, AssertionError, IndexError):
            return None


def chinese_normalizer() -> TextNormalizer:
    return TextNormalizer(SHIPPED_FSTS, "zh", "tn", _CHINESE_DIGITS)


def english_normalizer() -> TextNormalizer:
    """Returns the normaliser for English, with the transducers of the installed package. These fit as they
    are, since the English transducers have no flags."""
    return TextNormalizer(_PACKAGE, "en", "en_tn", _ENGLISH_DIGITS)


def simplified_characters() -> dict[int, str]:
    """Returns the package's table from traditional to simplified Chinese characters, as str.translate takes
    it."""
    path = _PACKAGE / "chinese" / "data" / "char" / "traditional_to_simple.tsv"
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return {ord(row[0]): row[1] for row in rows if len(row) == 2 and len(row[0]) == 1}
