"""Writes a table of the words that the installed pypinyin reads differently from pypinyin 0.44.0.

    pip install --no-deps --target /tmp/pypinyin-0.44 pypinyin==0.44.0
    python scripts/make/build_readings.py /tmp/pypinyin-0.44

Only TEXT_RULES=published uses the table. The words are those of jieba's dictionary, the phrases of both
versions, and single Hanzi.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from speech_text.phonemes.writer import PUBLISHED_READINGS

_DUMP = """
import json, os, sys
import jieba, pypinyin
from pypinyin import Style, pinyin
from pypinyin.constants import PHRASES_DICT
is_hanzi = lambda word: all("\\u3400" <= char <= "\\u9fff" for char in word)
lines = open(os.path.join(os.path.dirname(jieba.__file__), "dict.txt"), encoding="utf-8")
words = {line.split(" ")[0] for line in lines} | set(PHRASES_DICT)
words |= {chr(code) for code in [*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000)]} | set(sys.argv[1:])
def read(word):
    parts = ([item[0] for item in pinyin(word, style=style, strict=True, neutral_tone_with_five=True)]
             for style in (Style.INITIALS, Style.FINALS_TONE3))
    return " ".join("|".join(pair) for pair in zip(*parts))
json.dump({word: read(word) for word in words if is_hanzi(word)}, sys.stdout)
"""


def main() -> None:
    published = _dump(sys.argv[1])
    installed = _dump(None)
    lines = [
        f"{word}\t{published[word]}\n"
        for word in sorted(published.keys() & installed.keys())
        if published[word] != installed[word]
        and not (installed[word] == "|" and published[word] == f"|{word}5")
    ]
    PUBLISHED_READINGS.parent.mkdir(parents=True, exist_ok=True)
    PUBLISHED_READINGS.write_text("".join(lines), encoding="utf-8")
    print(f"{len(lines)} words in {PUBLISHED_READINGS}")


def _dump(library: str | None) -> dict[str, str]:
    path = [library] if library else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*path, str(Path.cwd())])}
    done = subprocess.run([sys.executable, "-c", _DUMP], env=environment, capture_output=True, check=True)
    readings: dict[str, str] = json.loads(done.stdout)
    return readings


if __name__ == "__main__":
    main()
