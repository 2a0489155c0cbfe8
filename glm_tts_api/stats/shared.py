"""Live figures of every worker process of the service, shared through the run folder.

Each worker claims a record by a file lock, and is known by its number. A record is a memory-mapped row of
figures, which its holder writes and everyone reads. The lock dies with its holder, so a record whose lock is
free has no live worker: its active and waiting requests are gone, its totals still count. Who claims it next
goes on from those totals. Records of an earlier start of the service are passed over, but how often their
workers died is handed on: a worker that is alone takes its service with it. Knows no HTTP and no event loop.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from glm_tts_api.durable import locked
from glm_tts_api.stats.figures import FIGURES_CELLS, LANES, Figures, LaneName
from glm_tts_api.stats.lane_counts import CELL_BYTES, COUNTERS, LaneCounters, LaneCounts

Phase = Literal["loading", "ready", "failed", "stalled"]
PHASES: tuple[Phase, ...] = ("loading", "ready", "failed", "stalled")

_MAX_WORKERS = 1024
_SERVICE, _PID, _PHASE, _LISTENS, _RELEASED, _RESTARTS, _WATCHDOG_EXITS, _WEIGHT, _ENDED, _CUT = range(10)
_HEADER_CELLS = 10
_CANNOT_SPEAK = 1 << 48


_COUNTS_CELLS = _HEADER_CELLS + len(LANES) * len(COUNTERS)
_RECORD_BYTES = (_COUNTS_CELLS + FIGURES_CELLS) * CELL_BYTES


@dataclass(frozen=True, slots=True)
class WorkerStats:
    """One record as read. `restarts`: how often its worker died and another took its place; `watchdog_exits`:
    how often it ended itself; `ended`, `cut`: its last answers, those that it had when it was killed too."""

    number: int
    pid: int
    alive: bool
    phase: Phase
    listens: bool
    restarts: int
    watchdog_exits: int
    ended: int
    cut: int
    lanes: dict[LaneName, LaneCounts]
    figures: Figures

    @property
    def ready(self) -> bool:
        return self.alive and self.phase == "ready"


class WorkerRecord:
    """A claimed record: its number, and the counters that its holder writes. Held until `release`."""

    def __init__(self, number: int, descriptor: int, service: int) -> None:
        self.number = number
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, _RECORD_BYTES)
        counts, figures = _parts(memoryview(self._map))
        self._cells = counts
        died = counts[_PID] != 0 and not counts[_RELEASED]
        deaths = (counts[_RESTARTS] + died, counts[_WATCHDOG_EXITS])
        if counts[_SERVICE] != service:
            self._map[:] = bytes(_RECORD_BYTES)
        counts[_RESTARTS], counts[_WATCHDOG_EXITS] = deaths
        counts[_PID] = os.getpid()
        counts[_PHASE] = PHASES.index("loading")
        counts[_LISTENS] = counts[_RELEASED] = counts[_WEIGHT] = 0
        self.lanes = {lane: LaneCounters(_lane_cells(counts, at)) for at, lane in enumerate(LANES)}
        for lane in self.lanes.values():  # a predecessor that was killed left these behind
            lane.add("active", -lane.read().active)
            lane.add("waiting", -lane.read().waiting)
        self.figures = Figures(figures)
        self.figures.forget_gauges()
        counts[_SERVICE] = service

    def tell(self, phase: Phase) -> None:
        """Tells the readers how far this worker's model is."""
        self._cells[_PHASE] = PHASES.index(phase)

    @property
    def phase(self) -> Phase:
        return PHASES[self._cells[_PHASE]]

    @property
    def listens(self) -> bool:
        return bool(self._cells[_LISTENS])

    @listens.setter
    def listens(self, listens: bool) -> None:
        self._cells[_LISTENS] = listens

    def weigh(self, weight: int) -> None:
        """Tells the readers how much this worker has to do."""
        self._cells[_WEIGHT] = weight

    def count_watchdog_exit(self) -> None:
        """To be called just before the process ends itself; from any thread."""
        self._cells[_WATCHDOG_EXITS] += 1

    def release(self, *, n_ended: int = 0, n_cut: int = 0) -> None:
        """Gives the record back. Closing alone would not free the lock: the map has its own descriptor."""
        self._cells[_RELEASED], self._cells[_ENDED], self._cells[_CUT] = True, n_ended, n_cut
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)


def service_of(pid: int) -> int:
    """A number that tells the service whose parent (or only) process is `pid` from all others. Raises OSError
    if there is no such process."""
    started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return pid << 40 | started & (1 << 40) - 1


