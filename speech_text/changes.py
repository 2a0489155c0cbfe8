"""Finds where the spoken form of a text differs from its written form, by the places that the spoken form has
kept (places.py)."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from speech_text.places import Placed
from speech_text.signs import has_hanzi

HANZI = "\u3400-\u9fff\uf900-\ufaff"  # for a set of characters: also those that no rule reads
_WORD = re.compile(rf"[^\W\d_{HANZI}]+(?:'[^\W\d_{HANZI}]+)*|[^\W_]")
_JOINED = r"[^\s,;!?()\[\]{}\"“”…—：；？\u2e80-\uabff\uf900-\uff0f]"
_LETTERS = re.compile(rf"[^\W\d_{HANZI}]{{2}}")
_IN_TOKEN = rf"(?={_JOINED})[^\W_]"
# A token is a Hanzi, or words and digits without a blank, comma or bracket between them (iPhone15, 3-5).
_TOKEN = re.compile(rf"{_IN_TOKEN}(?:{_JOINED}*{_IN_TOKEN})?|[^\W_]")
GIVEN = ("mark", "lexicon")  # kinds of words whose reading a user has given, although they stay as written
_MOST_SHRUNK = 4  # characters that Unicode may write as one: ᄒ, ᅡ and ᆫ as 한
_ORDINARY = frozenset(" \t\r\n。，？！；：、…—·《》“”‘’（）【】「」『』,.?!:;'\"()[]{}-_*#`~|>\\")


@dataclass(frozen=True, slots=True)
class Change:
    """A part of a text whose spoken form differs from its written form.

    `written` is that part, which starts at character `start` of the text (from 0). `said` is the spoken form,
    empty if nothing is spoken. `written` consists of whole words, Hanzi or numbers, or of signs alone. `rule`
    is the kind of the rule that made the change; None if no rule is known. "mark", "lexicon" and "verbatim"
    stand for a user's mark, for the lexicon, and for the shortening of addresses and code.
    """

    written: str
    said: str
    start: int
    rule: str | None = None


class Link(NamedTuple):
    """A word or a change: characters `start` to `end` of the written text, which are spoken as characters
    `said_from` to `said_to` of the spoken text. Both ends are exclusive. `changed` is False for a word that
    is spoken as it is written. `kind` is the kind of the rule that made the change."""

    start: int
    end: int
    said_from: int
    said_to: int
    changed: bool = True
    kind: str | None = None

    def with_(self, other: Link) -> Link:
        """Returns the change that holds both."""
        spoken = [link for link in (self, other) if link.said_from < link.said_to] or [self]
        kinds = sorted((link.said_to - link.said_from, link.kind) for link in spoken if link.kind)
        return Link(
            min(self.start, other.start),
            max(self.end, other.end),
            min(link.said_from for link in spoken),
            max(link.said_to for link in spoken),
            kind=kinds[-1][1] if kinds else None,
        )


def compare(plain: str, said: Placed) -> tuple[str, list[Link]]:
    """Compares `said` with its written form `plain`. Returns `said`, in which words that are spoken as they
    are written keep their case; and these words, one by one, and the changes, in written order. Differences
    of case, of character width and of ordinary punctuation are no changes, nor is a sign that became
    punctuation."""
    tokens = _Tokens(plain)
    words = [_word(plain, said, *found.span()) for found in _WORD.finditer(said.text)]
    shown, found = list(said.text), list[Link]()
    for word in words:
        if not word.changed and word.end - word.start == word.said_to - word.said_from:
            shown[word.said_from : word.said_to] = plain[word.start : word.end]
    whole = [tokens.grown(word) if word.changed else word for word in words]
    for link in sorted([*whole, *_dropped(plain, said, tokens)], key=lambda link: link[:2]):
        last = found[-1] if found else link
        sign = last.changed and link.changed and not plain[link.start : link.start + 1].isalnum()
        if found and link.start < last.end + sign and (link.changed or last.changed):
            found[-1] = found[-1].with_(link)
        else:
            found.append(link)
    return "".join(shown), found


def _word(plain: str, said: Placed, said_from: int, said_to: int) -> Link:
    origins = said.origins[said_from:said_to]
    start, end = _trimmed(plain, origins[0][0], max(origin[1] for origin in origins))
    kind = next((origin[2] for origin in origins if origin[2]), None)
    word = said.text[said_from:said_to]
    alike = end - start <= _MOST_SHRUNK * len(word) and kind not in GIVEN
    same = alike and _folded(plain[start:end]) == _folded(word)
    inside = any(at and _LETTERS.match(plain, at - 1) for at in (start, end))
    return Link(start, end, said_from, said_to, not same or inside, kind)


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).lower()


def _dropped(plain: str, said: Placed, tokens: _Tokens) -> Iterator[Link]:
    """Yields the words and signs of `plain` for which no character of `said` stands but blanks."""
    done = 0
    for at, (start, end, _) in enumerate([*said.origins, (len(plain), len(plain), None)]):
        if said.text[at : at + 1] == " ":
            continue
        if start > done:
            gap = Link(*_trimmed(plain, done, start), at, at)
            if gap.start < gap.end:
                yield tokens.grown(gap) if any(map(str.isalnum, plain[gap.start : gap.end])) else gap
        done = max(done, end)


class _Tokens:
    """The tokens of a text: Hanzi, and words and digits that are written without a blank, comma or bracket
    between them (iPhone15, 3-5)."""

    def __init__(self, plain: str) -> None:
        self._plain = plain
        self._spans = [found.span() for found in _TOKEN.finditer(plain)]
        self._ends = [end for _, end in self._spans]

    def grown(self, link: Link) -> Link:
        """Returns the change `link` with all of the tokens that it touches. Words that are spoken where
        nothing is written change the token before them. Words in place of a sign change the tokens next to
        the sign, but no Hanzi."""
        start, end = _trimmed(self._plain, link.start, link.end)
        first = last = bisect_right(self._ends, start)
        while last < len(self._spans) and self._spans[last][0] < end:
            last += 1
        if first == last and start < end:  # a sign
            first -= self._ends[max(0, first - 1) : first] == [start] and not has_hanzi(
                self._plain[start - 1]
            )
            last += self._plain[end : end + 1].isalnum() and not has_hanzi(self._plain[end])
        elif first == last:
            first = max(0, first - 1)
            last = first + 1
        spans = [(start, end), *self._spans[first:last]]
        if start == end:
            spans = spans[1:] or spans
        return link._replace(start=min(spans)[0], end=max(end for _, end in spans))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    first = start
    while start < end and text[start] in _ORDINARY and not _is_sign(text, start):
        start += 1
    while start < end and text[end - 1] in _ORDINARY and not _is_sign(text, end - 1):
        end -= 1
    return (start, end) if start < end else (first, first)


def _is_sign(text: str, at: int) -> bool:
    """Returns whether `text[at]` is a minus sign or a decimal point directly before a digit."""
    return text[at] in "-." and text[at + 1 : at + 2].isdigit()
