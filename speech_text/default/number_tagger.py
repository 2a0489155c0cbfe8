"""Finds the figures of a line in one scan, and writes each of them as words.

A figure is a number: digits with the marks that join them (138-1234-5678). Its shape has the number of digits
in place of each run of digits: 3-4-4. A class is a row of a table (assets/readings/figures*.tsv; docs/text.md
explains the columns), and a figure is of the first class that fits it. Where figures follow one another with
a blank or a slash between them (138 1234 5678), the longest sequence that fits a class counts as one figure.
Each figure is examined once, with a bounded look to either side, so the scan takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from speech_text.default.data import READINGS, rows
from speech_text.places import Edit, Placed

_RUN = re.compile(r"[0-9]++(?:[-.:·][0-9]++)*+")
# The text between two runs of digits of one figure.
_JOINT = re.compile(r"[ /转]| ?(?:[~～至到]|[—–]{1,3}) ?-?| ?- ?| ?: ?| and |\)[ -]?|[ -]\(|\*{2,12}")
_TIE = re.compile(r"[A-Za-z_$¥￥€£#.,~～+-]")  # before digits: they are a part of a name or an amount
_MOST_RUNS = 7  # runs of digits in one figure
_FURTHEST = 40  # characters to either side at which a class may look
# A pattern that matches at most one character: (?:^|[^.])
_ONE_CHARACTER = re.compile(r"\.\?|\(\?:\^\|\[(?:[^\]\\]|\\.)*\]\)")
_DIGITS = re.compile("[0-9]+")
_NAME = re.compile(r"\{([a-z_]+)\}")  # the name of a pattern in a cell of a table: {unit}
_GROUPED = re.compile(r"(1[3-9]\d)(\d{4})(\d{4})|([48]00)(\d{3})(\d{4})")
_LATIN = re.compile("[0-9A-Za-z]")
_PLURAL = re.compile(r"s\b")


def runs(figure: str) -> list[str]:
    """Returns the runs of digits of a number: "138-1234" -> ["138", "1234"]."""
    return _DIGITS.findall(figure)


def groups(telephone: str) -> list[str]:
    """Splits a telephone number into groups of digits, and returns the groups. A speaker pauses between two
    groups: 13812345678 -> 138, 1234, 5678. The marks in the number also separate groups."""
    found: list[str] = []
    for run in runs(telephone):
        parts = _GROUPED.fullmatch(run)
        found += [part for part in parts.groups() if part] if parts else [run]
    return found


class Figure:
    """A number in a text: digits with the marks that join them, at characters `start` to `end` of `line`.

    `text` is the number. `lead` and `rest` are up to 40 characters before and after it. `last` is the number
    that was read before, None if this is the first; `last_kind` and `last_said` are the kind and the words of
    that number, or "".
    """

    __slots__ = ("end", "last", "last_kind", "last_said", "lead", "line", "rest", "start", "text")

    def __init__(self, line: str, start: int, end: int, last: Read | None) -> None:
        self.line, self.start, self.end, self.last = line, start, end, last
        self.text = line[start:end]
        self.lead = line[max(0, start - _FURTHEST) : start]
        self.rest = line[end : end + _FURTHEST]
        self.last_kind, self.last_said = (last.its.kind, last.said) if last else ("", "")

    def mentions(self, pattern: re.Pattern[str]) -> bool:
        """Returns whether `pattern` is found in `lead` or in `rest`."""
        return bool(pattern.search(self.lead) or pattern.search(self.rest))


Say = Callable[[str], str]
Test = Callable[[Figure], bool]
Named = TypeVar("Named", bound=Callable[..., object])


def by_name(*functions: Named) -> dict[str, Named]:
    """Returns a dictionary with each of `functions` under its own name. The tables of tokens and of number
    classes refer to functions by these names."""
    return {function.__name__: function for function in functions}


def pair(compared: Callable[[int, int], bool]) -> Test:
    """Returns a test of the two numbers of a figure."""
    return lambda figure: compared(*map(int, runs(figure.text)))


class Language(NamedTuple):
    """The functions and patterns that the table of number classes of one language uses by name.

    `table` is the file with the classes. `said` has the functions that write a number as words, and `tests`
    has those that test a number and its neighbours. `patterns` has the patterns whose names the table writes
    in braces, such as {unit}. Text within `near` characters of a number counts as near. `ending` is a
    function that returns a full stop if a number ends its sentence, otherwise "". `number` writes the number
    or the span at the start of a text as words.
    """

    table: str
    said: Mapping[str, Say]
    tests: Mapping[str, Test]
    near: int
    patterns: Mapping[str, str] = MappingProxyType({})
    ending: Callable[[Figure], str] = lambda _: ""
    number: Say = str


class Class:
    """A class of numbers, such as telephone numbers: a row of a table, which says what the numbers look like
    and how they are spoken."""

    def __init__(self, row: Mapping[str, str], language: Language) -> None:
        self.kind = row["kind"]
        row = {
            name: _NAME.sub(lambda m: f"(?:{language.patterns[m[1]]})", cell) for name, cell in row.items()
        }
        said = row["said"]
        if said[0] == "=":  # words, with the number in place of {}
            self.say: Say = lambda text: said[1:].format(language.number(text) if "{}" in said else "")
        else:
            self.say = language.said[said]
        self._has_shape = re.compile(row["shape"]).fullmatch
        self.dropped = re.compile(f"(?:{row['drop']})$") if row["drop"] else None
        self._dropped_behind = re.compile(row["drop_behind"]) if row["drop_behind"] else None
        self._has_text = re.compile(row["text"]).fullmatch if row["text"] else None
        self._follows = re.compile(f"(?:{row['after']})$", re.ASCII).search if row["after"] else None
        self._reach = 1 if _ONE_CHARACTER.fullmatch(row["after"]) else _FURTHEST
        self._precedes = re.compile(row["before"], re.ASCII).match if row["before"] else None
        self._is_near = re.compile(row["near"], re.ASCII).search if row["near"] else None
        self._sign = re.compile(f"(?:{row['sign']})$", re.ASCII).search if row["sign"] else None
        self._unit = re.compile(row["unit"], re.ASCII).match if row["unit"] else None
        self._near = language.near
        self._passes = language.tests[row["test"]] if row["test"] else None

    def looks_like(self, text: str, shape: str) -> bool:
        """Returns whether a number can be of this class by its text and shape alone, without regard to its
        neighbours. The shape of 138-1234 is 3-4."""
        return bool(self._has_shape(shape) and (self._has_text is None or self._has_text(text)))

    def whole(self, figure: Figure) -> Figure | None:
        """Returns `figure`, a number in its line, together with the sign before it and the unit after it that
        belong to it. Returns None if the number is not of this class."""
        line, start, end = figure.line, figure.start, figure.end
        if self._unit:
            if not (unit := self._unit(line, end)):
                return None
            end = unit.end()
        if self._precedes and not self._precedes(line, end):
            return None
        if self._sign:
            free_from = figure.last.its.end(figure.last.figure) if figure.last else 0
            if not (sign := self._sign(line, max(free_from, start - _FURTHEST), start)):
                return None
            start = sign.start()
        if not self._stands_free(line, start):
            return None
        if (start, end) != (figure.start, figure.end):
            figure = Figure(line, start, end, figure.last)
        if self._is_near and not self._is_near(f"{figure.lead[-self._near :]}_{figure.rest[: self._near]}"):
            return None
        return figure if self._passes is None or self._passes(figure) else None

    def _stands_free(self, line: str, start: int) -> bool:
        """Returns whether the text of `line` before `start`, where a number begins, is as this class demands.
        A class without a pattern for it demands that no letter, currency sign or joining mark stands
        there."""
        if self._follows:
            return self._follows(line, max(0, start - self._reach), start) is not None
        return not _TIE.fullmatch(line, max(0, start - 1), start)

    def end(self, figure: Figure) -> int:
        """Returns the place in the line at which the number `figure` ends. If a mark follows that this class
        leaves unspoken, the place is after that mark."""
        dropped = self._dropped_behind and self._dropped_behind.match(figure.line, figure.end)
        return dropped.end() if dropped else figure.end


class Read(NamedTuple):
    """A number in its line, its class and its words."""

    figure: Figure
    its: Class
    said: str


class NumberTagger:
    """Writes the numbers of a text as words, by the classes of one language. The first class that fits a
    number is taken."""

    needs = (frozenset("0123456789"),)

    def __init__(self, language: Language) -> None:
        tables = ("figures.tsv", language.table)
        self._classes = [Class(row, language) for table in tables for row in rows(READINGS / table)]
        self._ending = language.ending
        self._of_short = lru_cache(maxsize=4096)(self._of_text)

    def _of_text(self, text: str, shape: str) -> list[Class]:
        """Returns the classes that a number can have by its text and shape alone. The shape of 138-1234 is
        3-4."""
        return [its for its in self._classes if its.looks_like(text, shape)]

    def read(self, text: Placed) -> Placed:
        """Returns `text` with its numbers written as words. A number of no class stays as it is. Marks that a
        class leaves unspoken are dropped, and a blank is added where Latin words would touch."""
        edits, done = list[Edit](), 0
        for figure, its, said in self._read(text.text):
            dropped = its.dropped and its.dropped.search(text.text, done, figure.start)
            start = dropped.start() if dropped else figure.start
            before, done = _blank(text.text[done:start], said), its.end(figure)
            edits.append(Edit(start, done, before + said + _blank(said, figure.rest), its.kind))
        return text.edited(edits)

    def _read(self, text: str) -> Iterator[Read]:
        """Yields the numbers of `text` that are of a class, with the class and the words. If several numbers
        that begin at one place fit a class, the longest is taken."""
        spans = [run.span() for run in _RUN.finditer(text)]
        first, last = 0, None
        while first < len(spans):
            joined = list(_rows_of_runs(text, spans[first : first + _MOST_RUNS]))
            found = next(filter(None, (self._classify(text, *row, last) for row in reversed(joined))), None)
            if found:
                yield found
                last = found
            while first < len(spans) and spans[first][0] < (found.figure.end if found else joined[0][1]):
                first += 1

    def _classify(self, text: str, start: int, end: int, shape: str, last: Read | None) -> Read | None:
        """Returns the number at `start` to `end` of `text`, its class and its words; None if no class fits. A
        + or ( before the number is first tried as a part of it. `last` is the number that was read before."""
        for sign in (text[start - 1], "") if start and text[start - 1] in "+(" else ("",):
            written = sign + text[start:end]
            find = self._of_short if len(written) <= _FURTHEST else self._of_text
            classes = find(written, sign + shape)
            if not classes:
                continue
            figure = Figure(text, start - len(sign), end, last)
            for its in classes:
                if whole := its.whole(figure):
                    return Read(whole, its, its.say(whole.text) + self._ending(whole))
        return None


def _rows_of_runs(text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    """Yields the start, end and shape of the number in the first of `spans`, then of the first two spans
    joined, and so on. `spans` are runs of digits of `text`. Stops where the text between two spans does not
    join them."""
    start = end = spans[0][0]
    for begin, further in spans:
        if begin > start and not _JOINT.fullmatch(text, end, begin):
            return
        end = further
        yield start, end, _DIGITS.sub(lambda run: str(len(run.group())), text[start:end])


def _blank(before: str, behind: str) -> str:
    """Returns the blank that is needed between the texts `before` and `behind`: " " between two Latin letters
    or digits, otherwise "". A plural s at the start of `behind` gets no blank, unless `before` ends with
    y."""
    is_plural = _PLURAL.match(behind) and not before.endswith("y")
    apart = _LATIN.fullmatch(before[-1:]) and _LATIN.fullmatch(behind[:1])
    return " " if apart and not is_plural else ""
