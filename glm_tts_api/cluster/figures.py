"""The figures of all replicas, from any of them: each reports its record once a second to one small actor.

A replica's own figures are of now, those of the others at most a second old; of one that was killed, its last
second is lost.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import ray
from msgspec import msgpack
from msgspec.structs import replace

from glm_tts_api.stats.workers import WorkerStats

logger = logging.getLogger(__name__)
_PERIOD_S = 1.0
_SILENT_S = 5.0  # after which a replica is taken for dead
_ANSWER_S = 5.0
_MOST_DEAD = 100  # dead replicas whose totals still count


class Reports:
    """The last report of each replica. Runs as an actor, which outlives the replicas."""

    def __init__(self) -> None:
        self._n_joined = 0
        self._reports: dict[int, tuple[float, bytes]] = {}

    def join(self) -> int:
        """A number that no replica has had before."""
        self._n_joined += 1
        return self._n_joined - 1

    def report(self, number: int, record: bytes) -> None:
        self._n_joined = max(self._n_joined, number + 1)  # an actor that was lost with its node begins anew
        self._reports[number] = (time.monotonic(), record)

    def read(self) -> list[tuple[int, bool, bytes]]:
        """Each replica's number, whether it lives, and its last record; of the dead those that died last."""
        now = time.monotonic()
        reports = [(number, now - at < _SILENT_S, record) for number, (at, record) in self._reports.items()]
        dead = sorted(self._reports, key=lambda number: self._reports[number][0])
        n_dead = sum(not alive for _, alive, _ in reports)
        for number in dead[: max(0, n_dead - _MOST_DEAD)]:
            del self._reports[number]
        return reports


class ClusterStats:
    """The cluster as one replica sees it, which has one engine. `read_own`: that one's figures."""

    def __init__(self, read_own: Callable[[], list[WorkerStats]]) -> None:
        self._read_own = read_own
        self._reports = _reports()
        self._number: int = ray.get(self._reports.join.remote())
        threading.Thread(target=self._report, name="figures", daemon=True).start()

    def read(self) -> list[WorkerStats]:
        """The figures of every replica; dead replicas have their totals."""
        records = {number: (alive, record) for number, alive, record in self._others()}
        records[self._number] = (True, self._own())
        return [_unpacked(record, alive=alive) for _, (alive, record) in sorted(records.items())]

    def _own(self) -> bytes:
        """Mostly zeros, hence compressed."""
        (own,) = self._read_own()
        return zlib.compress(msgpack.encode(replace(own, number=self._number)), level=1)

    def _others(self) -> list[tuple[int, bool, bytes]]:
        try:
            reports: list[tuple[int, bool, bytes]] = ray.get(self._reports.read.remote(), timeout=_ANSWER_S)
        except ray.exceptions.RayError as error:
            logger.warning("The other replicas' figures cannot be read: %s", error)
            return []
        return reports

    def _report(self) -> None:
        """Tells the actor for as long as the process lives."""
        while True:
            try:
                ray.get(self._reports.report.remote(self._number, self._own()), timeout=_ANSWER_S)
            except ray.exceptions.RayError:  # the reader of the reports says so
                self._reports = _reports()
            time.sleep(_PERIOD_S)


def with_others(read_own: Callable[[], list[WorkerStats]]) -> Callable[[], list[WorkerStats]]:
    """Joins the cluster's figures."""
    return ClusterStats(read_own).read


def _unpacked(record: bytes, *, alive: bool) -> WorkerStats:
    worker = msgpack.decode(zlib.decompress(record), type=WorkerStats)
    if alive:
        return worker
    lanes = {lane: counts.of_the_dead() for lane, counts in worker.lanes.items()}
    return replace(worker, alive=False, lanes=lanes)


def _reports() -> Any:
    """The cluster's one actor, made if there is none."""
    return (
        ray.remote(Reports)
        .options(
            name="glm-tts-figures",
            namespace="glm-tts",
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            resources={"node:__internal_head__": 0.001},  # which the cluster cannot lose anyhow
            max_restarts=-1,
        )
        .remote()
    )
