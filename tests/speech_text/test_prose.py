"""Paragraphs of dialogue and prose: each question, stop and pause that is written is given to the model.

prose.tsv has a paragraph a line, behind its kind; ‧ stands for a dot that ends no sentence.
"""

from __future__ import annotations

import re
from pathlib import Path

from speech_text import TextFrontend

_NOT_A_DOT = "‧"
_BETWEEN_WORDS = re.compile(r"[^\w'’‧]+")
_CLASSES = {"question": "?？", "stop": ".。!！", "any pause": ";；:：—…", "pause": ",，、"}


def marks(text: str) -> list[str]:
    """The strongest mark between two words, where there is one."""
    between = (run.group().replace("...", "…") for run in _BETWEEN_WORDS.finditer(text))
    found = (next((name for name, chars in _CLASSES.items() if set(chars) & set(run)), "") for run in between)
    return [name for name in found if name]


def is_kept(written: str, given: str) -> bool:
    return written == given or (written == "any pause" and given in ("pause", "stop"))


def test_no_mark_of_a_paragraph_is_lost(frontend: TextFrontend) -> None:
    lost = []
    for line in Path(__file__).with_name("prose.tsv").read_text(encoding="utf-8").splitlines():
        paragraph = line.split("\t")[1]
        given = " ".join(frontend.prepare(paragraph.replace(_NOT_A_DOT, ".")))
        written = marks(paragraph)
        if len(marks(given)) != len(written) or not all(map(is_kept, written, marks(given))):
            lost.append((paragraph, given))
    assert lost == []
