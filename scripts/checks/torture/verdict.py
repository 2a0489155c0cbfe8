"""The result of a section of the torture test."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Line:
    what: str
    seen: str
    holds: bool

    def __str__(self) -> str:
        return f"  {'ok  ' if self.holds else 'FAIL'}  {self.what}: {self.seen}"


@dataclass
class Verdict:
    """The result of one section: a line for each check, and `figures`, further data for the JSON file."""

    section: str
    lines: list[Line] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    _began_at: float = field(default_factory=time.monotonic, repr=False)

    @property
    def holds(self) -> bool:
        return all(line.holds for line in self.lines)

    def note(self, what: str, seen: object, *, holds: bool = True) -> None:
        line = Line(what, str(seen), holds)
        self.lines.append(line)
        print(line, flush=True)

    def note_faults(self, what: str, faults: Sequence[str], n_tried: int) -> None:
        """Adds one line with the number of faults among `n_tried` and the first five faults. Fails if any."""
        shown = "; ".join(list(faults)[:5])
        self.note(what, f"{len(faults)} of {n_tried}{': ' if shown else ''}{shown}", holds=not faults)

    def end(self) -> None:
        self.seconds = round(time.monotonic() - self._began_at, 1)


def write_json(path: Path, verdicts: Sequence[Verdict], machine: str) -> None:
    sections = [{**_fields(verdict), "holds": verdict.holds} for verdict in verdicts]
    told = {"machine": machine, "holds": all(each.holds for each in verdicts), "sections": sections}
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _fields(verdict: Verdict) -> dict[str, Any]:
    return {name: value for name, value in asdict(verdict).items() if not name.startswith("_")}
