"""The user's lexicon, a file that says how words are spoken (docs/pronunciation.md).

configs/lexicon.jsonl    {"word": "重庆", "reading": "chong2 qing4"} a line, or
                         {"word": "GLM", "replacement": "G L M", "context": "模型"}
"""

from __future__ import annotations

import json
import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glm_tts_api.contracts import LexiconEntry
from glm_tts_api.durable import give_up_spare, is_full, keep_spare, locked, replace_file
from glm_tts_api.errors import StorageFull, Unhealthy, UnknownWord, quote
from speech_text.cut.pieces import Check, unwatched
from speech_text.markup.marks import Part
from speech_text.phonemes.dictionaries import DictionaryFiles
from speech_text.phonemes.pinyin import Phonemes, phoneme_names

FILE_NAME = "lexicon.jsonl"
MOST_WORDS = 20_000
_MOST_CHARS = {"word": 50, "reading": 200, "replacement": 200, "context": 50}
_NEAR = 50  # characters to either side of a word in which its context may stand, in the same sentence
_AHEAD = 1000  # characters after a word in which one search looks for its context
_SENTENCE_END = re.compile("[。！？!?\n]")


def entry_of(fields: Any, inventory: Collection[str]) -> LexiconEntry:
    """Returns the lexicon entry that `fields`, a decoded JSON value, describes. `inventory` has the names of
    the model's phonemes. Raises ValueError for an invalid entry; the message is the end of a sentence about
    the entry."""
    if not isinstance(fields, dict):
        raise ValueError("must be an object with word, and reading or replacement")
    given = {name: value for name, value in fields.items() if value is not None}
    for name, value in given.items():
        if name not in _MOST_CHARS:
            raise ValueError(f"has no '{quote(str(name))}', only {', '.join(_MOST_CHARS)}")
        if not isinstance(value, str) or not value.strip() or len(value) > _MOST_CHARS[name]:
            raise ValueError(f"needs {name} to be text of 1 to {_MOST_CHARS[name]} characters")
    if "word" not in given or not any(char.isalnum() for char in given["word"]):
        raise ValueError("needs a word: text with a letter, a digit or a Hanzi in it")
    if ("reading" in given) == ("replacement" in given):
        raise ValueError("needs either reading (pinyin) or replacement (the text to say)")
    entry = LexiconEntry(**given)
    if entry.reading is not None:
        phoneme_names(entry.reading, inventory)
    return entry


class Lexicon:
    """Lexicon entries by their words, and the search for these words in a text. A later entry replaces an
    earlier entry of the same word."""

    def __init__(self, entries: Iterable[LexiconEntry], inventory: Collection[str]) -> None:
        self.entries = {entry.word: entry for entry in entries}
        self.inventory = inventory
        self._syllables: dict[str, tuple[Phonemes, ...]] = {}  # the phonemes of each reading
        lengths: dict[str, set[int]] = {}
        for word in self.entries:
            lengths.setdefault(word[0], set()).add(len(word))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}

    def extended(self, entries: Sequence[LexiconEntry]) -> Lexicon:
        """Returns the lexicon with the `entries` of a request added. These entries take precedence over the
        others."""
        return Lexicon([*self.entries.values(), *entries], self.inventory) if entries else self

    def apply(self, parts: Iterable[Part], check: Check = unwatched) -> Iterator[Part]:
        """Yields `parts` with each word of the lexicon as a part of its own. Parts with a cut or a given
        reading stay as they are. If several words begin at one place, the longest is taken. A word inside a
        longer word of letters does not count, nor does a word whose entry has a context that does not stand
        near. `check` is called at each character."""
        for part in parts:
            if not self.entries or part.cut is not None or part.rule is not None:
                yield part
                continue
            done = 0
            for start, entry in self._found(part.written, check):
                end = start + len(entry.word)
                yield _plain(part, done, start)
                yield self._said(part.start + start, entry)
                done = end
            yield _plain(part, done, len(part.written))

    def _found(self, text: str, check: Check) -> Iterator[tuple[int, LexiconEntry]]:
        contexts = _Contexts(text)
        at = 0
        while at < len(text):
            check()
            entry = None if _inside_a_word(text, at) else self._longest(text, at, contexts)
            if entry is not None:
                yield at, entry
            at += 1 if entry is None else len(entry.word)

    def _longest(self, text: str, at: int, contexts: _Contexts) -> LexiconEntry | None:
        for length in self._lengths.get(text[at], ()):
            entry, end = self.entries.get(text[at : at + length]), at + length
            if entry is None or _inside_a_word(text, end):
                continue
            if entry.context is None or contexts.near(entry.context, at, end):
                return entry
        return None

    def _said(self, start: int, entry: LexiconEntry) -> Part:
        if entry.reading is None:
            return Part(start, entry.word, entry.replacement or "", rule="lexicon")
        syllables = self._syllables.get(entry.reading)
        if syllables is None:
            syllables = self._syllables[entry.reading] = tuple(phoneme_names(entry.reading, self.inventory))
        return Part(start, entry.word, syllables=syllables, rule="lexicon")