class SharedStats:
    """The records of one service in `folder`. `service` tells one start of the service from the next."""

    def __init__(self, folder: Path, *, service: int) -> None:
        self._folder = folder
        self._service = service

    def claim(self) -> WorkerRecord:
        """Takes the first free record. Raises OSError, also where the disk is full: a map without room behind
        it would end the process at the first write."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in range(_MAX_WORKERS):
            descriptor = os.open(self._path(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if _lock(descriptor):
                if os.fstat(descriptor).st_size != _RECORD_BYTES:
                    os.ftruncate(descriptor, 0)  # of another version
                os.posix_fallocate(descriptor, 0, _RECORD_BYTES)
                return WorkerRecord(number, descriptor, self._service)
            os.close(descriptor)
        raise RuntimeError(f"all {_MAX_WORKERS} records of {self._folder} are taken")

    def may_listen(self, own: WorkerRecord) -> bool:
        """Whether that record's worker is to take connections from now on; if so, the others read it.

        One that is ready does, unless another still tells callers that all are loading: they would hear now
        the one, now the other. One that is not does if nobody else can say why nothing is spoken.
        """
        with locked(self._folder / "listening.lock"):  # of two that ask at once the second sees the first
            others = [record for record in self.read() if record.alive and record.number != own.number]
            if own.phase == "ready":
                may = not any(other.listens and other.phase == "loading" for other in others)
            else:
                may = not any(other.listens or other.phase == "ready" for other in others)
            own.listens = may
        return may

    def leave_to_others(self, own: WorkerRecord) -> bool:
        """Tells the others that the record's worker leaves what is new to them; whether one takes it that can
        speak. Of two that leave at once the second sees that the first has left."""
        try:
            with locked(self._folder / "listening.lock"):
                own.listens = False
                return any(other.listens and other.ready for other in self.read())
        except OSError:  # this process may open no file to see it
            return False

    def is_lightest(self, own: WorkerRecord, weight: int) -> bool:
        """Whether no other worker that takes connections has less to do than the record's own, whose `weight`
        the others read from now on; also where this process may open no file to see it."""
        own.weigh(weight)
        weight = _burden(weight, own.phase)
        try:
            others = [self._weight_in(path) for number, path in self._files() if number != own.number]
        except OSError:
            return True
        return all(other is None or weight <= other for other in others)

    def read(self) -> list[WorkerStats]:
        """Every record of this service, by number. Blocking, short."""
        records = (self._read_one(number, path) for number, path in self._files())
        return [record for record in records if record is not None]

    def _path(self, number: int) -> Path:
        return self._folder / f"worker-{number}.slot"

    def _files(self) -> Iterator[tuple[int, Path]]:
        """Those that were ever claimed, by number."""
        for number in range(_MAX_WORKERS):
            path = self._path(number)
            if not path.exists():
                return
            yield number, path

    def _weight_in(self, path: Path) -> int | None:
        """What a worker that takes connections has to do; None if there is none. Reads the header alone, for
        it is asked before each connection."""
        with path.open("rb", buffering=0) as file:
            header = file.read(_HEADER_CELLS * CELL_BYTES)
            if os.fstat(file.fileno()).st_size != _RECORD_BYTES or not _is_locked(file.fileno()):
                return None
        cells = memoryview(header).cast("q")
        if cells[_SERVICE] != self._service or not cells[_LISTENS]:
            return None
        return _burden(cells[_WEIGHT], PHASES[cells[_PHASE]])

    def _read_one(self, number: int, path: Path) -> WorkerStats | None:
        with path.open("rb") as file:
            raw = file.read()
            return self._parse(number, raw, alive=_is_locked(file.fileno()))

    def _parse(self, number: int, raw: bytes, *, alive: bool) -> WorkerStats | None:
        """What a record's file holds; None if it is of another service, or of another version."""
        if len(raw) != _RECORD_BYTES:
            return None
        cells, figures = _parts(memoryview(raw))
        if cells[_SERVICE] != self._service:
            return None
        lanes = {lane: LaneCounts(*_lane_cells(cells, at)) for at, lane in enumerate(LANES)}
        n_lost = (
            0 if alive or cells[_RELEASED] else sum(each.active + each.waiting for each in lanes.values())
        )
        if not alive:
            lanes = {lane: counts.of_the_dead() for lane, counts in lanes.items()}
        return WorkerStats(
            number=number,
            pid=cells[_PID],
            alive=alive,
            phase=PHASES[cells[_PHASE]],
            listens=alive and bool(cells[_LISTENS]),
            restarts=cells[_RESTARTS],
            watchdog_exits=cells[_WATCHDOG_EXITS],
            ended=cells[_ENDED],
            cut=cells[_CUT] + n_lost,
            lanes=lanes,
            figures=Figures(figures),
        )


def _burden(weight: int, phase: Phase) -> int:
    """A worker that cannot speak has more to do than any other: what it refuses is done at once."""
    return weight if phase == "ready" else weight + _CANNOT_SPEAK


def _parts(record: memoryview) -> tuple[memoryview[int], memoryview[float]]:
    """Header and lanes, whole numbers; and the figures."""
    middle = _COUNTS_CELLS * CELL_BYTES
    return record[:middle].cast("q"), record[middle:].cast("d")


def _lane_cells(cells: memoryview, lane: int) -> memoryview:
    start = _HEADER_CELLS + lane * len(COUNTERS)
    return cells[start : start + len(COUNTERS)]


def _lock(descriptor: int) -> bool:
    """Takes the lock if no worker has it. A reader may hold it for an instant, hence three tries."""
    for _ in range(3):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.005)
        else:
            return True
    return False


def _is_locked(descriptor: int) -> bool:
    """Whether a worker holds the lock; the shared lock taken to find out goes with the descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
