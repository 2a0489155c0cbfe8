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
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from speech_text.default.data import KINDS, Word

REPLACEMENTS = "custom_replace.jsonl"
PRONUNCIATIONS = "G2P_replace_dict.jsonl"
KEEP_LIST = "G2P_able_1word.json"
PHONEMES = "G2P_all_phonemes.json"
WORDS = "words.tsv"
_FILES = (REPLACEMENTS, PRONUNCIATIONS, KEEP_LIST, PHONEMES, WORDS)
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
        warnings: list[str] = []
        names = _phoneme_names(phonemes, warnings)
        return cls(
            replacements=_replacements(replacements, warnings),
            pronunciations=_pronunciations(pronunciations, names, warnings),
            keep=_keep_list(keep, warnings),
            phonemes=names,
            words=_words(words, warnings),
            warnings=tuple(warnings),
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


def _text(path: Path, warnings: list[str]) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        warnings.append(f"{path.name}: not there, so it counts as empty")
    except (OSError, UnicodeError) as error:
        warnings.append(f"{path.name}: cannot be read ({error}), so it counts as empty")
    return None


def _objects(path: Path, warnings: list[str]) -> list[tuple[int, dict[str, object]]]:
    """Returns the JSON objects of a .jsonl file with their line numbers. Appends a warning to `warnings` for
    each other line that is not blank."""
    found = []
    for number, line in enumerate((_text(path, warnings) or "").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            warnings.append(f"{path.name}, line {number}: not JSON ({error})")
            continue
        if isinstance(value, dict):
            found.append((number, value))
        else:
            warnings.append(f"{path.name}, line {number}: a JSON object is expected")
    return found


def _replacements(path: Path, warnings: list[str]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for number, entry in _objects(path, warnings):
        origin, new = entry.get("origin"), entry.get("new")
        if isinstance(origin, str) and isinstance(new, str) and origin:
            pairs.append((origin, new))
        else:
            warnings.append(f'{path.name}, line {number}: needs the texts "origin" (not empty) and "new"')
    return tuple(pairs)


def _pronunciations(path: Path, phonemes: frozenset[str], warnings: list[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for number, entry in _objects(path, warnings):
        for source, spoken in entry.items():
            if not source or not isinstance(spoken, str):
                warnings.append(f"{path.name}, line {number}: a text and its replacement are expected")
                continue
            unknown = [
                name for name in re.findall(r"<\|(.*?)\|>", spoken) if phonemes and name not in phonemes
            ]
            if unknown:
                warnings.append(f"{path.name}, line {number}: {unknown[0]} is not in {PHONEMES}")
                continue
            entries[source] = spoken
    return entries


def _words(path: Path, warnings: list[str]) -> tuple[Word, ...]:
    words = []
    lines = (_text(path, warnings) or "").splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        cells = line.split("\t")
        if not line.strip() or cells[0] == "kind":
            continue
        if cells[0] in KINDS and 2 <= len(cells) <= len(Word._fields) and cells[1].strip():
            words.append(Word(*cells))
        else:
            expected = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}, and how it is written"
            warnings.append(f"{path.name}, line {number}: expected, with tabs between: {expected}")
    return tuple(words)


def _keep_list(path: Path, warnings: list[str]) -> frozenset[str]:
    value = _json(path, warnings)
    if value is None:
        return frozenset()
    if not isinstance(value, list):
        warnings.append(f"{path.name}: a JSON list of single characters is expected")
        return frozenset()
    kept = frozenset(item for item in value if isinstance(item, str) and len(item) == 1)
    if len(kept) < len(value):
        warnings.append(f"{path.name}: {len(value) - len(kept)} entries are repeated or not one character")
    return kept


def _phoneme_names(path: Path, warnings: list[str]) -> frozenset[str]:
    value = _json(path, warnings)
    if value is None:
        return frozenset()
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        warnings.append(f"{path.name}: a JSON object of phoneme names is expected")
        return frozenset()
    return frozenset(value.values())


def _json(path: Path, warnings: list[str]) -> object:
    text = _text(path, warnings)
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        warnings.append(f"{path.name}: not JSON ({error}), so it counts as empty")
        return None