class _Contexts:
    """Tells whether the context of a lexicon entry, a text that the entry requires near its word, stands near
    a place of `text`. Callers must ask for the places from left to right, so that each context is searched
    for only once in each stretch of the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends = [end.start() for end in _SENTENCE_END.finditer(text)]
        self._next: dict[str, int] = {}  # the first place where each context may stand next

    def near(self, context: str, start: int, end: int) -> bool:
        """Returns whether `context` stands near the word `text[start:end]`: in the same sentence, and within
        50 characters of the word."""
        after = self._next.get(context, 0)
        if after > end + _NEAR - len(context):
            return False
        before, behind = bisect_left(self._ends, start), bisect_left(self._ends, end)
        begin = max(start - _NEAR, self._ends[before - 1] + 1 if before else 0, after)
        stop = min(end + _NEAR, self._ends[behind] if behind < len(self._ends) else len(self._text))
        at = self._text.find(context, begin, end + _AHEAD)
        self._next[context] = at if at >= 0 else max(begin, end + _AHEAD - len(context) + 1)
        return 0 <= at <= stop - len(context)


def _plain(part: Part, start: int, end: int) -> Part:
    return Part(part.start + start, part.written[start:end], part.said[start:end])


def _inside_a_word(text: str, at: int) -> bool:
    """Returns whether place `at` of `text` lies inside a word, that is, between two letters or digits. Hanzi
    and kana do not count as letters."""
    return 0 < at < len(text) and _is_letter(text[at - 1]) and _is_letter(text[at])


def _is_letter(char: str) -> bool:
    return char < "\u2e80" and char.isalnum()


class LexiconFile:
    """The lexicon file of a folder, read again when it changes. Safe for several threads and processes. If a
    process is killed while it writes, the file is the old one or the new one. Invalid lines stay in the file
    and cause `warnings`. A lexicon of MOST_WORDS (20,000) entries takes no further entry."""

    def __init__(self, folder: Path, dictionaries: DictionaryFiles) -> None:
        self._path = folder / FILE_NAME
        self._dictionaries = dictionaries
        self._reading = threading.Lock()
        self._seen: Any = None
        self._current = Lexicon((), ())
        self.warnings: tuple[str, ...] = ()

    def current(self) -> Lexicon:
        """Returns the lexicon of the file, which is empty if there is no file or the file is not UTF-8. While
        the file cannot be opened, returns the lexicon that was read last. Updates `warnings`."""
        inventory = self._dictionaries.current().phonemes
        with self._reading:
            seen = (self._stamp(), inventory)
            if seen != self._seen:
                try:
                    self._current, self.warnings = self._read(inventory)
                    self._seen = seen
                except OSError as error:
                    self._seen = None
                    self.warnings = (f"{FILE_NAME} cannot be read: {error}",)
            return self._current

    def get(self, word: str) -> LexiconEntry:
        """Returns the entry of `word`. Raises UnknownWord."""
        entry = self.current().entries.get(word)
        if entry is None:
            raise UnknownWord(f"'{quote(word)}' is not in the lexicon; GET /api/v1/lexicon lists what is.")
        return entry

    def put(self, entry: LexiconEntry) -> bool:
        """Adds `entry`, or replaces the entry of the same word. Returns whether the word is new. Raises
        StorageFull if the lexicon or the disk is full, and Unhealthy if the file cannot be changed."""

        def edit(lines: list[str]) -> list[str]:
            kept = [line for line in lines if _word_of(line) != entry.word]
            if len(kept) == len(lines) >= MOST_WORDS:
                raise StorageFull(f"The lexicon has {len(lines)} words, and no more are added: DELETE one.")
            fields = {name: value for name, value in asdict(entry).items() if value is not None}
            return [*kept, json.dumps(fields, ensure_ascii=False)]

        return self._change(edit) > 0

    def remove(self, word: str) -> None:
        """Deletes the entry of `word`. A full disk does not prevent this, as long as the reserved space is
        there. Raises UnknownWord, StorageFull or Unhealthy."""

        def edit(lines: list[str]) -> list[str]:
            kept = [line for line in lines if _word_of(line) != word]
            if len(kept) == len(lines):
                self.get(word)
            return kept

        self._change(edit, frees=True)

    def _change(self, edit: Callable[[list[str]], list[str]], *, frees: bool = False) -> int:
        """Writes the file with its lines as `edit` returns them, and returns by how many lines the file has
        grown. With `frees` the change also succeeds on a full disk, since reserved space is given up for it.
        Raises StorageFull or Unhealthy."""
        with _told_what_to_do(), locked(self._path.with_name(f".{FILE_NAME}.lock")):
            lines = self._lines()
            edited = edit(lines)
            data = "".join(f"{line}\n" for line in edited).encode()
            try:
                replace_file(self._path, data)
            except OSError as error:
                if not (frees and is_full(error) and give_up_spare(self._path)):
                    raise
                replace_file(self._path, data)
            keep_spare(self._path)
            return len(edited) - len(lines)

    def _lines(self) -> list[str]:
        try:
            text = self._path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return []
        except UnicodeError:
            raise Unhealthy(
                f"The lexicon cannot be changed: {FILE_NAME} is not UTF-8. Save it as UTF-8."
            ) from None
        return [line for line in text.split("\n") if line.strip()]

    def _read(self, inventory: Collection[str]) -> tuple[Lexicon, tuple[str, ...]]:
        """Returns the lexicon of the file, and a warning for each invalid line. A file that is not UTF-8
        gives an empty lexicon and one warning. Raises OSError."""
        entries, warnings = [], []
        try:
            lines = self._lines()
        except Unhealthy as error:
            return Lexicon((), inventory), (f"{FILE_NAME} cannot be read: {error}",)
        for number, line in enumerate(lines, start=1):
            try:
                entries.append(entry_of(json.loads(line), inventory))
            except (ValueError, RecursionError) as error:
                warnings.append(f"{FILE_NAME}, entry {number}: {error}")
        return Lexicon(entries, inventory), tuple(warnings)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns


def _word_of(line: str) -> Any:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields.get("word") if isinstance(fields, dict) else None


@contextmanager
def _told_what_to_do() -> Iterator[None]:
    """Raises StorageFull or Unhealthy in place of an OSError inside the block. The message says what to do
    and names no path."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise StorageFull(
                "The disk of configs/ is full: make room, or DELETE a word, then try again."
            ) from error
        raise Unhealthy(
            f"The lexicon cannot be changed: configs/ cannot be written ({error.strerror or error}). Let the "
            f"server's user write it, or edit {FILE_NAME} by hand."
        ) from error
