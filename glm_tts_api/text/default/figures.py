"""Figures: a line is scanned once, each figure is of the first class that fits it, and is said by its class.

A figure is digits with the marks that join them; its shape has their number in place of each run of digits:
3-4-4 for 138-1234-5678. A class is a row: its kind, the shapes it has, how it is said, and what stands round
it. Where figures follow one another with a blank or a slash between (138 1234 5678), the longest row of them
that is of a class is one figure. Each figure is met once, with a bounded look to either side: linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from glm_tts_api.text.changes import Use

_RUN = re.compile(r"[0-9]++(?:[-.,:][0-9]++)*+")
_JOINT = re.compile(r"[ /~～至到转]|\)[ -]?|[ -]\(|\*{2,12}")  # between the runs of one figure
_TIE = re.compile(
    r"[A-Za-z_$¥￥€£#.,~～+-]"
)  # ties the figure behind it to a name, an amount, a longer figure
_MOST_RUNS = 6
_NEAR = 40  # characters that a class sees on either side
_DIGITS = re.compile("[0-9]+")

Say = Callable[[str], str]


class Figure:
    """A figure of `line`, at `start` to `end`: its text, its shape, what stands before and behind it."""

    __slots__ = ("end", "lead", "line", "rest", "shape", "start", "text")

    def __init__(self, line: str, start: int, end: int) -> None:
        self.line, self.start, self.end = line, start, end
        self.text = line[start:end]
        self.shape = _DIGITS.sub(lambda run: str(len(run.group())), self.text)
        self.lead = line[max(0, start - _NEAR) : start]
        self.rest = line[end : end + _NEAR]


class Class:
    """Figures of one kind: `shape` and `text` are patterns of the whole shape and text, `after` and `before`
    of what the figure stands directly behind and before, and `when` is any other test. A class without `after`
    has no figure that is tied to what it stands behind. `drop`: marks before the figure that are not said."""

    def __init__(
        self,
        kind: str,
        shape: str,
        say: Say,
        *,
        text: str = "",
        after: str = "",
        before: str = "",
        when: Callable[[Figure], bool] | None = None,
        drop: str = "",
    ) -> None:
        self.kind, self.say, self.drop, self._when = kind, say, drop, when
        self.has_shape = re.compile(shape).fullmatch
        self._has_text = re.compile(text).fullmatch if text else None
        self._follows = re.compile(f"(?:{after})$", re.ASCII).search if after else None
        self._precedes = re.compile(before, re.ASCII).match if before else None

    def fits(self, figure: Figure) -> bool:
        """Whether `figure`, which has the shape, is of this class."""
        if self._has_text and not self._has_text(figure.text):
            return False
        if self._precedes and not self._precedes(figure.line, figure.end):
            return False
        if self._follows:
            if not self._follows(figure.line, max(0, figure.start - _NEAR), figure.start):
                return False
        elif figure.start and _TIE.match(figure.line, figure.start - 1):
            return False
        return self._when is None or self._when(figure)


class Figures:
    """The classes of a language, the first that fits first."""

    def __init__(self, *parts: Iterable[Class]) -> None:
        classes = [one for part in parts for one in part]
        self._of_shape = lru_cache(maxsize=1024)(
            lambda shape: [one for one in classes if one.has_shape(shape)]
        )

    def read(self, text: str, uses: list[Use]) -> str:
        """`text` with the figures that are of a class in words. What was read is added to `uses`."""
        pieces, done = [], 0
        for figure, its in self._classified(text):
            said = its.say(figure.text)
            uses.append(Use(its.kind, figure.text, said))
            between = text[done : figure.start]
            pieces += [between.rstrip(its.drop) if its.drop else between, said]
            done = figure.end
        return "".join(pieces) + text[done:] if pieces else text

    def _classified(self, text: str) -> Iterator[tuple[Figure, Class]]:
        """The figures of `text` that are of a class, of those at one place the longest."""
        runs = [run.span() for run in _RUN.finditer(text)]
        joined = [bool(_JOINT.fullmatch(text, end, start)) for (_, end), (start, _) in pairwise(runs)]
        first = 0
        while first < len(runs):
            last = first
            while last < len(joined) and joined[last] and last - first < _MOST_RUNS:
                last += 1
            while last >= first and not (found := self._classify(text, runs[first][0], runs[last][1])):
                last -= 1
            if found:
                yield found
            first = max(first, last) + 1

    def _classify(self, text: str, start: int, end: int) -> tuple[Figure, Class] | None:
        """The figure at `start` to `end`, with the sign or bracket before it or without, and its class."""
        for begin in (start - 1, start) if text[start - 1 : start] in ("+", "(") else (start,):
            figure = Figure(text, begin, end)
            for one in self._of_shape(figure.shape):
                if one.fits(figure):
                    return figure, one
        return None
