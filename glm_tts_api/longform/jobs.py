"""Runs the jobs of a server, and pauses, resumes, cancels and deletes jobs as their owners ask. Uses asyncio;
knows no HTTP and no engine.

Two servers never run the same job: only the process that holds the lock of a job's folder runs, changes or
deletes the job.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Final, get_args

from glm_tts_api.contracts import JobState
from glm_tts_api.errors import InternalFault, JobRefuses, JobRuns, ServiceError, StorageFull
from glm_tts_api.longform.audio import remove_damaged
from glm_tts_api.longform.folder import JobFolder, told_what_to_do
from glm_tts_api.longform.holding import PATIENCE_S, change_of, held
from glm_tts_api.longform.job import Job, Speak, Spoken, Unit
from glm_tts_api.longform.runner import run_job
from glm_tts_api.longform.shelf import (
    JobsConfig,
    Look,
    Shelf,
    no_such_job,
    read_again,
    save,
    write_state,
)
from glm_tts_api.longform.turns import Turns

logger = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
_AFTER_FAULT_S = 30.0
_SWEEP_EVERY_S = 600.0
# For each state that a request may ask for, the states that a job can be in before.
_WAYS: Final[dict[JobState, tuple[JobState, ...]]] = {
    "paused": ("queued", "running", "paused"),
    "queued": ("queued", "running", "paused", "failed", "done"),
    "cancelled": ("queued", "running", "paused", "failed", "cancelled"),
}
_FAULT = "A fault of the server; its log has the details. Resume tries again."
_VERBS = {"paused": "paused", "queued": "resumed", "cancelled": "cancelled"}

SpeakOf = Callable[[JobFolder, Job], Speak]
"""A function that prepares a job and returns the function that speaks its units. Blocking. Raises
ServiceError."""
Sees = Callable[[str], bool]
"""A function that takes the owner of a job and returns whether the asking client may see that owner's jobs.
To the client, all other jobs do not exist."""


class Jobs:
    """All jobs of a server. `speak_of` returns the function that speaks the units of a job. `count_unit` is
    called once for each unit that was spoken. `n_owners` returns how many clients may own jobs."""

    def __init__(
        self,
        config: JobsConfig,
        speak_of: SpeakOf,
        *,
        count_unit: Callable[[], None] = lambda: None,
        n_owners: Callable[[], int] = lambda: 1,
    ) -> None:
        self._shelf, self._turns = Shelf(config), Turns()
        self._speak_of = speak_of
        self._count_unit, self._n_owners = count_unit, n_owners
        self._changed = asyncio.Event()

    # -- requests for jobs

    async def create(self, write: Callable[[JobFolder, str], None], owner: str) -> Look:
        """Makes a new job of `owner` and returns it. `write` is called with the new folder and the job's id,
        and writes the job there; it may block. Raises StorageFull, Unhealthy, and the errors of `write`;
        after an error the folder is removed."""
        self._require_room(owner)
        id = uuid.uuid4().hex
        folder = self._shelf.folder(id)

        def make() -> Look:
            try:
                with told_what_to_do():
                    folder.path.mkdir(parents=True)
                    write(folder, id)
            except BaseException:
                with suppress(OSError):
                    folder.delete()
                raise
            return self._shelf.found(id)

        look = await asyncio.to_thread(make)
        self._changed.set()
        return look

    async def all(self, sees: Sees) -> list[Look]:
        """Returns the jobs whose owner passes `sees`, the newest first."""
        await asyncio.to_thread(self._shelf.refresh)
        seen = [look for look in self._shelf.looks if sees(look.job.owner)]
        return sorted(seen, key=lambda look: -look.job.created_at)

    def states(self) -> dict[JobState, int]:
        """Returns how many jobs are in each state, as of the last look at the disk."""
        counts = dict.fromkeys(get_args(JobState), 0)
        for look in self._shelf.looks:
            counts[look.state] += 1
        return counts

    async def get(self, id: str, sees: Sees) -> Look:
        """Returns the job with this id. Raises UnknownJob where there is none, or where `sees` refuses its
        owner."""
        look = await asyncio.to_thread(self._shelf.found, id)
        if not sees(look.job.owner):
            raise no_such_job()
        return look

    async def change(self, id: str, sees: Sees, to: JobState) -> Look:
        """Pauses, resumes or cancels the job with this id: `to` is the new state paused, queued or cancelled.
        To pause or cancel, a run of the job in this server is stopped first. Raises UnknownJob, JobRefuses
        (the job's state does not allow the change), JobRuns (another server does not release the job within 5
        seconds), StorageFull and Unhealthy. If the disk cannot be written, the job keeps the state in which
        this server knew it, which a full disk may lack."""
        look = await self.get(id, sees)
        async with change_of(look):
            if to != "queued":
                await self._stop(look)
            known = look.job, look.changed_at
            if look.task is None:
                await asyncio.to_thread(read_again, look)
            _require_way(look, to)
            if look.job.state != to:
                with told_what_to_do():
                    async with held(look):
                        await asyncio.to_thread(read_again, look)
                        _require_way(look, to)
                        try:
                            await asyncio.to_thread(write_state, look, to, "")
                        except OSError:
                            look.job, look.changed_at = known
                            raise
        self._changed.set()
        return look

    async def delete(self, id: str, sees: Sees) -> None:
        """Stops the job with this id and deletes its folder, also on a full disk. Raises UnknownJob, JobRuns,
        Unhealthy."""
        look = await self.get(id, sees)
        async with change_of(look):
            await self._stop(look)
            with told_what_to_do():
                async with held(look):
                    await asyncio.to_thread(look.folder.delete)
            self._shelf.forget(id)

    # -- running the jobs

    async def keep_going(self, is_stopping: Callable[[], bool]) -> None:
        """Runs the queued jobs until `is_stopping` returns true or the task is cancelled. Meanwhile follows
        the changes that other servers make, and deletes old jobs. At the end all running jobs are stopped;
        the units that are being spoken then are lost, and the next run of the job speaks them again."""
        swept_at, told = float("-inf"), ""
        try:
            while not is_stopping():
                try:
                    await asyncio.to_thread(self._shelf.refresh)
                    await asyncio.to_thread(self._shelf.look_again)
                    await self._let_go_of_wanted()
                    self._begin_queued()
                    if time.monotonic() > swept_at + _SWEEP_EVERY_S:
                        swept_at = time.monotonic()
                        await asyncio.to_thread(self._shelf.remove_old)
                except OSError as error:
                    if told != (told := str(error)):
                        logger.error("JOBS_DIR cannot be read: %s", error)
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _LOOK_EVERY_S)
        finally:
            for look in self._shelf.looks:
                await self._stop(look)

    async def _let_go_of_wanted(self) -> None:
        """Stops each running job that another server wants to change, and does not begin it again for 5
        seconds."""
        for look in self._shelf.looks:
            with suppress(OSError):  # the other jobs go on
                if look.task is not None and await asyncio.to_thread(look.folder.take_wish):
                    await self._stop(look)
                    look.not_before = time.monotonic() + PATIENCE_S

    def _begin_queued(self) -> None:
        for look in self._turns.next(self._shelf.looks):
            look.task = asyncio.create_task(self._run(look))

    async def _run(self, look: Look) -> None:
        try:
            await self._run_locked(look)
        except JobRuns:
            look.runs_elsewhere = True
            look.not_before = time.monotonic() + _LOOK_EVERY_S
            with suppress(Exception):  # a folder that cannot be read is left to the server that runs it
                await asyncio.to_thread(read_again, look)
        except Exception:
            look.not_before = time.monotonic() + _AFTER_FAULT_S
            logger.exception("Job %s cannot be run", look.job.id)
        finally:
            look.task = look.pace_s = None
            self._changed.set()

    async def _run_locked(self, look: Look) -> None:
        with look.folder.locked():
            look.runs_elsewhere = False
            await asyncio.to_thread(read_again, look)
            if look.job.state != "queued":
                return
            state, message = await self._outcome(look)
            if state != "queued":
                await asyncio.to_thread(save, look, state, message)

    async def _outcome(self, look: Look) -> tuple[JobState, str]:
        """Cuts the job's text into units if that is not done yet; else speaks all units that are not spoken.
        Returns the job's new state and a message. The state is queued after the cutting, done after the
        speaking, paused on a full disk, or failed. The message says why a job is paused or failed, and is
        empty otherwise."""
        try:
            if not look.job.n_units:
                await _plan(look)
                return "queued", ""
            await self._speak(look)
        except StorageFull as error:
            logger.error("Job %s is paused: %s", look.job.id, error.message)
            return "paused", error.message
        except ServiceError as error:
            logger.error("Job %s failed: %s", look.job.id, error.message)
            return "failed", error.message
        except Exception:
            logger.exception("Job %s failed", look.job.id)
            return "failed", _FAULT
        return "done", ""

    async def _speak(self, look: Look) -> None:
        """Speaks all units that are missing. Then reads the audio of all units, and speaks again those whose
        files are damaged. Raises InternalFault if their new files are damaged too."""
        speak = await asyncio.to_thread(self._speak_of, look.folder, look.job)
        for _ in range(2):
            await self._speak_missing(look, self._where_there_is_room(speak, look.job.owner))
            if not await asyncio.to_thread(remove_damaged, look.folder, look.made):
                return
            await asyncio.to_thread(read_again, look)
        raise InternalFault("The job's audio cannot be read from the disk: examine the disk, then resume.")

    async def _speak_missing(self, look: Look, speak: Speak) -> None:
        begun_at, n_before, at_once = time.monotonic(), look.made.n_units, self._shelf.config.at_once

        def progress(unit: Unit, spoken: Spoken) -> None:
            look.pace_s = (time.monotonic() - begun_at) / (look.made.n_units - n_before)
            self._count_unit()

        await run_job(look.folder, look.job, speak, made=look.made, at_once=at_once, progress=progress)

    def _require_room(self, owner: str) -> None:
        self._shelf.require_room(owner, n_owners=self._n_owners())

    def _where_there_is_room(self, speak: Speak, owner: str) -> Speak:
        async def speak_with_room(unit: Unit) -> Spoken:
            self._require_room(owner)
            return await speak(unit)

        return speak_with_room

    async def _stop(self, look: Look) -> None:
        if (task := look.task) is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            look.task = None  # a task that was cancelled before its first step has not reset `look.task`


async def _plan(look: Look) -> None:
    stop = threading.Event()
    planning = asyncio.ensure_future(asyncio.to_thread(look.folder.plan, stop.is_set))
    try:
        await asyncio.shield(planning)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(planning, return_exceptions=True)
        raise
    await asyncio.to_thread(read_again, look)


def _require_way(look: Look, to: JobState) -> None:
    if look.state not in _WAYS[to]:
        raise JobRefuses(f"The job is {look.state}: it cannot be {_VERBS[to]}.")
