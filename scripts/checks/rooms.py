"""Holds each room of the project to its number of lines: `[tool.rooms]` in pyproject.toml.

    python -m scripts.checks.rooms            one sentence for each fault; exit code 1 if there is one
    python -m scripts.checks.rooms --table    also prints the lines and the budget of each room
    python -m scripts.checks.rooms --write    lowers each budget to today's lines; never raises one

A file belongs to the first room whose `of` names the file, a pattern of it or a folder above it. Every file
of a kind that counts must have a room. The tests' tables do not count: they are examples, not rules.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path, PurePosixPath

KINDS = {
    "python": (".py",),
    "c": (".c", ".cpp", ".h", ".cu"),
    "shell": (".sh",),
    "javascript": (".js", ".mjs", ".ts", ".css"),
    "rows": (".tsv",),
}
LONG = 250  # lines; MOST_LONG of the Python files may have as many or more
MOST_LONG = 0.1


def counted(root: Path) -> dict[PurePosixPath, tuple[str, int]]:
    """Returns the kind and the lines of each file below `root` that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    kinds = {suffix: kind for kind, suffixes in KINDS.items() for suffix in suffixes}
    found = {}
    for path in map(PurePosixPath, filter(None, names.split("\0"))):
        kind = kinds.get(path.suffix)
        if kind and not (kind == "rows" and path.parts[0] == "tests") and (root / path).is_file():
            found[path] = (kind, (root / path).read_bytes().count(b"\n"))
    return found


def _is_of(path: PurePosixPath, place: str) -> bool:
    return path.is_relative_to(place) or ("/" / path).match(f"/{place}")


class Rooms:
    """The rooms of the project at `root`.

    Attributes:
        budgets: the most lines by (room, kind).
        lines: the lines that stand there, by (room, kind).
        homeless: the files without a room.
    """

    def __init__(self, root: Path) -> None:
        rooms = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["rooms"]
        self.budgets = {
            (room, kind): entry[kind] for room, entry in rooms.items() for kind in KINDS if kind in entry
        }
        self.lines = Counter[tuple[str, str]]()
        self.homeless: list[PurePosixPath] = []
        self._files = counted(root)
        for path, (kind, n_lines) in self._files.items():
            of = (name for name, entry in rooms.items() if any(_is_of(path, place) for place in entry["of"]))
            if room := next(of, None):
                self.lines[room, kind] += n_lines
            else:
                self.homeless.append(path)

    def faults(self) -> list[str]:
        found = [f"{path} is in no room of [tool.rooms] (pyproject.toml)." for path in self.homeless]
        for (room, kind), n_lines in self.lines.items():
            if (over := n_lines - self.budgets.get((room, kind), 0)) > 0:
                found.append(f"The room {room} has {n_lines:,} lines of {kind}, {over:,} over its budget.")
        python = [n_lines for kind, n_lines in self._files.values() if kind == "python"]
        if (n_long := sum(n_lines >= LONG for n_lines in python)) > MOST_LONG * len(python):
            found.append(
                f"{n_long} of {len(python)} Python files have {LONG} lines or more; {MOST_LONG:.0%} may."
            )
        return found

    def table(self) -> str:
        rows = [f"{'room':14}{'kind':12}{'lines':>8}{'budget':>8}"]
        for room, kind in dict.fromkeys([*self.budgets, *self.lines]):
            budget = self.budgets.get((room, kind), 0)
            rows.append(f"{room:14}{kind:12}{self.lines[room, kind]:8,}{budget:8,}")
        return "\n".join(rows)

    def lowered(self, pyproject: str) -> str:
        """Returns the text of pyproject.toml with each budget at no more than the lines that stand there."""
        for (room, kind), budget in self.budgets.items():
            fewer = min(budget, self.lines[room, kind])
            budget_of = re.compile(rf"^({room} = \{{.*\b{kind} = )\d+", re.MULTILINE)
            pyproject = budget_of.sub(rf"\g<1>{fewer}", pyproject)
        return pyproject


def main(arguments: list[str]) -> int:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(arguments)
    rooms = Rooms(Path())
    if asked.write:
        pyproject = Path("pyproject.toml")
        pyproject.write_text(rooms.lowered(pyproject.read_text()))
    if asked.table:
        print(rooms.table())
    print("\n".join(found := rooms.faults()) or "No room is over its budget.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
