"""Prints how a text is spoken, one segment a line: `python -m speech_text "TEXT"`."""

from __future__ import annotations

import argparse
import sys

from speech_text import ReadingOptions, TextError, TextFrontend, quote


def main() -> int:
    parser = argparse.ArgumentParser(
        "python -m speech_text",
        description="Prints how a Chinese or English text is spoken, one segment a line.",
    )
    parser.add_argument("text", nargs="?", help="standard input if it is left out")
    parser.add_argument("--phonemes", action="store_true", help="write uncertain Hanzi as phoneme tokens")
    parser.add_argument("--explain", action="store_true", help="also print what each change is, and its row")
    arguments = parser.parse_args()
    text = sys.stdin.read() if arguments.text is None else arguments.text
    try:
        reading = TextFrontend().read(text, ReadingOptions(use_phoneme=arguments.phonemes))
    except TextError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(segment.spoken for segment in reading.segments))
    for change, row in zip(reading.changes, reading.rows(), strict=True) if arguments.explain else ():
        print(f"  {change.written} -> {change.said}: {change.rule}, {quote(row)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
