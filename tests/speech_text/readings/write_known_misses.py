"""Writes known_misses.txt: the sentences of this folder that the default rules do not read well yet."""

from __future__ import annotations

import tempfile
from pathlib import Path

from speech_text import TextFrontend
from tests.speech_text.readings.accepted import FOLDER, sentences  # beside this file


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        frontend = TextFrontend(cache_dir=Path(cache))
        missed = [
            one.text for one in sentences() if not one.is_read_well(" ".join(frontend.prepare(one.text)))
        ]
    lines = [text.replace("\n", "\\n") + "\n" for text in missed]
    (FOLDER / "known_misses.txt").write_text("".join(lines), encoding="utf-8")
    print(f"{len(lines)} sentences are not read well yet")


if __name__ == "__main__":
    main()
