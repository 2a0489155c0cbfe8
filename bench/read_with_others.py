"""Normalises sentences with the text processing of other projects, for
bench/compare_readings.py.

stdin gets a JSON list of [language, text]. stdout gets a JSON object that maps each project's name to its
list of readings. A project that cannot be imported is named on stderr and left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

Reader = Callable[[str, str], str]  # language, text


def main() -> None:
    sentences = json.load(sys.stdin)
    readings = {}
    for name, make in (("WeText", wetext), ("NeMo", nemo)):
        try:
            read = make()
        except ImportError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        readings[name] = [_read(read, language, text) for language, text in sentences]
        print(f"{name}: done", file=sys.stderr)
    json.dump(readings, sys.stdout)


def _read(read: Reader, language: str, text: str) -> str:
    """Reads `text` line by line, as these projects expect. A line that raises stays as it is written."""
    lines = []
    for line in text.split("\n"):
        try:
            lines.append(read(language, line))
        except Exception as error:
            print(f"{error!r}: {line}", file=sys.stderr)
            lines.append(line)
    return "\n".join(lines)


def wetext() -> Reader:
    from wetext import Normalizer

    readers = {language: Normalizer(lang=language, operator="tn") for language in ("zh", "en")}
    return lambda language, line: readers["en" if language == "en" else "zh"].normalize(line)


def nemo() -> Reader:
    from nemo_text_processing.text_normalization.normalize import Normalizer

    readers = {language: Normalizer(input_case="cased", lang=language) for language in ("zh", "en")}
    return lambda language, line: readers["en" if language == "en" else "zh"].normalize(line)


if __name__ == "__main__":
    main()
