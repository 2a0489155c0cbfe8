"""The folders of all jobs, and what is known of them. Blocking, and safe to call from several threads.

The folders are all there is: what ran when a server ended is read by the next one.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from glm_tts_api.contracts import JobState
from glm_tts_api.errors import JobRuns, StorageFull, UnknownJob
from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import RESTING, Job

logger = logging.getLogger(__name__)
_ABANDONED_S = 3600.0
_DAY_S = 86400
_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class JobsConfig:
    """`folder`: of all jobs. `max_bytes` of them together. `keep_s`: how long a job stays that rests; 0: for
    ever. `at_once`: units of one job."""

    folder: Path
    max_bytes: int = 10_000 * 2**20
    keep_s: float = 30 * _DAY_S
    at_once: int = 4


@dataclass(slots=True, eq=False)
class Look:
    """A job as its owner sees it. `changed_at`: of the `job` that was read; `pace_s`: seconds that a unit
    takes; None before one was made. `not_before` (time.monotonic): it cannot begin here until then;
    `runs_elsewhere`: in another server, when it was last to begin here."""

    folder: JobFolder
    job: Job
    made: Made
    changed_at: float
    task: asyncio.Task[None] | None = None
    pace_s: float | None = None
    not_before: float = 0.0
    runs_elsewhere: bool = False
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def state(self) -> JobState:
        is_spoken = self.job.n_units > 0 and (self.task is not None or self.runs_elsewhere)
        return "running" if is_spoken and self.job.state == "queued" else self.job.state

    @property
    def may_begin(self) -> bool:
        is_free = self.task is None and not self.changing.locked()
        return is_free and time.monotonic() >= self.not_before

    @property
    def audio_s(self) -> float:
        return self.made.n_samples / self.job.sample_rate

    @property
    def eta_s(self) -> float | None:
        """None where nobody can say."""
        if self.state != "running" or self.pace_s is None:
            return None
        return (self.job.n_units - self.made.n_units) * self.pace_s


class Shelf:
    def __init__(self, config: JobsConfig) -> None:
        self.config = config
        self._known: dict[str, Look] = {}
        self._damaged: set[str] = set()

    def folder(self, id: str) -> JobFolder:
        return JobFolder(self.config.folder / id)

    @property
    def looks(self) -> list[Look]:
        """The jobs that are known by now."""
        return list(self._known.values())

    def require_room(self) -> None:
        """Raises StorageFull where the jobs have all the room that they may have."""
        if sum(look.made.n_bytes for look in self.looks) > self.config.max_bytes:
            raise StorageFull(
                f"The jobs fill the {self.config.max_bytes / 2**20:g} MB that they may have (JOBS_MAX_MB): "
                "delete one, or raise that, then resume."
            )

    def refresh(self) -> None:
        """Finds what other servers have begun or deleted."""
        known = set(self._known)  # before the folder is read: a job that comes meanwhile stays
        ids = set(self._ids())
        for id in known - ids:
            self.forget(id)
        for id in ids:
            self.look_up(id)

    def look_again(self) -> None:
        """Reads what other servers have changed. To be called while nobody begins to run a job."""
        for look in self.looks:
            if look.task is None and not look.changing.locked():
                with suppress(OSError, msgspec.MsgspecError):
                    if look.folder.changed_at != look.changed_at:
                        read_again(look)

    def look_up(self, id: str) -> Look | None:
        """None where there is no such job, or nothing that can be read."""
        if not _ID.fullmatch(id):
            return None
        look = self._known.get(id)
        try:
            if look is None:
                look = self._known.setdefault(id, _read(self.folder(id)))
        except FileNotFoundError:
            self.forget(id)
            return None
        except (OSError, msgspec.MsgspecError) as error:
            if id not in self._damaged:
                self._damaged.add(id)
                logger.warning("The job in %s cannot be read: %s", self.config.folder / id, error)
            return None
        return look

    def found(self, id: str) -> Look:
        """Raises UnknownJob."""
        look = self.look_up(id)
        if look is None:
            raise no_such_job()
        return look

    def forget(self, id: str) -> None:
        self._known.pop(id, None)

    def _ids(self) -> Iterator[str]:
        with suppress(FileNotFoundError):
            yield from (path.name for path in self.config.folder.iterdir() if _ID.fullmatch(path.name))

    def remove_old(self) -> None:
        """Deletes folders that never became a job, files that a killed server was making, and jobs that have
        rested for too long."""
        for id in self._ids():
            folder = self.folder(id)
            with suppress(OSError):
                if not folder.is_job and _is_abandoned(folder.path):
                    folder.delete()
                for left in filter(_is_abandoned, folder.outputs.glob("*.new")):
                    left.unlink(missing_ok=True)
        for look in self.looks:
            with suppress(OSError, JobRuns):
                if look.job.state in RESTING and self._goes_at(look) < time.time():
                    delete(look.folder)
                    self.forget(look.job.id)
                    logger.info("Job %s is deleted: it rested for too long", look.job.id)

    def _goes_at(self, look: Look) -> float:
        if look.job.expires_at:
            return look.job.expires_at
        return look.folder.changed_at + self.config.keep_s if self.config.keep_s else math.inf


def _is_abandoned(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _ABANDONED_S
    except FileNotFoundError:
        return False


def no_such_job() -> UnknownJob:
    return UnknownJob("There is no such job; GET /api/v1/jobs lists those that you may see.", "id")


def _read(folder: JobFolder) -> Look:
    changed_at, job = folder.changed_at, folder.read()
    return Look(folder, job, folder.made(job.n_units), changed_at)


def read_again(look: Look) -> None:
    """For the task that runs it, or waits until another server does not: nobody else may change what that
    keeps step with."""
    look.changed_at, look.job = look.folder.changed_at, look.folder.read()
    look.made = look.folder.made(look.job.n_units)


def save(look: Look, state: JobState, message: str) -> None:
    """With the lock. On a full disk it is known here alone."""
    expires_at = 0.0 if state == "queued" else look.job.expires_at
    look.job = msgspec.structs.replace(look.job, state=state, message=message, expires_at=expires_at)
    try:
        look.folder.write(look.job)
    except OSError as error:
        logger.error("The state of job %s cannot be written: %s", look.job.id, error)


def delete(folder: JobFolder) -> None:
    """Raises JobRuns."""
    with folder.locked():
        folder.delete()
