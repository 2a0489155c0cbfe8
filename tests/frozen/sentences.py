"""Every sentence of the tests of text, and how the default rules speak it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from speech_text import TextFrontend
from tests.speech_text.readings.accepted import FOLDER, sentences

_TEXTS = FOLDER.parent


def spoken_sentences() -> Iterator[str]:
    """The segments of each sentence as they are spoken, on one line; those with polyphones as phonemes."""
    with tempfile.TemporaryDirectory() as cache:
        frontend = TextFrontend(cache_dir=Path(cache))
        for text in [*(one.text for one in (*sentences(), *sentences(FOLDER / "aside"))), *_prose()]:
            yield " | ".join(map(_line, frontend.prepare(text)))
        for text in _polyphones():
            yield " | ".join(map(_line, frontend.prepare(text, use_phoneme=True)))


def _prose() -> list[str]:
    lines = (_TEXTS / "prose.tsv").read_text(encoding="utf-8").splitlines()
    return [line.partition("\t")[2] for line in lines]


def _polyphones() -> list[str]:
    files = sorted(_TEXTS.glob("polyphone*.tsv"))
    marked = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return list(dict.fromkeys(re.split(r"[\t\n]+", re.sub(r"\{(.)\|\w+\}", r"\1", marked).strip())))


def _line(text: str) -> str:
    return text.replace("\n", "\\n").replace("\t", "\\t")
