"""Figures of a line: scanned once, each of the first class that fits it, and said by its class.

A figure is digits with the marks that join them; its shape has their number in place of each run of digits:
3-4-4 for 138-1234-5678. A class is a row of a table (assets/readings/figures*.tsv; docs/text.md has the
columns). Where figures follow one another with a blank or a slash between (138 1234 5678), the longest row of
them that is of a class is one figure. Each is met once, with a bounded look to either side: linear time.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from glm_tts_api.text.changes import Use

_RUN = re.compile(r"[0-9]++(?:[-.,:·][0-9]++)*+")
_JOINT = re.compile(r"[ /转]| ?[~～—–至到] ?| - |\)[ -]?|[ -]\(|\*{2,12}")  # between the runs of one figure
_TIE = re.compile(r"[A-Za-z_$¥￥€£#.,~～+-]")  # before a figure: it is a part of a name or an amount
_MOST_RUNS = 7  # of one figure
_FURTHEST = 40  # characters that a class may look to either side
_DIGITS = re.compile("[0-9]+")
_GROUPED = re.compile(r"(1[3-9]\d)(\d{4})(\d{4})|([48]00)(\d{3})(\d{4})")
_LATIN = re.compile("[0-9A-Za-z]")
_PLURAL = re.compile(r"s\b")
_TABLES = Path(__file__).parents[2] / "assets" / "readings"


def runs(figure: str) -> list[str]:
    """The runs of digits of a figure."""
    return _DIGITS.findall(figure)


def groups(telephone: str) -> list[str]:
    """The groups of digits between which a speaker pauses."""
    found: list[str] = []
    for run in runs(telephone):
        parts = _GROUPED.fullmatch(run)
        found += [part for part in parts.groups() if part] if parts else [run]
    return found


class Figure:
    """The figure at `start` to `end` of `line`: its text, what stands before and behind it, and the
    kind and words of the one before it."""

    __slots__ = ("end", "last_kind", "last_said", "lead", "line", "rest", "start", "text")

    def __init__(self, line: str, start: int, end: int, last: Read | None) -> None:
        self.line, self.start, self.end = line, start, end
        self.text = line[start:end]
        self.lead = line[max(0, start - _FURTHEST) : start]
        self.rest = line[end : end + _FURTHEST]
        self.last_kind, self.last_said = (last.its.kind, last.said) if last else ("", "")


Say = Callable[[str], str]
Test = Callable[[Figure], bool]


class Language(NamedTuple):
    """The names in a language's table: how figures are said, tests of a figure; the number of characters of a
    figure's near words."""

    table: str
    said: Mapping[str, Say]
    tests: Mapping[str, Test]
    near: int


class Class:
    """Figures of one kind: a row of a table."""

    def __init__(self, row: Mapping[str, str], language: Language) -> None:
        said = row["said"]
        self.kind = row["kind"]
        self.say: Say = (lambda _: said[1:]) if said[0] == "=" else language.said[said]
        self.has_shape = re.compile(row["shape"]).fullmatch
        self.dropped = re.compile(f"(?:{row['drop']})$")
        self._dropped_behind = re.compile(row["drop_behind"]) if row["drop_behind"] else None
        self._has_text = re.compile(row["text"] or ".*").fullmatch
        self._follows = re.compile(f"(?:{row['after']})$", re.ASCII).search if row["after"] else None
        self._precedes = re.compile(row["before"], re.ASCII).match
        self._is_near = re.compile(row["near"], re.ASCII).search if row["near"] else None
        self._near = language.near
        self._passes = language.tests[row["test"]] if row["test"] else None

    def fits(self, figure: Figure) -> bool:
        """Whether `figure`, of a shape of this class, is of it."""
        if not self._has_text(figure.text) or not self._precedes(figure.line, figure.end):
            return False
        if self._follows:
            if not self._follows(figure.line, max(0, figure.start - _FURTHEST), figure.start):
                return False
        elif _TIE.fullmatch(figure.lead[-1:]):
            return False
        near = f"{figure.lead[-self._near :]}_{figure.rest[: self._near]}"
        if self._is_near and not self._is_near(near):
            return False
        return self._passes is None or self._passes(figure)

    def end(self, figure: Figure) -> int:
        """Where `figure` and what is dropped behind it end."""
        dropped = self._dropped_behind and self._dropped_behind.match(figure.line, figure.end)
        return dropped.end() if dropped else figure.end


class Read(NamedTuple):
    """A figure, its class and its words."""

    figure: Figure
    its: Class
    said: str


class Figures:
    """The classes of a language, the first that fits first."""

    def __init__(self, language: Language) -> None:
        tables = ("figures.tsv", language.table)
        classes = [Class(row, language) for table in tables for row in _rows(_TABLES / table)]
        self._of_shape = lru_cache(maxsize=1024)(
            lambda shape: [one for one in classes if one.has_shape(shape)]
        )

    def read(self, text: str, uses: list[Use]) -> str:
        """`text` with the figures of known classes in words. Their uses are added to `uses`."""
        pieces, done = [], 0
        for figure, its, said in self._read(text):
            uses.append(Use(its.kind, figure.text, said))
            between = its.dropped.sub("", text[done : figure.start])
            pieces += [between, _blank(between, said), said, _blank(said, figure.rest)]
            done = its.end(figure)
        return "".join(pieces) + text[done:] if pieces else text

    def _read(self, text: str) -> Iterator[Read]:
        """The figures of `text` that are of a class, of those at one place the longest."""
        spans = [run.span() for run in _RUN.finditer(text)]
        first, last = 0, None
        while first < len(spans):
            rows = list(_rows_of_runs(text, spans[first : first + _MOST_RUNS]))
            found = next(filter(None, (self._classify(text, *row, last) for row in reversed(rows))), None)
            if found:
                yield found
                last = found
            while first < len(spans) and spans[first][0] < (found.figure.end if found else rows[0][1]):
                first += 1

    def _classify(self, text: str, start: int, end: int, shape: str, last: Read | None) -> Read | None:
        """The figure at `start` to `end`, with the sign or bracket before it or without; `last` is before."""
        for sign in (text[start - 1], "") if start and text[start - 1] in "+(" else ("",):
            classes = self._of_shape(sign + shape)
            if not classes:
                continue
            figure = Figure(text, start - len(sign), end, last)
            for its in classes:
                if its.fits(figure):
                    return Read(figure, its, its.say(figure.text))
        return None


def _shape(figure: str) -> str:
    """The number of digits in place of each run of them."""
    return _DIGITS.sub(lambda run: str(len(run.group())), figure)


def _rows_of_runs(text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    """Where the first of `spans` and those that follow it joined begin and end, and their shape."""
    start, end = spans[0]
    shape = _shape(text[start:end])
    yield start, end, shape
    for begin, further in spans[1:]:
        if not _JOINT.fullmatch(text, end, begin):
            return
        shape += text[end:begin] + _shape(text[begin:further])
        end = further
        yield start, end, shape


def _blank(before: str, behind: str) -> str:
    """The blank between two words of Latin letters; the s of a plural stays where it is spelled so."""
    is_plural = _PLURAL.match(behind) and not before.endswith("y")
    apart = _LATIN.fullmatch(before[-1:]) and _LATIN.fullmatch(behind[:1])
    return " " if apart and not is_plural else ""


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
