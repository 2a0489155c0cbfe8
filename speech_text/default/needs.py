"""Finds characters that each match of a pattern needs, so that the pattern need not be searched for in a text
without them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_WIDEST = 300  # characters of a range that is looked into
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


def needed(pattern: re.Pattern[str]) -> tuple[frozenset[str], ...]:
    """Returns sets of characters. A text with a match of `pattern` has at least one character of each set."""
    any_case = bool(pattern.flags & re.IGNORECASE)
    return tuple(_known(parser.parse(pattern.pattern, pattern.flags), any_case))


def _known(sequence: Iterable[tuple[Any, Any]], any_case: bool) -> Iterator[frozenset[str]]:
    for code, value in sequence:
        if code is codes.SUBPATTERN:
            _, added, removed, inner = value
            yield from _known(
                inner, bool((any_case or added & re.IGNORECASE) and not removed & re.IGNORECASE)
            )
        elif code is codes.ASSERT or (code in _REPEATS and value[0] > 0):
            yield from _known(value[-1], any_case)
        elif (chars := _of_part(code, value, any_case)) is not None:
            yield chars


def _of_sequence(sequence: Iterable[tuple[Any, Any]], any_case: bool) -> frozenset[str] | None:
    return min(_known(sequence, any_case), key=len, default=None)


def _of_part(code: Any, value: Any, any_case: bool) -> frozenset[str] | None:
    if code is codes.LITERAL:
        return frozenset((chr(value), chr(value).lower(), chr(value).upper()) if any_case else chr(value))
    if code is codes.RANGE and value[1] - value[0] < _WIDEST:
        return _either(_of_part(codes.LITERAL, char, any_case) for char in range(value[0], value[1] + 1))
    if code is codes.CATEGORY:
        return frozenset("0123456789") if value is codes.CATEGORY_DIGIT else None
    if code is codes.IN:
        return _either(_of_part(item, inner, any_case) for item, inner in value)
    if code is codes.BRANCH:
        return _either(_of_sequence(branch, any_case) for branch in value[1])
    return None


def _either(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """Returns all characters of the `sets`; None if one of them is not known."""
    listed = list(sets)
    known = [chars for chars in listed if chars is not None]
    return frozenset().union(*known) if len(known) == len(listed) else None
