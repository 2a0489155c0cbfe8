"""Runs a job: speaks each unit that is not on the disk yet, several at a time. Uses asyncio. The caller
brings the function that speaks a unit, and cancels the run to pause the job."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import numpy as np

from glm_tts_api.errors import DeadlineExceeded, InternalFault, NothingToSay, Unavailable
from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import Job, Speak, Spoken, Unit

logger = logging.getLogger(__name__)
_ATTEMPTS = 3  # how often a unit is tried if its errors do not say when to try again
_AGAIN_S = 1.0


async def run_job(
    folder: JobFolder,
    job: Job,
    speak: Speak,
    *,
    made: Made,
    at_once: int = 1,
    progress: Callable[[Unit, Spoken], None] = lambda unit, spoken: None,
) -> None:
    """Speaks all units of `job` that are missing in `folder`, `at_once` of them at a time, and writes each to
    the disk. Returns once every unit is on the disk. `made` is the job's progress and is kept up to date.
    `progress` is called after each unit. The caller holds the folder's lock.

    Raises StorageFull where the disk has no room, and the ServiceError of a unit that cannot be spoken. Units
    that were finished before stay on the disk.
    """
    await asyncio.to_thread(folder.sweep)
    units = folder.units(without=made)

    async def work() -> None:
        for unit in units:
            spoken = await _spoken(unit, speak, job.sample_rate)
            await _keep(folder, unit, spoken, made)
            progress(unit, spoken)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _spoken(unit: Unit, speak: Speak, sample_rate: int) -> Spoken:
    """Speaks a unit with `speak`, and tries again after temporary errors, such as a model that is not loaded
    yet. Errors that say when to try again are repeated without limit; of the others, the third is raised. A
    unit with nothing to say gives an empty array of samples."""
    faults = 0
    while True:
        try:
            return await speak(unit)
        except NothingToSay:
            return Spoken(np.zeros(0, np.float32), sample_rate)
        except (InternalFault, DeadlineExceeded, Unavailable) as error:
            wait_s = error.retry_after_s
            faults += wait_s is None
            if faults == _ATTEMPTS:
                raise
            logger.warning("Unit %d is spoken again: %s", unit.index, error.message)
            await asyncio.sleep(wait_s or _AGAIN_S)


async def _keep(folder: JobFolder, unit: Unit, spoken: Spoken, made: Made) -> None:
    """Writes a spoken unit to the disk and adds it to `made`, even if the run is cancelled while the disk is
    written."""
    keeping = asyncio.ensure_future(asyncio.to_thread(folder.keep, unit, spoken))
    try:
        await asyncio.shield(keeping)
    finally:
        made.add(unit.index, *await keeping)
