"""For `python -m tests.longform.killed_jobs FOLDER KILLS`: runs the job in FOLDER in one process after the
other, and kills each but the last at a random moment with SIGKILL. Prints a line of JSON for each process:
the units that were on the disk when it began, and those that it began to speak."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.job import Spoken, Unit
from glm_tts_api.longform.jobs import run_job

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
        job = folder.read()
        made = folder.made(job.n_units)
        asyncio.run(run_job(folder, job, made, lambda unit: _speak(unit, log), at_once=AT_ONCE))


def main(folder: JobFolder, n_kills: int) -> None:
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


if __name__ == "__main__":
    main(JobFolder(Path(sys.argv[1])), int(sys.argv[2]))
