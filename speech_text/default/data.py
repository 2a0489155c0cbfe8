"""Words that stand next to numbers (units, currencies, teams), from assets/readings/words.tsv and from the
user's words.tsv (docs/text.md)."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

READINGS = Path(__file__).parents[1] / "assets" / "readings"
# The kind "code" is the code of a currency (USD); a word of the kind "per" stands after a slash.
KINDS = ("currency", "code", "unit", "per", "team")
LanguageName = Literal["chinese", "english"]


class Word(NamedTuple):
    """A word that stands next to numbers: its kind, how it is written, and how it is said in Chinese and in
    English. `part` is the English name of a currency's hundredth part ("cent")."""

    kind: str
    written: str
    chinese: str = ""
    english: str = ""
    part: str = ""


class Words:
    """The shipped words and the user's `own` words. If two words of the same kind are written alike, only the
    later one is kept, so the user's word replaces the shipped word."""

    def __init__(self, own: Iterable[Word] = ()) -> None:
        self._words = {(word.kind, word.written): word for word in (*_shipped(), *own)}.values()

    def of(self, kind: str) -> list[Word]:
        return [word for word in self._words if word.kind == kind]

    def names(self, kind: str, language: LanguageName) -> dict[str, str]:
        """Returns a dictionary from the written form of each word of `kind` to its name in `language`. Words
        without a name in the language are left out."""
        return {word.written: said for word in self.of(kind) if (said := getattr(word, language))}


class Kind(str):
    """The kind of a rule. `row` is the rule's place, as in "figures.tsv:12", and how it is said; or its
    pattern."""

    row: str

    def __new__(cls, kind: str, row: str) -> Kind:
        made = super().__new__(cls, kind)
        made.row = row
        return made


def rows(table: Path) -> list[dict[str, str]]:
    """Returns the rows of `table`, a file with tabs between its cells, as dictionaries by the names of the
    columns. A missing cell is ""; a kind is a Kind."""
    with table.open(encoding="utf-8", newline="") as lines:
        read = list(csv.DictReader(lines, delimiter="\t", restval="", quoting=csv.QUOTE_NONE))
    for number, row in enumerate(read, start=2):
        if "kind" in row:
            row["kind"] = Kind(row["kind"], f"{table.name}:{number} {row.get('said', '')}")
    return read


def names(rows: str) -> dict[str, str]:
    """Parses short forms with their words into a dictionary: "km=kilometer; m=meter;" -> {"km": "kilometer",
    "m": "meter"}."""
    return dict(row.strip().split("=") for row in rows.split(";") if row.strip())


def lists(table: str) -> dict[str, dict[str, str]]:
    """Returns the lists of words of `table` by their names. A list has what is said for each word, or ""."""
    found = defaultdict[str, dict[str, str]](dict)
    for row in rows(READINGS / table):
        words = row["words"]
        found[row["list"]] |= names(words) if "=" in words else dict.fromkeys(words.split(), "")
    return found


@lru_cache(maxsize=1)
def _shipped() -> list[Word]:
    return [
        Word(**row | {"written": written})
        for row in rows(READINGS / "words.tsv")
        for written in row["written"].split(", ")
    ]


def either(words: Iterable[str]) -> str:
    """Returns a regular expression that matches one of `words`, the longest first. The expression tests the
    first character before all else, which makes it fast."""
    listed = [re.escape(word) for word in sorted(words, key=len, reverse=True)]
    firsts = {word[: 1 + word.startswith("\\")] for word in listed}
    return f"(?=[{''.join(sorted(firsts))}])(?:{'|'.join(listed)})"
