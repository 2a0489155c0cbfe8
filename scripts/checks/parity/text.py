"""Compares the text front end under rules="published": normalisation, splitting, phonemes.

Phonemes are compared with `segments_g2p_all`, which needs no keep list and no dictionary. They are also
compared with `segments_g2p` if the published lists exist. The lists are read from the folder data in the
golden files' folder, or two folders above it. The project may not distribute them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from scripts.checks.parity.golden import Case, CaseResult, Golden
from speech_text import Dictionaries, TextFrontend
from speech_text.cut.split import split
from speech_text.phonemes.writer import Phonemizer

# The whole of the published custom_replace.jsonl, which the normalised texts need.
PUBLISHED_REPLACEMENTS = (("噢", "哦"), ("欸", "诶"))


def run(golden: Golden) -> Iterator[CaseResult]:
    lists = _published_lists(golden.path.parent)
    with tempfile.TemporaryDirectory() as folder:
        replacing = partial(Dictionaries, PUBLISHED_REPLACEMENTS)
        frontend = TextFrontend(replacing, cache_dir=Path(folder), rules="published")
        phonemize = Phonemizer(Path(folder), published=True)
        for entry in golden.cases:
            yield _compare(entry, frontend, phonemize, lists)


def _compare(
    entry: dict[str, Any], frontend: TextFrontend, phonemize: Phonemizer, lists: Dictionaries | None
) -> CaseResult:
    case = Case("text", f"text {entry['id']}")
    normalized = entry.get("normalized_wetext_1_2_0", entry["normalized"])
    case.same("normalized", [frontend.normalize(entry["raw"])], [normalized])
    for what, text in (("segments", entry["normalized"]), ("raw_segments", entry["raw"])):
        segments = split(text)  # must not raise where the reference did
        if isinstance(entry[what], list):
            case.same(what, segments, entry[what])
    if "normalized_wetext_1_2_0" not in entry:  # such an entry's segments come from another WeTextProcessing
        again = [frontend.normalize(segment) for segment in entry["segments"] or []]
        case.same("segments_normalized", again, entry["segments_normalized"] if entry["segments"] else [])
    for what, own in (("segments_g2p_all", Dictionaries()), ("segments_g2p", lists)):
        if own:
            case.same(what, [phonemize(one, own) for one in entry["segments_normalized"]], entry[what])
    return case.result()


def _published_lists(directory: Path) -> Dictionaries | None:
    for folder in (directory / "data", directory.resolve().parent.parent / "data"):
        if (folder / "G2P_able_1word.json").is_file():
            return Dictionaries.read(folder)
    return None
