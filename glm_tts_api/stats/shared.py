"""Live figures of every worker process of the service, shared through the run folder.

Each worker claims a slot by a file lock and writes its own record, a memory-mapped row of numbers; everyone
reads all of them. The lock dies with its holder, so a record whose lock is free has no live worker: its
active and waiting requests are gone, its totals still count. A slot that is claimed again goes on from those
totals. Records of an earlier start of the service are passed over, but how often a slot's workers died is
handed on: a worker that is alone takes its service with it. Knows no HTTP and no event loop.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from glm_tts_api.stats.figures import FIGURES_CELLS, LANES, Figures, LaneName

Phase = Literal["loading", "ready", "failed", "stalled"]
PHASES: tuple[Phase, ...] = ("loading", "ready", "failed", "stalled")

_MAX_SLOTS = 1024
_SERVICE, _PID, _PHASE, _LISTENS, _RELEASED, _RESTARTS, _WATCHDOG_EXITS, _WEIGHT = range(8)
_HEADER_CELLS = 8
_CELL_BYTES = 8


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """What one lane did: `active` and `waiting` now, the rest since the service started."""

    active: int = 0
    waiting: int = 0
    total: int = 0
    completed: int = 0
    failed: int = 0
    timed_out: int = 0
    cancelled: int = 0
    rejected: int = 0

    @classmethod
    def sum(cls, counts: Iterable[LaneCounts]) -> LaneCounts:
        rows = [tuple(asdict(row).values()) for row in counts]
        return cls(*(sum(column) for column in zip(*rows, strict=True)))

    def of_the_dead(self) -> LaneCounts:
        """The same totals with nothing going on."""
        return LaneCounts(0, 0, *tuple(asdict(self).values())[2:])


_COUNTERS = tuple(field.name for field in fields(LaneCounts))
_COUNTS_CELLS = _HEADER_CELLS + len(LANES) * len(_COUNTERS)
_RECORD_BYTES = (_COUNTS_CELLS + FIGURES_CELLS) * _CELL_BYTES


@dataclass(frozen=True, slots=True)
class WorkerStats:
    """One record as read. `restarts`: how often the slot's worker died and another took its place, and
    `watchdog_exits`, how often it ended itself; `weight`: what it has to do, by its own measure."""

    slot: int
    pid: int
    alive: bool
    phase: Phase
    listens: bool
    restarts: int
    watchdog_exits: int
    weight: int
    lanes: dict[LaneName, LaneCounts]
    figures: Figures

    @property
    def ready(self) -> bool:
        return self.alive and self.phase == "ready"


class LaneCounters:
    """One lane's counters in this worker's record; written from the event loop only."""

    def __init__(self, cells: memoryview) -> None:
        self._cells = cells

    def add(self, counter: str, amount: int = 1) -> None:
        self._cells[_COUNTERS.index(counter)] += amount

    def read(self) -> LaneCounts:
        return LaneCounts(*self._cells)


def private_counters() -> dict[LaneName, LaneCounters]:
    """Counters of both lanes that nobody else reads."""
    return {
        lane: LaneCounters(memoryview(bytearray(len(_COUNTERS) * _CELL_BYTES)).cast("q")) for lane in LANES
    }


class WorkerRecord:
    """A claimed slot: its number, and the counters that its holder writes. Held until `release`."""

    def __init__(self, index: int, descriptor: int, service: int) -> None:
        self.index = index
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
        self.lanes = {lane: LaneCounters(_lane_cells(counts, number)) for number, lane in enumerate(LANES)}
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

    def release(self) -> None:
        """Gives the slot back. Closing alone would not free the lock: the map has its own descriptor."""
        self._cells[_RELEASED] = True
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)


def service_of(pid: int) -> int:
    """A number that tells the service whose parent (or only) process is `pid` from all others. Raises OSError
    if there is no such process."""
    started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return pid << 40 | started & (1 << 40) - 1


class SharedStats:
    """The slots of one service in `folder`. `service` tells one start of the service from the next."""

    def __init__(self, folder: Path, *, service: int) -> None:
        self._folder = folder
        self._service = service

    def claim(self) -> WorkerRecord:
        """Takes the first free slot. Raises OSError, also where the disk is full: a map without room behind
        it would end the process at the first write."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for index in range(_MAX_SLOTS):
            descriptor = os.open(self._path(index), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if _lock(descriptor):
                if os.fstat(descriptor).st_size != _RECORD_BYTES:
                    os.ftruncate(descriptor, 0)  # of another version
                os.posix_fallocate(descriptor, 0, _RECORD_BYTES)
                return WorkerRecord(index, descriptor, self._service)
            os.close(descriptor)
        raise RuntimeError(f"all {_MAX_SLOTS} worker slots of {self._folder} are taken")

    def may_listen(self, slot: WorkerRecord) -> bool:
        """Whether the slot's worker is to take connections from now on; if so, the others read that it does.

        One that is ready does, unless another still tells callers that all are loading: they would hear now
        the one, now the other. One that is not does if nobody else can say why nothing is spoken.
        """
        with (self._folder / "listening.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # so that of two that ask at once the second sees the first
            others = [record for record in self.read() if record.alive and record.slot != slot.index]
            if slot.phase == "ready":
                may = not any(other.listens and other.phase == "loading" for other in others)
            else:
                may = not any(other.listens or other.phase == "ready" for other in others)
            slot.listens = may
        return may

    def is_lightest(self, slot: WorkerRecord, weight: int) -> bool:
        """Whether no other worker that takes connections has less to do than the slot's, whose `weight` the
        others read from now on; also where this process may open no file to see it."""
        slot.weigh(weight)
        try:
            records = self.read()
        except OSError:
            return True
        return all(weight <= other.weight for other in records if other.listens and other.slot != slot.index)

    def read(self) -> list[WorkerStats]:
        """Every record of this service, in the order of the slots. Blocking, short."""
        records: list[WorkerStats] = []
        for index in range(_MAX_SLOTS):
            path = self._path(index)
            if not path.exists():
                break
            record = self._read_one(index, path)
            if record is not None:
                records.append(record)
        return records

    def _path(self, index: int) -> Path:
        return self._folder / f"worker-{index}.slot"

    def _read_one(self, index: int, path: Path) -> WorkerStats | None:
        with path.open("rb") as file:
            raw = file.read()
            alive = _is_locked(file.fileno())
        return self._parse(index, raw, alive=alive)

    def _parse(self, index: int, raw: bytes, *, alive: bool) -> WorkerStats | None:
        """What a slot's file holds; None if it is of another service, or of another version."""
        if len(raw) != _RECORD_BYTES:
            return None
        cells, figures = _parts(memoryview(raw))
        if cells[_SERVICE] != self._service:
            return None
        lanes = {lane: LaneCounts(*_lane_cells(cells, number)) for number, lane in enumerate(LANES)}
        if not alive:
            lanes = {lane: counts.of_the_dead() for lane, counts in lanes.items()}
        return WorkerStats(
            slot=index,
            pid=cells[_PID],
            alive=alive,
            phase=PHASES[cells[_PHASE]],
            listens=alive and bool(cells[_LISTENS]),
            restarts=cells[_RESTARTS],
            watchdog_exits=cells[_WATCHDOG_EXITS],
            weight=cells[_WEIGHT],
            lanes=lanes,
            figures=Figures(figures),
        )


def _parts(record: memoryview) -> tuple[memoryview[int], memoryview[float]]:
    """Header and lanes, whole numbers; and the figures."""
    middle = _COUNTS_CELLS * _CELL_BYTES
    return record[:middle].cast("q"), record[middle:].cast("d")


def _lane_cells(cells: memoryview, number: int) -> memoryview:
    start = _HEADER_CELLS + number * len(_COUNTERS)
    return cells[start : start + len(_COUNTERS)]


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
