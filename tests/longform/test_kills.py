"""kill -9 at random moments in a job: what goes on afterwards is the same to the bit."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.job import Spoken, Unit
from glm_tts_api.longform.jobs import run_job
from glm_tts_api.longform.shelf import Look
from tests.longform.books import book_of, new_job

AT_ONCE = 2
MOST_S = 0.03  # a unit takes this or less
LOG = "spoken.log"


async def _speak(unit: Unit, log: int) -> Spoken:
    os.write(log, b"%d\n" % unit.index)
    draw = np.random.default_rng(unit.seed)
    await asyncio.sleep(draw.uniform(0, MOST_S))
    return Spoken(draw.uniform(-0.5, 0.5, 200 + unit.index).astype(np.float32), 24000)


def run(folder: JobFolder) -> None:
    log = os.open(folder.path / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with folder.locked():
        asyncio.run(run_job(Look(folder), lambda unit: _speak(unit, log), at_once=AT_ONCE))


def main(folder: JobFolder, n_kills: int) -> None:
    """Runs the job in one process after the other, and kills each but the last. Prints a line of JSON for
    each: the units that were on the disk when it began, and those that it began to speak."""
    moments = random.Random(7)
    log = folder.path / LOG
    for number in range(n_kills + 1):
        before = sorted(index for index, n in enumerate(folder.made(folder.read().n_units).speech) if n >= 0)
        log.unlink(missing_ok=True)
        child = os.fork()
        if not child:
            run(folder)
            os._exit(0)
        if number < n_kills:
            time.sleep(moments.uniform(0, 4 * MOST_S))
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        spoken = log.read_text().split() if log.exists() else []
        print(json.dumps({"before": before, "spoken": [*map(int, spoken)], "status": status}))


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
    run(other)
    heard, wanted = (
        {path.name: path.read_bytes() for path in each.glob("audio/*")} for each in (killed.path, other.path)
    )
    assert len(wanted) == 2 * (n_paragraphs + 1)
    assert heard == wanted
    assert all(set(run["before"]).isdisjoint(run["spoken"]) for run in runs)
    n_spoken = sum(len(run["spoken"]) for run in runs)
    assert n_spoken <= len(wanted) + AT_ONCE * n_kills, "a kill costs the units at work alone"


def _run(path: Path, n_kills: int) -> list[dict[str, Any]]:
    program = [sys.executable, "-m", __name__, str(path), str(n_kills)]
    output = subprocess.run(program, check=True, capture_output=True, text=True, timeout=600).stdout
    return [json.loads(line) for line in output.splitlines()]


if __name__ == "__main__":
    main(JobFolder(Path(sys.argv[1])), int(sys.argv[2]))
