"""The dictionary files, of which a user may have some of their own (docs/text.md).

custom_replace.jsonl      {"origin": "欸", "new": "诶"} a line: plain replacements, in file order
G2P_replace_dict.jsonl    {"弦": "<|X|><|IAN2|>"} a line: phoneme mode only; a later line overrides an earlier
G2P_able_1word.json       ["的", …]: characters that phoneme mode keeps as text
G2P_all_phonemes.json     {"0": "B", …}: the names that a <|NAME|> may have
words.tsv                 unit, kWp, 千瓦峰, kilowatt peak, with tabs between: units, currencies and teams
                          in addition to those of the rules; this file may be missing
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from speech_text.default.data import KINDS, Word

REPLACEMENTS = "custom_replace.jsonl"
PRONUNCIATIONS = "G2P_replace_dict.jsonl"
KEEP_LIST = "G2P_able_1word.json"
PHONEMES = "G2P_all_phonemes.json"
WORDS = "words.tsv"
_FILES = (REPLACEMENTS, PRONUNCIATIONS, KEEP_LIST, PHONEMES, WORDS)
_Json = TypeVar("_Json", list[object], dict[object, object])
_SHIPPED = Path(__file__).parent / "assets" / "dictionaries"


@dataclass(frozen=True, slots=True)
class Dictionaries:
    """The entries of the dictionary files. `replacements` are pairs of old and new text. `pronunciations`
    maps a text to phoneme tokens. `keep` has the characters that phoneme mode keeps as text. `phonemes` has
    the names that a phoneme token may have. `words` are units, currencies and teams. `warnings` names each
    file or line that was skipped, and the reason."""

    replacements: tuple[tuple[str, str], ...] = ()
    pronunciations: dict[str, str] | None = None
    keep: frozenset[str] = frozenset()
    phonemes: frozenset[str] = frozenset()
    words: tuple[Word, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Dictionaries:
        """Reads the files that `files` names."""
        replacements, pronunciations, keep, phonemes, words = cls.files(folder)
        reader = _Reader()
        names = reader.phoneme_names(phonemes)
        return cls(
            replacements=reader.replacements(replacements),
            pronunciations=reader.pronunciations(pronunciations, names),
            keep=reader.keep_list(keep),
            phonemes=names,
            words=reader.words(words),
            warnings=tuple(reader.warnings),
        )

    @staticmethod
    def files(folder: Path) -> list[Path]:
        """Returns the dictionary files of `folder`. In place of a missing file stands the one that comes with
        this package."""
        return [own if (own := folder / name).exists() else _SHIPPED / name for name in _FILES]


@cache
def shipped() -> Dictionaries:
    """Returns the dictionaries that come with this package."""
    return Dictionaries.read(_SHIPPED)


class _Reader:
    """Reads dictionary files. `warnings` gets a sentence for each file and line that cannot be read."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def _skip(self, path: Path, why: str, line: int = 0) -> None:
        self.warnings.append(f"{path.name}{f', line {line}' if line else ''}: {why}")

    def _text(self, path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            self._skip(path, "not there, so it counts as empty")
        except (OSError, UnicodeError) as error:
            self._skip(path, f"cannot be read ({error}), so it counts as empty")
        return None

    def _lines(self, path: Path) -> Iterator[tuple[int, str]]:
        lines = enumerate((self._text(path) or "").split("\n"), start=1)
        return ((number, line) for number, line in lines if line.strip())

    def _objects(self, path: Path) -> Iterator[tuple[int, dict[str, object]]]:
        """Yields the JSON objects of a .jsonl file with their line numbers."""
        for number, line in self._lines(path):
            try:
                value = json.loads(line)
            except ValueError as error:
                self._skip(path, f"not JSON ({error})", number)
                continue
            if isinstance(value, dict):
                yield number, value
            else:
                self._skip(path, "a JSON object is expected", number)

    def _json(self, path: Path, kind: type[_Json], expected: str) -> _Json:
        if (text := self._text(path)) is not None:
            try:
                if isinstance(value := json.loads(text), kind):
                    return value
                self._skip(path, f"a JSON {expected} is expected")
            except ValueError as error:
                self._skip(path, f"not JSON ({error}), so it counts as empty")
        return kind()

    def replacements(self, path: Path) -> tuple[tuple[str, str], ...]:
        pairs = []
        for number, entry in self._objects(path):
            origin, new = entry.get("origin"), entry.get("new")
            if isinstance(origin, str) and isinstance(new, str) and origin:
                pairs.append((origin, new))
            else:
                self._skip(path, 'needs the texts "origin" (not empty) and "new"', number)
        return tuple(pairs)

    def pronunciations(self, path: Path, phonemes: frozenset[str]) -> dict[str, str]:
        entries: dict[str, str] = {}
        for number, entry in self._objects(path):
            for source, spoken in entry.items():
                if not source or not isinstance(spoken, str):
                    self._skip(path, "a text and its replacement are expected", number)
                    continue
                names = re.findall(r"<\|(.*?)\|>", spoken)
                unknown = [name for name in names if phonemes and name not in phonemes]
                if unknown:
                    self._skip(path, f"{unknown[0]} is not in {PHONEMES}", number)
                else:
                    entries[source] = spoken
        return entries

    def words(self, path: Path) -> tuple[Word, ...]:
        words = []
        for number, line in self._lines(path) if path.exists() else ():
            cells = line.rstrip("\r").split("\t")
            if cells[0] in KINDS and 2 <= len(cells) <= len(Word._fields) and cells[1].strip():
                words.append(Word(*cells))
            elif cells[0] != "kind":
                kinds = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
                self._skip(path, f"expected, with tabs between: {kinds}, and how it is written", number)
        return tuple(words)

    def keep_list(self, path: Path) -> frozenset[str]:
        value = self._json(path, list, "list of single characters")
        kept = frozenset(item for item in value if isinstance(item, str) and len(item) == 1)
        if len(kept) < len(value):
            self._skip(path, f"{len(value) - len(kept)} entries are repeated or not one character")
        return kept

    def phoneme_names(self, path: Path) -> frozenset[str]:
        value = self._json(path, dict, "object of phoneme names")
        names = frozenset(name for name in value.values() if isinstance(name, str))
        if all(isinstance(name, str) for name in value.values()):
            return names
        self._skip(path, "a JSON object of phoneme names is expected")
        return frozenset()
