"""Runs a job: speaks each unit that is not on the disk yet, some at once. Knows asyncio; the caller brings
the voice, and cancels the run to pause."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import numpy as np

from glm_tts_api.errors import DeadlineExceeded, InternalFault, NothingToSay, Unavailable
from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import Job, Speak, Spoken, Unit

logger = logging.getLogger(__name__)
_ATTEMPTS = 3  # of a unit, where nobody says when to come back
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
    """Speaks all units that are missing. Returns once every unit is on the disk; `made` keeps step with the
    folder. The caller holds the folder's lock. `progress` is called after each unit.

    Raises StorageFull where the disk has no room, and the ServiceError of a unit that cannot be spoken.
    Finished units stay.
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
    """Speaks a unit; tries again where a place or a model is missing now. A unit with nothing to say is
    silent."""
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
    """Writes a spoken unit to the disk, even if the run is cancelled meanwhile."""
    keeping = asyncio.ensure_future(asyncio.to_thread(folder.keep, unit, spoken))
    try:
        await asyncio.shield(keeping)
    finally:
        made.add(unit.index, *await keeping)
