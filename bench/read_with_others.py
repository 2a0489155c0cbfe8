"""Normalises sentences with the text processing of another project, for bench/compare_readings.py.

The argument names the package. stdin gets a JSON list of [language, text], stdout gets a JSON list of
readings.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

Reader = Callable[[str], str]


def wetext(language: str) -> Any:
    from wetext import Normalizer

    return Normalizer(lang=language, operator="tn").normalize


def nemo_text_processing(language: str) -> Any:
    from nemo_text_processing.text_normalization.normalize import Normalizer

    return Normalizer(input_case="cased", lang=language).normalize


def zh_normalization(language: str) -> Reader:
    """The rules of PaddleSpeech's front end, which are for Chinese alone."""
    from zh_normalization import TextNormalizer

    read = TextNormalizer().normalize
    return str if language == "en" else lambda line: "".join(read(line))


def _read(reader: Reader, text: str) -> str:
    """Reads `text` line by line, as these projects expect. A line that raises stays as it is written."""
    lines = []
    for line in text.split("\n"):
        try:
            lines.append(reader(line))
        except Exception as error:
            print(f"{error!r}: {line}", file=sys.stderr)
            lines.append(line)
    return "\n".join(lines)


def main() -> None:
    make: Any = globals()[sys.argv[1]]
    readers = {language: make(language) for language in ("zh", "en")}
    sentences = json.load(sys.stdin)
    json.dump(
        [_read(readers["en" if language == "en" else "zh"], text) for language, text in sentences], sys.stdout
    )


if __name__ == "__main__":
    main()
