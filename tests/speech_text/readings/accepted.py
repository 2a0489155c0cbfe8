"""What may be heard for a sentence of this folder, as a pattern (README.md), and the sentences themselves."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Sentence:
    kind: str
    language: str  # zh, en or mixed
    domain: str
    text: str
    accepted: str

    def is_read_well(self, spoken: str) -> bool:
        """Whether `spoken`, the text as a front end writes it out, is one of the accepted readings."""
        return compile_accepted(self.accepted).match(plain(spoken)) is not None


def sentences(folder: Path = FOLDER) -> list[Sentence]:
    """The sentences of every .tsv file directly in `folder`, in the order of their names; or of one file."""
    found = []
    for path in [folder] if folder.is_file() else sorted(folder.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
            found += [Sentence(**{**row, "text": row["text"].replace("\\n", "\n")}) for row in rows]
    return found


def plain(text: str) -> str:
    """`text` as it is compared: letters, digits and Hanzi alone, in lower case, with 零 for 〇."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("〇", "零")
    return "".join(char for char in folded if char.isalnum())


def compile_accepted(accepted: str) -> re.Pattern[str]:
    """A regular expression for plain text. Raises ValueError for brackets that do not pair.

    No piece between two gaps is tried again once it is found, so that matching takes linear time.
    """
    first, *rest = (_piece(piece) for piece in accepted.split("..."))
    if not rest:
        return re.compile(rf"{first}\Z")
    *middle, last = rest
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in middle) + rf".*{last}\Z")


def _piece(piece: str) -> str:
    depth = 0
    parts = []
    for part in re.split(r"(\(|\)\??|\|)", piece):
        depth += (part == "(") - part.startswith(")")
        if depth < 0 or (part == "|" and depth == 0):
            raise ValueError(f"A bracket opens too late in {piece!r}.")
        if part == "(":
            parts.append("(?:")
        elif part in (")", ")?", "|"):
            parts.append(part)
        else:
            parts.append(re.escape(plain(part)))
    if depth:
        raise ValueError(f"A bracket is not closed in {piece!r}.")
    return "".join(parts)
