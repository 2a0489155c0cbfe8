"""Prints how a text is spoken, one segment a line: `python -m speech_text "TEXT"`."""

from __future__ import annotations

import argparse
import sys

from speech_text import ReadingOptions, TextError, TextFrontend


def main() -> int:
    parser = argparse.ArgumentParser(
        "python -m speech_text",
        description="Prints how a Chinese or English text is spoken, one segment a line.",
    )
    parser.add_argument("text", nargs="?", help="standard input if it is left out")
    parser.add_argument("--phonemes", action="store_true", help="write uncertain Hanzi as phoneme tokens")
    arguments = parser.parse_args()
    text = sys.stdin.read() if arguments.text is None else arguments.text
    try:
        reading = TextFrontend().read(text, ReadingOptions(use_phoneme=arguments.phonemes))
    except TextError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(segment.spoken for segment in reading.segments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
