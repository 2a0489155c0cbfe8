"""The files of configs/ that say how words are spoken, read again whenever they change: the dictionaries
(docs/text.md) and the user's lexicon (docs/pronunciation.md).

configs/lexicon.jsonl    {"word": "重庆", "reading": "chong2 qing4"} a line, or
                         {"word": "GLM", "replacement": "G L M", "context": "模型"}
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glm_tts_api.durable import change_file, locked, replace_file, stamp, told_what_to_do
from glm_tts_api.errors import StorageFull, Unhealthy, UnknownWord, quote
from speech_text import Dictionaries, Lexicon, LexiconEntry, RuleSet

if TYPE_CHECKING:
    from speech_text import TextFrontend

FILE_NAME = "lexicon.jsonl"
MOST_WORDS = 20_000
_FULL = "The disk of configs/ is full: make room, or DELETE a word, then try again."
_UNWRITABLE = (
    "The lexicon cannot be changed: configs/ cannot be written ({}). Let the server's user write it, or edit "
    f"{FILE_NAME} by hand."
)


class DictionaryFiles:
    """The dictionary files of `folder`, read again when a file changes. A file that `folder` lacks is the one
    that ships with speech_text. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: list[Any] = []
        self._current = Dictionaries()

    def current(self) -> Dictionaries:
        seen = [stamp(path) for path in Dictionaries.files(self._folder)]
        with self._lock:
            if seen != self._seen:
                self._current, self._seen = Dictionaries.read(self._folder), seen
            return self._current


class LexiconFile:
    """The lexicon file of a folder, read again when it changes. Safe for several threads and processes. If a
    process is killed while it writes, the file is the old one or the new one. Invalid lines stay in the file
    and cause `warnings`. A lexicon of MOST_WORDS (20,000) entries takes no further entry."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self.dictionaries = DictionaryFiles(folder)
        self._reading = threading.Lock()
        self._seen: Any = None
        self._current = Lexicon()
        self.warnings: tuple[str, ...] = ()

    def current(self) -> Lexicon:
        """Returns the lexicon of the file, which is empty if there is no file or the file is not UTF-8. While
        the file cannot be opened, returns the lexicon that was read last. Updates `warnings`."""
        inventory = self.dictionaries.current().phonemes
        with self._reading:
            seen = (stamp(self._path), inventory)
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
        with told_what_to_do(_FULL, _UNWRITABLE), locked(self._path.with_name(f".{FILE_NAME}.lock")):
            lines = self._lines()
            edited = edit(lines)
            data = "".join(f"{line}\n" for line in edited).encode()
            change_file(self._path, lambda: replace_file(self._path, data), frees=frees)
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
        empty = Lexicon((), inventory)
        entries, warnings = [], []
        try:
            lines = self._lines()
        except Unhealthy as error:
            return empty, (f"{FILE_NAME} cannot be read: {error}",)
        for number, line in enumerate(lines, start=1):
            try:
                entries.append(empty.entry(json.loads(line)))
            except (ValueError, RecursionError) as error:
                warnings.append(f"{FILE_NAME}, entry {number}: {error}")
        return Lexicon(entries, inventory), tuple(warnings)


def open_frontend(
    lexicon: LexiconFile, *, cache_dir: Path, rules: RuleSet = "default", max_characters: int | None = None
) -> TextFrontend:
    """Makes a front end that follows the files of `lexicon` (TextFrontend explains the other arguments). The
    import of the reading rules takes a third of a second."""
    from speech_text import TextFrontend

    files = lexicon.dictionaries.current, lexicon.current
    return TextFrontend(*files, cache_dir=cache_dir, rules=rules, max_characters=max_characters)


def _word_of(line: str) -> Any:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields.get("word") if isinstance(fields, dict) else None
