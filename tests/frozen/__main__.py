"""Writes or compares the frozen table: what the server and its commands answer, to the bit.

    python -m tests.frozen compare                 all of it, six minutes on two cores
    python -m tests.frozen compare openai pages    these chapters of requests (tests/frozen/cases.py)
    python -m tests.frozen compare readings help   these parts: readings, openapi, metrics, settings, help
    python -m tests.frozen write [PART ...]        the files beside this one, anew

A change that changes lines of the table says in its commit which of them and why.
"""

from __future__ import annotations

import argparse
import sys

from tests.frozen.table import CHAPTERS, PARTS, compare, write


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.frozen",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=["write", "compare"])
    parser.add_argument("parts", nargs="*", metavar="PART", help="all unless named")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - {*CHAPTERS, *PARTS}:
        parser.error(f"{', '.join(unknown)}: choose from {', '.join((*CHAPTERS, *PARTS))}")
    parts = arguments.parts or [*CHAPTERS, *PARTS]
    if arguments.what == "write":
        write(parts)
        return 0
    differences = compare(parts)
    print("\n".join(differences) or "All is as in the table.")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
