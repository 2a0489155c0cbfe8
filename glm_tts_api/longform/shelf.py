"""Finds the folders of all jobs on the disk, keeps the known state of each job in memory, and chooses the
jobs that run next. The functions are blocking calls; several threads may call them at a time.

All state of a job is in its folder, so that a new server goes on with the jobs of the server before it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from glm_tts_api.contracts import JobState
from glm_tts_api.errors import JobRuns, StorageFull, UnknownJob
from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import RESTING, Job

logger = logging.getLogger(__name__)
MOST_AT_WORK = 8  # jobs that run at a time: each holds its voices in memory and can fill an engine with units
_ABANDONED_S = _GAP_S = 3600.0
_DAY_S = 86400
_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class JobsConfig:
    """`folder` has the folders of all jobs. `max_bytes` is the most that all jobs together may take on the
    disk. `keep_s` is how long in seconds a job at rest stays before it is deleted; 0 keeps it for ever."""

    folder: Path
    max_bytes: int = 10_000 * 2**20
    keep_s: float = 30 * _DAY_S


@dataclass(slots=True, eq=False)
class Look:
    """A job as this server knows it: its `folder`, the content of job.json, and the progress `made`.
    `changed_at` is when job.json was last written before it was read into `job`, in seconds since 1970.
    `task` runs the job in this server; None where the job does not run here. `pace_s` is the mean time in
    seconds from one finished unit to the next in this run; None before the first unit is spoken. The job does
    not begin here before `not_before`, a time of time.monotonic. `n_output_bytes` is the size of the files
    for download at the last look at the disk. `runs_elsewhere` says that another server was running the job
    when this server last tried to run it. `changing` is held by a change of the job."""

    folder: JobFolder
    job: Job = field(init=False)
    made: Made = field(init=False)
    changed_at: float = field(init=False)
    n_output_bytes: int = 0
    task: asyncio.Task[None] | None = None
    pace_s: float | None = None
    not_before: float = 0.0
    runs_elsewhere: bool = False
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.read_again()

    @property
    def state(self) -> JobState:
        is_spoken = self.job.n_units > 0 and (self.task is not None or self.runs_elsewhere)
        return "running" if is_spoken and self.job.state == "queued" else self.job.state

    @property
    def is_free(self) -> bool:
        return self.task is None and not self.changing.locked()

    @property
    def audio_s(self) -> float:
        return self.made.n_samples / self.job.sample_rate

    @property
    def eta_s(self) -> float | None:
        """The seconds until the job is done; None where they are not known, as for a job that does not run
        here."""
        if self.state != "running" or self.pace_s is None:
            return None
        return (self.job.n_units - self.made.n_units) * self.pace_s

    def read_again(self) -> None:
        """Reads the job and its progress again from its folder. May be called only by the task that runs the
        job, or by a change of the job while this server does not run it. Anyone else would replace a progress
        that the task is still counting."""
        self.changed_at, self.job = self.folder.changed_at, self.folder.read()
        self.made = self.folder.made(self.job.n_units)

    def write(self, state: JobState, message: str) -> None:
        """Sets the job's state and message here, then writes them to its folder. The state `queued` also
        clears `expires_at`. The caller holds the lock of the job's folder. Raises OSError if the folder
        cannot be written."""
        expires_at = 0.0 if state == "queued" else self.job.expires_at
        self.job = msgspec.structs.replace(self.job, state=state, message=message, expires_at=expires_at)
        self.folder.set_changed_at(time.time())  # its rest begins now, also on a full disk
        self.changed_at = self.folder.changed_at
        self.folder.write(self.job)


class Shelf:
    """`n_owners` returns how many clients may own jobs."""

    def __init__(self, config: JobsConfig, n_owners: Callable[[], int] = lambda: 1) -> None:
        self.config, self._n_owners = config, n_owners
        self._known: dict[str, Look] = {}
        self._damaged: set[str] = set()
        self._cut_at: dict[str, float] = {}  # when a text of each owner was last chosen to be cut into units

    def folder(self, id: str) -> JobFolder:
        return JobFolder(self.config.folder / id)

    @property
    def looks(self) -> list[Look]:
        """The jobs that this server knows."""
        return list(self._known.values())

    def require_room(self, owner: str) -> None:
        """Raises StorageFull if the jobs together take more than `max_bytes` on the disk. Of several owners,
        raises it also if the jobs of `owner` take more than half of that."""
        sizes = Counter[str]()
        for look in self.looks:
            sizes[look.job.owner] += look.made.n_bytes + look.n_output_bytes
        most = self.config.max_bytes
        if sizes.total() > most:
            raise StorageFull(
                f"The jobs fill the {most / 2**20:g} MB that they may have (JOBS_MAX_MB): "
                "delete one, or raise that, then resume."
            )
        if 2 * sizes[owner] > most and self._n_owners() > 1:
            raise StorageFull(
                f"The jobs of this key fill half of the {most / 2**20:g} MB that all jobs may have "
                "(JOBS_MAX_MB), which is the most for one key: delete one, then resume."
            )

    def next(self) -> Iterator[Look]:
        """Yields the jobs that begin now. The text of one job is cut into units at a time: of the owner whose
        last turn was the longest ago. At most MOST_AT_WORK jobs are spoken at a time: the next is of the
        owner who has the fewest of them. An owner's jobs begin in the order in which they were made."""
        now, running = time.monotonic(), [look for look in self.looks if look.task is not None]
        may_begin = (look for look in self.looks if look.is_free and now >= look.not_before)
        queued = [look for look in may_begin if look.job.state == "queued"]
        queued.sort(key=lambda look: look.job.created_at)
        uncut = [look for look in queued if not look.job.n_units]
        if uncut and all(look.job.n_units for look in running):
            look = min(uncut, key=lambda look: self._cut_at.get(look.job.owner, 0.0))
            self._cut_at[look.job.owner] = now
            yield look
        at_work = Counter(look.job.owner for look in running if look.job.n_units)
        ready = [look for look in queued if look.job.n_units]
        while ready and at_work.total() < MOST_AT_WORK:
            look = min(ready, key=lambda look: at_work[look.job.owner])
            ready.remove(look)
            at_work[look.job.owner] += 1
            yield look

    def refresh(self) -> None:
        """Reads the list of folders: adds jobs that other servers have made, and forgets deleted jobs."""
        known = set(self._known)  # taken before the folder is read, so that a job made after that stays
        ids = set(self._ids())
        for id in known - ids:
            self.forget(id)
        for id in ids:
            with suppress(UnknownJob):
                self.found(id)

    def look_again(self) -> list[Look]:
        """Reads again each job that another server has changed since this server read it. Jobs that run here
        or are being changed here are left as they are, and so are jobs that cannot be read. No job may begin
        to run meanwhile. Also reads the size of all files for download. Returns the jobs that run here and
        that another server wants to change."""
        wanted = []
        for look in self.looks:
            with suppress(Exception):  # no folder may stop the other jobs
                if look.task is not None and look.folder.take_wish():
                    wanted.append(look)
                look.n_output_bytes = look.folder.n_output_bytes()
                if look.is_free and look.folder.changed_at != look.changed_at:
                    look.read_again()
        return wanted

    def found(self, id: str) -> Look:
        """Returns the job with this id. A job that this server knows already is returned without a look at
        the disk. Raises UnknownJob where there is no such job or its folder cannot be read. A folder that
        cannot be read is logged once."""
        if known := self._known.get(id):
            return known
        folder = self.folder(id)
        try:
            if _ID.fullmatch(id):
                return self._known.setdefault(id, Look(folder))
        except FileNotFoundError:
            pass
        except Exception as error:  # no folder may hide the other jobs
            if id not in self._damaged:
                self._damaged.add(id)
                logger.warning("The job in %s cannot be read: %s", folder.path, error)
        raise no_such_job()

    def forget(self, id: str) -> None:
        self._known.pop(id, None)

    def _ids(self) -> Iterator[str]:
        with suppress(FileNotFoundError):
            yield from (path.name for path in self.config.folder.iterdir() if _ID.fullmatch(path.name))

    def remove_old(self) -> None:
        """Deletes folders that have been no job for an hour, half-made files of servers that were killed an
        hour ago or longer, and old jobs. A job at rest is old once its `expires_at` is past; a job without
        that time is old after a rest of `keep_s` seconds. Errors are ignored. After a gap (see `_gap_s`)
        nothing is deleted until the next call, and the gap does not count as rest."""
        resting = [look for look in self.looks if look.job.state in RESTING]
        if gap_s := self._gap_s():
            for look in resting:
                with suppress(OSError):
                    if look.folder.changed_at == look.changed_at:
                        look.folder.set_changed_at(look.changed_at + gap_s)
                        look.changed_at = look.folder.changed_at  # a full disk may lack the known state
            return
        for folder in map(self.folder, self._ids()):
            with suppress(OSError):
                if not folder.is_job and _is_abandoned(folder.path):
                    folder.delete()
                for left in filter(_is_abandoned, folder.outputs.glob("*.new")):
                    left.unlink(missing_ok=True)
        for look in resting:
            with suppress(OSError, JobRuns):
                rested_at = look.folder.changed_at + (self.config.keep_s or math.inf)
                if (look.job.expires_at or rested_at) < time.time():
                    with look.folder.locked():
                        look.folder.delete()
                    self.forget(look.job.id)
                    logger.info("Job %s is deleted: it rested for too long", look.job.id)

    def _gap_s(self) -> float:
        """Returns how many seconds ago a server last called this function for the folder of all jobs; 0 if
        that is less than an hour. In a longer gap no server ran, or the clock was set ahead."""
        gap_s, stamp = 0.0, self.config.folder / ".swept"
        with suppress(OSError):
            stamp.parent.mkdir(parents=True, exist_ok=True)
            gap_s = time.time() - stamp.stat().st_mtime if stamp.exists() else 0.0
            stamp.touch()
        return gap_s if gap_s > _GAP_S else 0.0


def _is_abandoned(path: Path) -> bool:
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > _ABANDONED_S
    return False


def no_such_job() -> UnknownJob:
    return UnknownJob("There is no such job; GET /api/v1/jobs lists those that you may see.", "id")
