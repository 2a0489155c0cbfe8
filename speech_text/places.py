"""A text that keeps, while rules rewrite it, the place at which each of its characters was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from itertools import accumulate, islice, repeat, takewhile
from typing import NamedTuple

Say = str | Callable[[re.Match[str]], str]
Origin = tuple[int, int, str | None]
"""The written characters that a character stands for, from a first place to a last one (exclusive), and the
kind of the rule that replaced them. The kind is None if no rule did."""

_TOKEN = re.compile("[A-Za-z]+|.", re.DOTALL)


class Edit(NamedTuple):
    """A change of a text by a rule of kind `kind`: `said` replaces the characters `start` to `end`."""

    start: int
    end: int
    said: str
    kind: str | None = None


class Placed:
    """A text, and the origin of each of its characters. Its methods return new texts."""

    __slots__ = ("origins", "text")

    def __init__(self, text: str, origins: list[Origin]) -> None:
        self.text, self.origins = text, origins

    @classmethod
    def written(cls, text: str, start: int = 0) -> Placed:
        """Returns `text` as a part of the written text that begins at place `start`."""
        end = start + len(text)
        return cls(text, list(zip(range(start, end), range(start + 1, end + 1), repeat(None), strict=False)))

    @classmethod
    def standing_for(cls, text: str, start: int, end: int, kind: str | None = None) -> Placed:
        """Returns `text`, which stands for the characters `start` to `end` of the written text."""
        return cls(text, [(start, end, kind)] * len(text))

    @classmethod
    def join(cls, texts: Iterable[Placed], between: str = "") -> Placed:
        words, origins = list[str](), list[Origin]()
        for text in texts:
            if words and between:
                end = origins[-1][1] if origins else 0
                origins += [(end, end, None)] * len(between)
            words.append(text.text)
            origins += text.origins
        return cls(between.join(words), origins)

    def __getitem__(self, part: slice) -> Placed:
        return Placed(self.text[part], self.origins[part])

    def parts(self, texts: Iterable[str]) -> Iterator[Placed]:
        """Yields successive parts, which have the characters of the `texts`."""
        start = 0
        for text in texts:
            yield self[start : start + len(text)]
            start += len(text)

    def strip(self, chars: str | None = None) -> Placed:
        start = len(self.text) - len(self.text.lstrip(chars))
        return self[start : max(start, len(self.text.rstrip(chars)))]

    def sub(
        self, pattern: str | re.Pattern[str], said: Say, kind: str | None = None, count: int | None = None
    ) -> Placed:
        """Replaces the first `count` matches of `pattern`, as `re.sub` does; None means all."""
        compiled = re.compile(pattern) if isinstance(pattern, str) else pattern
        found = list(islice(compiled.finditer(self.text), count))
        if not found:
            return self
        if not isinstance(said, str):
            return self.edited([Edit(*match.span(), said(match), kind) for match in found])
        words = [match.expand(said) for match in found] if "\\" in said else repeat(said)
        return self.edited([Edit(*match.span(), new, kind) for match, new in zip(found, words, strict=False)])

    def lower(self) -> Placed:
        """Returns the text in small letters. İ becomes i with a dot above, a mark of its own."""
        text = self.sub("İ", "i\u0307")
        return Placed(text.text.lower(), text.origins)

    def translate(self, table: Mapping[int, str | int]) -> Placed:
        """Replaces characters by `table`, which has one for one."""
        return Placed(self.text.translate(table), self.origins)

    def edited(self, edits: Iterable[Edit]) -> Placed:
        """Makes the `edits`, which are in order. Characters that an edit leaves as they are, whatever their
        case, keep their origins. The others stand for all the characters that they replace."""
        text, origins, done = list[str](), list[Origin](), 0
        for edit in edits:
            if edit.said != self.text[edit.start : edit.end]:
                text += self.text[done : edit.start], edit.said
                origins += self.origins[done : edit.start]
                if edit.end - edit.start > 1:
                    origins += self._origins(*edit)
                else:
                    origins += [self._origin(edit.start, edit.end, edit.kind)] * len(edit.said)
                done = edit.end
        if not text:
            return self
        return Placed("".join(text) + self.text[done:], origins + self.origins[done:])

    def _origins(self, start: int, end: int, said: str, kind: str | None) -> Iterator[Origin]:
        """Yields the origins of the characters of `said`, which replaces the characters `start` to `end`."""
        written, core = self.text[start:end], said.strip()
        if core and core in written:  # signs around it go
            before = len(said) - len(said.lstrip())
            first = start + written.index(core)
            last = first + len(core)
            yield from repeat(self._origin(start, first, kind), before)
            yield from self.origins[first:last]
            yield from repeat(self._origin(last, end, kind), len(said) - before - len(core))
            return
        before = _n_same(written, said)
        behind = _n_same(reversed(written[before:]), reversed(said[before:]))
        kept = [(*one[:2], kind or one[2]) for one in self.origins[start:end]]
        yield from kept[:before]
        yield from repeat(self._origin(start + before, end - behind, kind), len(said) - before - behind)
        yield from kept[len(kept) - behind :]

    def _origin(self, start: int, end: int, kind: str | None) -> Origin:
        """Returns what the characters `start` to `end` stand for together. No character stands for the place
        behind the one before."""
        replaced = self.origins[start:end]
        if not replaced:
            place = self.origins[start - 1][1] if start else 0
            return place, place, kind
        kinds = (kind, *(one[2] for one in replaced))
        return replaced[0][0], max(one[1] for one in replaced), next(filter(None, kinds), None)

    def retraced(self, said: Placed) -> Placed:
        """Returns `said`, which was made of the same characters as if they were a whole written text, with
        the origins that they have here."""
        each = (
            self.origins[start] if kind is None and end - start == 1 else self._origin(start, end, kind)
            for start, end, kind in said.origins
        )
        return Placed(said.text, list(each))

    def rewritten(self, text: str) -> Placed:
        """Returns `text`, which something made of this text without telling the places. Words and signs that
        both texts have keep their origins. Takes quadratic time."""
        before, after = _TOKEN.findall(self.text), _TOKEN.findall(text)
        ours, theirs = ([0, *accumulate(map(len, words))] for words in (before, after))
        steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        return self.edited(Edit(ours[a], ours[b], text[theirs[c] : theirs[d]]) for _, a, b, c, d in steps)


def _n_same(before: Iterable[str], after: Iterable[str]) -> int:
    """Returns how many characters are the same at the start of both, but for their case."""
    same = (one == other or one.lower() == other.lower() for one, other in zip(before, after, strict=False))
    return sum(1 for _ in takewhile(bool, same))
