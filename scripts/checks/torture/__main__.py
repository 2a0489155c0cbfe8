"""Runs the sections of the torture test. scripts/checks/torture.sh has the usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench.machine import describe
from scripts.checks.torture import faults, fuzzing, hostile, kills, soaking
from scripts.checks.torture.verdict import Verdict, write_json

Section = Callable[[argparse.Namespace], Verdict]
SECTIONS: dict[str, Section] = {
    "recordings": lambda options: hostile.run(options.recordings),
    "fuzz": lambda options: fuzzing.run(options.fuzz_minutes),
    "kills": lambda options: kills.run(options.kills),
    "faults": lambda _: faults.run(),
    "soak": lambda options: soaking.run(options.minutes, rate=options.rate),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="torture.sh", description="Sections: " + ", ".join(SECTIONS))
    parser.add_argument("sections", nargs="*", metavar="SECTION")
    parser.add_argument("--minutes", type=float, default=60, help="of the soak")
    parser.add_argument("--rate", type=float, default=0.7, help="undertakings a second in the soak")
    parser.add_argument("--kills", type=int, default=200, help="of the section kills")
    parser.add_argument("--recordings", type=int, default=2000, help="of the section recordings")
    parser.add_argument("--fuzz-minutes", type=float, default=20)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if unknown := [name for name in options.sections if name not in SECTIONS]:
        parser.error(f"{unknown[0]}: no such section; there are {', '.join(SECTIONS)}")
    verdicts = []
    for name in options.sections or SECTIONS:
        print(f"== {name}", flush=True)
        verdicts.append(SECTIONS[name](options))
        verdicts[-1].end()
    machine = describe("cpu")
    for verdict in verdicts:
        print(f"{'ok  ' if verdict.holds else 'FAIL'}  {verdict.section}: {verdict.seconds:.0f} s")
    print(machine)
    if options.json:
        write_json(options.json, verdicts, machine)
    return 0 if all(verdict.holds for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
