"""A text that comes in pieces, as an LLM writes it, cut into sentences as soon as each is surely whole.

Where it is cut depends on the text alone, never on its pieces or on time: a cut is decided once the character
behind it is there. Knows strings only.
"""

from __future__ import annotations

import re

from glm_tts_api.text.default.english.short_forms import ABBREVIATIONS, TITLES
from glm_tts_api.text.markup.marks import MOST_MARK_CHARS

# In letters and digits; one of Chinese, Japanese or Korean counts for three, as long as it takes to say.
_LEAST = 15  # shorter sentences go with the next: a model speaks a word by itself poorly
_LONG = 150  # from here on a clause will do
_WIDE = "\u2fff"
_CLOSING = "\"'”’)]）】」』》*_~`"
_EITHER = "\"'*_~`"  # behind white space these open what comes
_SENTENCE_MARKS, _CLAUSE_MARKS = "。！？", "，、；：…—"
_NARROW_SENTENCE_MARKS, _NARROW_CLAUSE_MARKS = ".!?", ",;:"  # only before white space: 3.14, 12:30, a.com/?b
_MARKS = _SENTENCE_MARKS + _CLAUSE_MARKS + _NARROW_SENTENCE_MARKS + _NARROW_CLAUSE_MARKS
_LOOK_BACK = 40
_LAST_WORD = re.compile(r"[A-Za-z.]+$")
_SHORTENED = frozenset(word.lower() for word in (*ABBREVIATIONS, *TITLES))


class SentenceSplitter:
    """Cuts a text that comes in pieces into sentences. The results of `push` and `flush`, joined, are the
    pieces, joined. Without `cuts` the whole text is one sentence."""

    def __init__(self, *, cuts: bool = True) -> None:
        self._cuts = cuts
        self._text = ""  # of the sentence that is coming
        self._weight = 0
        self._n_judged = 0  # of its characters

    @property
    def n_waiting(self) -> int:
        """Characters of the sentence that is not whole yet."""
        return len(self._text)

    def push(self, piece: str) -> list[str]:
        """The sentences that are whole with this piece."""
        self._text += piece
        whole = []
        while self._cuts and self._n_judged < len(self._text) - 1:
            at = self._n_judged
            self._weight += _weight(self._text[at])
            self._n_judged += 1
            if (
                self._weight >= _LEAST
                and not _in_mark(self._text, at + 1)
                and may_cut(self._text, at + 1, clauses=self._weight >= _LONG)
            ):
                whole.append(self._text[: at + 1])
                self._text, self._weight, self._n_judged = self._text[at + 1 :], 0, 0
        return whole

    def flush(self) -> str:
        """The rest: nothing more comes."""
        rest, self._text, self._weight, self._n_judged = self._text, "", 0, 0
        return rest


def _weight(char: str) -> int:
    if not char.isalnum():
        return 0
    return 3 if char > _WIDE else 1


def _in_mark(text: str, end: int) -> bool:
    """Whether [[...]] is open before `text[end]`."""
    begin = max(0, end - MOST_MARK_CHARS - len("[["))
    return text.rfind("[[", begin, end) > text.rfind("]]", begin, end)


def may_cut(text: str, end: int, *, clauses: bool = False) -> bool:
    """Whether a sentence (or a clause) is over before `text[end]`. Marks, quotes and white space that follow
    it belong to it."""
    after, spaced = text[end], text[end - 1].isspace()
    if after.isspace() or after in _MARKS or (after in _CLOSING and not (spaced and after in _EITHER)):
        return False
    if not spaced and text[end - 1] not in _CLOSING and text[end - 1] not in _MARKS:
        return False
    before_end = text[max(0, end - _LOOK_BACK) : end]
    until_mark = before_end.rstrip()
    if "\n" in before_end[len(until_mark) :]:
        return True
    until_mark = until_mark.rstrip(_CLOSING)
    mark, before = until_mark[-1:], until_mark[-2:-1]
    if before.isdigit() and after.isdigit():
        return False
    if mark == ".":
        return _is_full_stop(until_mark[:-1], after, spaced=spaced)
    open_on = spaced or after > _WIDE
    if mark in _SENTENCE_MARKS or (mark in _NARROW_SENTENCE_MARKS and open_on):
        return bool(mark)
    return clauses and (mark in _CLAUSE_MARKS or (mark in _NARROW_CLAUSE_MARKS and open_on))


def _is_full_stop(before: str, after: str, *, spaced: bool) -> bool:
    """Whether the dot ends a sentence: it is not part of an abbreviation, of initials, of a number or of a
    name with dots."""
    if not spaced:
        return before[-1:] > _WIDE and after > _WIDE
    if after.islower() or after.isdigit():
        return False
    word = _LAST_WORD.search(before)
    if word is None:
        return True
    return len(word[0]) > 1 and "." not in word[0] and word[0].lower() not in _SHORTENED
