"""A lexicon, which says how words are spoken: its entries, and the search for its words in a text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from speech_text.cut.pieces import Check, unwatched
from speech_text.errors import TextError, quote
from speech_text.marks import Part, overlaid
from speech_text.phonemes.pinyin import known_readings, phoneme_names
from speech_text.types import LexiconEntry

_MOST_CHARS = {"word": 50, "reading": 200, "replacement": 200, "context": 50}
_NEAR = 50  # characters to either side of a word in which its context may stand, in the same sentence
_SENTENCE_END = re.compile("[。！？!?\n]")


class Lexicon:
    """Lexicon entries by their words, and the search for these words in a text. A later entry replaces an
    earlier entry of the same word. `inventory` has the names of the model's phonemes; an empty one allows all
    phonemes."""

    def __init__(self, entries: Iterable[LexiconEntry] = (), inventory: Collection[str] = ()) -> None:
        self.entries = {entry.word: entry for entry in entries}
        self.inventory = inventory
        self._syllables = cache(lambda reading: tuple(phoneme_names(reading, inventory)))
        lengths: dict[str, set[int]] = {}
        for word in self.entries:
            lengths.setdefault(word[0], set()).add(len(word))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}

    def extended(self, entries: Sequence[LexiconEntry]) -> Lexicon:
        """Returns the lexicon with the `entries` of a request added. These entries take precedence over the
        others."""
        return Lexicon([*self.entries.values(), *entries], self.inventory)

    def entry(self, fields: Any) -> LexiconEntry:
        """Returns the entry that `fields`, a decoded JSON value, describes. Does not add the entry. Raises
        TextError for an invalid entry ("invalid_lexicon_entry") and for an invalid reading
        ("malformed_pronunciation"). The message is the end of a sentence about the entry or the reading."""
        if not isinstance(fields, dict):
            raise _invalid("must be an object with word, and reading or replacement")
        given = {name: value for name, value in fields.items() if value is not None}
        for name, value in given.items():
            if name not in _MOST_CHARS:
                raise _invalid(f"has no '{quote(str(name))}', only {', '.join(_MOST_CHARS)}")
            if not isinstance(value, str) or not value.strip() or len(value) > _MOST_CHARS[name]:
                raise _invalid(f"needs {name} to be text of 1 to {_MOST_CHARS[name]} characters")
        if "word" not in given or not any(char.isalnum() for char in given["word"]):
            raise _invalid("needs a word: text with a letter, a digit or a Hanzi in it")
        if ("reading" in given) == ("replacement" in given):
            raise _invalid("needs either reading (pinyin) or replacement (the text to say)")
        entry = LexiconEntry(**given)
        if entry.reading is not None:
            phoneme_names(entry.reading, self.inventory)
        return entry

    def readings(self, word: str) -> list[list[str]]:
        """Returns, for each character of `word`, the pinyin readings that a `reading` may have, the likeliest
        first. A character that is no Hanzi gets an empty list."""
        return known_readings(word, self.inventory)

    def apply(self, parts: Iterable[Part], check: Check = unwatched) -> Iterator[Part]:
        """Yields `parts` with each word of the lexicon as a part of its own. Parts with a cut or a given
        reading stay as they are. If several words begin at one place, the longest is taken. A word inside a
        longer word of letters does not count, nor does a word whose entry has a context that does not stand
        near. `check` is called at each character."""
        for part in parts:
            yield from overlaid([part], self._found(part, check) if part.plain else ())

    def _found(self, part: Part, check: Check) -> Iterator[Part]:
        """Yields the words of the lexicon in `part`, a part of plain text."""
        at = 0
        while at < len(part.written):
            check()
            if entry := self._longest(part.written, at):
                syllables = () if entry.reading is None else self._syllables(entry.reading)
                yield Part(part.start + at, entry.word, entry.replacement or "", syllables, rule="lexicon")
            at += len(entry.word) if entry else 1

    def _longest(self, text: str, at: int) -> LexiconEntry | None:
        for length in () if _inside_a_word(text, at) else self._lengths.get(text[at], ()):
            entry = self.entries.get(text[at : at + length])
            if entry is None or _inside_a_word(text, end := at + length):
                continue
            if entry.context is None or entry.context in _near(text, at, end):
                return entry
        return None


def _invalid(why: str) -> TextError:
    return TextError("invalid_lexicon_entry", why)


def _near(text: str, start: int, end: int) -> str:
    """Returns the word from `start` to `end` with the text around it in which its context may stand: the same
    sentence, and at most 50 characters to either side."""
    before = _SENTENCE_END.split(text[max(0, start - _NEAR) : start])[-1]
    return before + text[start:end] + _SENTENCE_END.split(text[end : end + _NEAR], 1)[0]


def _inside_a_word(text: str, at: int) -> bool:
    """Returns whether place `at` of `text` lies inside a word, that is, between two letters or digits. Hanzi
    and kana do not count as letters."""
    return 0 < at < len(text) and _is_letter(text[at - 1]) and _is_letter(text[at])


def _is_letter(char: str) -> bool:
    return char < "\u2e80" and char.isalnum()
