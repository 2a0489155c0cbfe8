"""Names that were meant to be a setting and are none. Knows spelling and .env files; knows no setting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from dotenv import dotenv_values

_MAX_MISTAKES = 2
_SHORT = 5  # letters; of these names only one may be wrong: HOST is two from PORT, and many machines set it


def unknown_names(known: Collection[str], environment: Iterable[str], files: Iterable[Path]) -> list[str]:
    """A sentence for each name of a file that is none of the `known` (capitals), and for each of the
    environment, which holds much that is not ours, that is a mistake or two from one of them."""
    return [
        *(
            f"{name} in {file.name} is not a setting and has no effect{_did_you_mean(near)}"
            for file in files
            for name, near in _unknown(known, dotenv_values(file))
        ),
        *(
            f"{name} in the environment is not a setting and has no effect{_did_you_mean(near)}"
            for name, near in _unknown(known, environment)
            if near
        ),
    ]


def _unknown(known: Collection[str], names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names that are not known, each with the known one that it is near to, or an empty word."""
    for name in names:
        if name.upper() not in known:
            mistakes, near = min((_mistakes(name.upper(), setting), setting) for setting in known)
            yield name, near if mistakes <= (1 if len(near) <= _SHORT else _MAX_MISTAKES) else ""


def _did_you_mean(near: str) -> str:
    return f"; did you mean {near}?" if near else "."


def _mistakes(a: str, b: str) -> int:
    """How many letters are missing, added, changed or swapped with their neighbour (restricted
    Damerau-Levenshtein distance); beyond what matters perhaps fewer than there are."""
    if abs(len(a) - len(b)) > _MAX_MISTAKES:
        return _MAX_MISTAKES + 1
    before, row = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, above, row = row, before, [i]
        for j, other in enumerate(b, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other)))
            if i > 1 and j > 1 and (letter, other) == (b[j - 2], a[i - 2]):
                row[j] = min(row[j], above[j - 2] + 1)
    return row[-1]
