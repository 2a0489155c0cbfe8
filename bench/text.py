"""Measures how long the text front end needs to turn a text of 1,000 characters into segments, on one core.

The texts are sentences of tests/speech_text/readings, nearly all with figures, and a story without figures.
The baseline is the published rules. Caches are cleared before each try. Times are CPU times of one thread,
after one try that is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from speech_text import TextFrontend
from tests.speech_text.readings.accepted import sentences

LENGTH = 1000
N_TRIES = 12
STORY = {
    "zh": "雨下了一夜，天亮的时候停了。她推开窗，院子里的桂花落了一地，空气里有泥土的味道。",
    "en": "It rained all night and stopped at dawn. She opened the window and smelled the wet earth. ",
}


def run(_: argparse.Namespace) -> dict[str, Any]:
    rows = []
    texts = dict(_texts())
    with tempfile.TemporaryDirectory() as cache:
        for rules in ("default", "published"):
            frontend = TextFrontend(cache_dir=Path(cache), rules=rules)
            for name, tries in texts.items():
                milliseconds = [_measure(frontend, text) for text in tries][1:]
                median_ms, least_ms = statistics.median(milliseconds), min(milliseconds)
                rows.append({"rules": rules, "text": name, "median_ms": median_ms, "least_ms": least_ms})
    print(f"{LENGTH} characters, CPU time of one thread")
    for row in rows:
        times = f"median {row['median_ms']:7.1f} ms   least {row['least_ms']:7.1f} ms"
        print(f"{row['rules']:10} {row['text']:14} {times}")
    return {"rows": rows}


def _measure(frontend: TextFrontend, text: str) -> float:
    frontend.clear_cache()
    began = time.thread_time()
    frontend.prepare(text)
    return 1000 * (time.thread_time() - began)


def _texts() -> Iterator[tuple[str, list[str]]]:
    """Yields for each kind of text (a name, a list of texts: one for each try and one to warm up)."""
    for language, glue in (("zh", ""), ("en", " ")):
        chosen = (one.text.replace("\n", glue) for one in sentences() if one.language == language)
        joined = glue.join(chosen)
        starts = range(0, len(joined) - LENGTH, (len(joined) - LENGTH) // N_TRIES)
        yield f"{language}, figures", [joined[start : start + LENGTH] for start in starts][: N_TRIES + 1]
        yield f"{language}, story", [(STORY[language] * LENGTH)[:LENGTH]] * (N_TRIES + 1)
