"""kill -9 at random moments in a job: what goes on afterwards is the same to the bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.longform.books import book_of, new_job
from tests.longform.killed_jobs import AT_ONCE


@pytest.mark.parametrize(
    ("n_kills", "n_paragraphs"), [(5, 20), pytest.param(100, 300, marks=pytest.mark.long)]
)
def test_a_job_goes_on_after_kills(tmp_path: Path, n_kills: int, n_paragraphs: int) -> None:
    """A job that is killed so often is whole, equal to one that never was, and each of its processes spoke
    nothing that was on the disk when it began."""
    book = book_of(2, n_paragraphs)
    killed, other = new_job(tmp_path / "killed", book), new_job(tmp_path / "other", book)
    runs = _run(killed.path, n_kills)
    assert [run["status"] for run in runs[-1:]] == [0]
    assert sum(run["status"] == 9 for run in runs) > n_kills / 2, "it was killed while it spoke"
    _run(other.path, 0)
    heard, wanted = (
        {path.name: path.read_bytes() for path in each.glob("audio/*")} for each in (killed.path, other.path)
    )
    assert len(wanted) == 2 * (n_paragraphs + 1)
    assert heard == wanted
    assert all(set(run["before"]).isdisjoint(run["spoken"]) for run in runs)
    n_spoken = sum(len(run["spoken"]) for run in runs)
    assert n_spoken <= len(wanted) + AT_ONCE * n_kills, "a kill costs the units at work alone"


def _run(path: Path, n_kills: int) -> list[dict[str, Any]]:
    program = [sys.executable, "-m", "tests.longform.killed_jobs", str(path), str(n_kills)]
    output = subprocess.run(program, check=True, capture_output=True, text=True, timeout=600).stdout
    return [json.loads(line) for line in output.splitlines()]
