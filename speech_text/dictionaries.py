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

from speech_text.default.data import KINDS, Word

_PHONEMES = "G2P_all_phonemes.json"
_FILES = ("custom_replace.jsonl", "G2P_replace_dict.jsonl", "G2P_able_1word.json", _PHONEMES, "words.tsv")
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
        warnings: list[str] = []
        replacements, pronunciations, keep, phonemes, words = (
            _File(path, warnings) for path in cls.files(folder)
        )
        names = phonemes.names()
        return cls(
            replacements.pairs(),
            pronunciations.pronunciations(names),
            keep.characters(),
            names,
            words.words(),
            tuple(warnings),
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


class _File:
    """A dictionary file. `warnings` gets a sentence for each entry, line or file that cannot be read."""

    def __init__(self, path: Path, warnings: list[str]) -> None:
        self._path, self._warnings = path, warnings

    def _skip(self, why: str, line: int = 0) -> None:
        self._warnings.append(f"{self._path.name}{f', line {line}' if line else ''}: {why}")

    def _text(self) -> str | None:
        try:
            return self._path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            self._skip("not there, so it counts as empty")
        except (OSError, UnicodeError) as error:
            self._skip(f"cannot be read ({error}), so it counts as empty")
        return None

    def _lines(self) -> Iterator[tuple[int, str]]:
        lines = enumerate((self._text() or "").split("\n"), start=1)
        return ((number, line) for number, line in lines if line.strip())

    def _objects(self) -> Iterator[tuple[int, dict[str, object]]]:
        """Yields the JSON objects of a .jsonl file with their line numbers."""
        for number, line in self._lines():
            try:
                if isinstance(value := json.loads(line), dict):
                    yield number, value
                else:
                    self._skip("a JSON object is expected", number)
            except ValueError as error:
                self._skip(f"not JSON ({error})", number)

    def _values(self, kind: type[list[object] | dict[str, object]], expected: str) -> list[object]:
        """Returns the values of the JSON list or object that the file holds."""
        if (text := self._text()) is not None:
            try:
                if isinstance(value := json.loads(text), kind):
                    return [*(value.values() if isinstance(value, dict) else value)]
                self._skip(f"a JSON {expected} is expected")
            except ValueError as error:
                self._skip(f"not JSON ({error}), so it counts as empty")
        return []

    def pairs(self) -> tuple[tuple[str, str], ...]:
        pairs = []
        for number, entry in self._objects():
            origin, new = entry.get("origin"), entry.get("new")
            if isinstance(origin, str) and isinstance(new, str) and origin:
                pairs.append((origin, new))
            else:
                self._skip('needs the texts "origin" (not empty) and "new"', number)
        return tuple(pairs)

    def pronunciations(self, phonemes: frozenset[str]) -> dict[str, str]:
        entries: dict[str, str] = {}
        for number, entry in self._objects():
            for source, spoken in entry.items():
                if not source or not isinstance(spoken, str):
                    self._skip("a text and its replacement are expected", number)
                    continue
                unknown = [name for name in re.findall(r"<\|(.*?)\|>", spoken) if name not in phonemes]
                if unknown and phonemes:
                    self._skip(f"{unknown[0]} is not in {_PHONEMES}", number)
                else:
                    entries[source] = spoken
        return entries

    def words(self) -> tuple[Word, ...]:
        words = []
        for number, line in self._lines() if self._path.exists() else ():
            cells = line.rstrip("\r").split("\t")
            if cells[0] in KINDS and 2 <= len(cells) <= len(Word._fields) and cells[1].strip():
                words.append(Word(*cells))
            elif cells[0] != "kind":
                kinds = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
                self._skip(f"expected, with tabs between: {kinds}, and how it is written", number)
        return tuple(words)

    def characters(self) -> frozenset[str]:
        values = self._values(list, "list of single characters")
        kept = frozenset(item for item in values if isinstance(item, str) and len(item) == 1)
        if len(kept) < len(values):
            self._skip(f"{len(values) - len(kept)} entries are repeated or not one character")
        return kept

    def names(self) -> frozenset[str]:
        values = self._values(dict, expected := "object of phoneme names")
        names = frozenset(name for name in values if isinstance(name, str))
        if all(isinstance(name, str) for name in values):
            return names
        self._skip(f"a JSON {expected} is expected")
        return frozenset()
