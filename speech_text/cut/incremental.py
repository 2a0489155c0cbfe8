"""Cuts a text that arrives in pieces, as an LLM writes it, into sentences. Each sentence is returned as soon
as it is certainly complete. The block of a book is cut at the same places. Works on strings only.

The cuts depend on the text alone, never on its pieces or on time: a cut is decided once the character after
it has arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from speech_text.cut.pieces import pieces
from speech_text.cut.split import MAX_WEIGHT, MIN_WEIGHT, weight
from speech_text.default.english.lists import LISTS
from speech_text.default.english.shortened import WITH_STOP
from speech_text.marks import MOST_MARK_CHARS

# Lengths in letters and digits. A Chinese, Japanese or Korean character counts as three: it takes as long.
_LEAST = 15  # a shorter sentence is joined with the next: the model speaks a single word poorly
_LONG = 150  # from this length on a sentence may be cut after a clause
_WIDE = "\u2fff"
_CLOSING = "\"'”’)]）】」』》*_~`"
_EITHER = "\"'*_~`"  # after white space these open the next sentence
_SENTENCE_MARKS, _CLAUSE_MARKS = "。！？", "，、；：…—"
_NARROW_SENTENCE_MARKS, _NARROW_CLAUSE_MARKS = ".!?", ",;:"  # no end in 3.14, 12:30, a.com/?b
_MARKS = _SENTENCE_MARKS + _CLAUSE_MARKS + _NARROW_SENTENCE_MARKS + _NARROW_CLAUSE_MARKS
_LOOK_BACK = 40
_LONGEST = 180  # characters of a piece of a block
_PUSHED = 2000  # characters given to the splitter at a time; each cut copies the text in the splitter
_LAST_WORD = re.compile(r"[A-Za-z.]+$")
_SHORTENED = WITH_STOP | {word.lower() for word in LISTS["title"]}


class SentenceSplitter:
    """Cuts a text that arrives in pieces into sentences. The results of `push` and `flush`, joined in order,
    are the same text as the pieces, joined.

    A sentence of fewer than 15 letters and digits is joined with the next one. A sentence of 150 or more may
    be cut after a clause. A Chinese, Japanese or Korean character counts as three.
    """

    def __init__(self) -> None:
        self._text = ""  # the characters of the incomplete sentence
        self._weight = 0
        self._n_judged = 0  # how many of these characters were examined

    @staticmethod
    def ends(text: str) -> list[int]:
        """Returns the places inside a whole `text` at which a sentence ends."""
        return [at for at in range(1, len(text)) if _may_cut(text, at)]

    @property
    def n_waiting(self) -> int:
        """The number of characters of the sentence that is not complete yet."""
        return len(self._text)

    def push(self, piece: str) -> list[str]:
        """Adds `piece` to the text. Returns the sentences that `piece` completes; the list may be empty."""
        self._text += piece
        whole = []
        while self._n_judged < len(self._text) - 1:
            at = self._n_judged
            self._weight += _weight(self._text[at])
            self._n_judged += 1
            if (
                self._weight >= _LEAST
                and not _in_mark(self._text, at + 1)
                and _may_cut(self._text, at + 1, clauses=self._weight >= _LONG)
            ):
                whole.append(self._text[: at + 1])
                self._text, self._weight, self._n_judged = self._text[at + 1 :], 0, 0
        return whole

    def flush(self) -> str:
        """Ends the text and returns its last, incomplete sentence, which may be empty. The next `push` begins
        a new text."""
        rest, self._text, self._weight, self._n_judged = self._text, "", 0, 0
        return rest


def _weight(char: str) -> int:
    if not char.isalnum():
        return 0
    return 3 if char > _WIDE else 1


def _in_mark(text: str, end: int) -> bool:
    """Returns whether `text[end]` stands inside a mark [[...]] that begins before it. A mark that is not
    closed yet counts for 200 characters."""
    begin = max(0, end - MOST_MARK_CHARS - len("[["))
    return text.rfind("[[", begin, end) > text.rfind("]]", begin, end)


def _may_cut(text: str, end: int, *, clauses: bool = False) -> bool:
    """Returns whether a sentence ends directly before `text[end]`; with `clauses`, whether a sentence or a
    clause ends there. The end of a line also ends a sentence.

    Returns False if `text[end]` is white space, punctuation, or a quote or bracket that closes the sentence,
    since these belong to the sentence before them.
    """
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
    """Returns whether the dot between `before` and `after` ends a sentence, and is not part of an
    abbreviation, of initials, of a number or of a name with dots. `spaced` says that white space follows the
    dot."""
    if not spaced:
        return before[-1:] > _WIDE and after > _WIDE
    if after.islower() or after.isdigit():
        return False
    word = _LAST_WORD.search(before)
    if word is None:
        return True
    return len(word[0]) > 1 and "." not in word[0] and word[0].lower() not in _SHORTENED


def utterances(text: str) -> Iterator[str]:
    """Cuts the text of a block into pieces of about one segment each. A piece has whole sentences, and short
    sentences stay together. Only a sentence of more than 180 characters is cut inside."""
    together, weighs = "", 0.0
    for sentence in _sentences(text):
        heavy = weight(sentence)
        too_long = weighs + heavy > MAX_WEIGHT or len(together) + len(sentence) > _LONGEST
        if together and (weighs >= MIN_WEIGHT or too_long):
            yield together.strip()
            together, weighs = "", 0.0
        together, weighs = together + sentence, weighs + heavy
    if together.strip():
        yield together.strip()


def _sentences(text: str) -> Iterator[str]:
    """Yields the sentences of `text`. A sentence longer than 180 characters comes in several pieces."""
    splitter = SentenceSplitter()
    for start in range(0, len(text), _PUSHED):
        for sentence in splitter.push(text[start : start + _PUSHED]):
            yield from pieces(sentence, _LONGEST)
        if splitter.n_waiting > _PUSHED:
            yield from pieces(splitter.flush(), _LONGEST)
    yield from pieces(splitter.flush(), _LONGEST)
