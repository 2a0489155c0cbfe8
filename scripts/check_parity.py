"""Compares the project's code with the golden files of a directory, and prints a line per test case.

    python scripts/check_parity.py DIR [--only NAME ...]

A golden file holds inputs and outputs of the published code. A line shows the component, the case, the
maximum absolute error, the relative error, the matched tokens, and PASS, or FAIL with the reason. The last
line is `N passed, M failed`. The exit status is 0 if no case failed, 1 if a case failed, and 2 if DIR has no
golden files.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.checks.parity.components import golden_files, run_file


def main() -> int:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="file names without their suffix")
    args = parser.parse_args()
    files = golden_files(args.directory) if args.directory.is_dir() else []
    files = [path for path in files if not args.only or path.stem in args.only]
    if not files:
        print(f"No golden files in {args.directory}", file=sys.stderr)
        return 2
    verdicts: Counter[str] = Counter()
    for path in files:
        for result in run_file(path):
            verdicts[result.verdict] += 1
            print(result.line(), flush=True)
    print(f"{verdicts['PASS']} passed, {verdicts['FAIL']} failed")
    return 1 if verdicts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
