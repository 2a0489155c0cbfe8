"""Collects the metrics of all replicas, so that any replica can show them. Each replica reports its metrics
once a second to one small Ray actor.

A replica's own metrics are up to date. The metrics of other replicas are about a second old at most. The last
second of a replica that was killed is lost.
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

from glm_tts_api.stats.workers import LaneCounts, WorkerStats

logger = logging.getLogger(__name__)
_PERIOD_S = 1.0
_SILENT_S = 5.0  # a replica counts as dead after this time without a report
_ANSWER_S = 5.0
_MOST_DEAD = 100  # dead replicas whose totals still count


class Reports:
    """Keeps the last report of each replica. Runs as a Ray actor, which lives longer than the replicas."""

    def __init__(self) -> None:
        self._n_joined = 0
        self._reports: dict[int, tuple[float, bytes]] = {}

    def join(self) -> int:
        """Returns a number for a new replica. No replica has had this number before."""
        self._n_joined += 1
        return self._n_joined - 1

    def report(self, number: int, record: bytes) -> None:
        self._n_joined = max(self._n_joined, number + 1)  # a restarted actor does not know earlier numbers
        self._reports.pop(number, None)  # the last to report is the last in the dictionary
        self._reports[number] = (time.monotonic(), record)

    def read(self) -> list[tuple[int, bool, bytes]]:
        """Returns for each replica its number, whether it is alive, and its last report. Then forgets the
        dead replicas, except the last 100 that died."""
        now = time.monotonic()
        reports = [(number, now - at < _SILENT_S, record) for number, (at, record) in self._reports.items()]
        for number in [number for number, alive, _ in reports if not alive][:-_MOST_DEAD]:
            del self._reports[number]
        return reports


class ClusterStats:
    """The metrics of the cluster, read by one replica. Starts a thread that reports this replica's metrics
    each second. `read_own` returns the metrics of this replica's only engine."""

    def __init__(self, read_own: Callable[[], list[WorkerStats]]) -> None:
        self._read_own = read_own
        self._reports = _reports()
        self._number: int = ray.get(self._reports.join.remote())
        threading.Thread(target=self._report, name="metrics", daemon=True).start()

    def read(self) -> list[WorkerStats]:
        """Returns the metrics of every replica. A dead replica has its totals, with nothing active. If the
        actor with the reports does not answer, returns the metrics of this replica alone."""
        others: list[tuple[int, bool, bytes]] = []
        try:
            others = ray.get(self._reports.read.remote(), timeout=_ANSWER_S)
        except ray.exceptions.RayError as error:
            logger.warning("The other replicas' figures cannot be read: %s", error)
        records = {number: _unpacked(record, alive=alive) for number, alive, record in others}
        records[self._number] = self._own()
        return [record for _, record in sorted(records.items())]

    def _own(self) -> WorkerStats:
        (own,) = self._read_own()
        return replace(own, number=self._number)

    def _report(self) -> None:
        """Reports this replica's metrics to the actor each second until the process ends."""
        while True:
            try:
                record = zlib.compress(msgpack.encode(self._own()), level=1)
                ray.get(self._reports.report.remote(self._number, record), timeout=_ANSWER_S)
            except ray.exceptions.RayError:  # `read` logs the error
                self._reports = _reports()
            time.sleep(_PERIOD_S)


def _unpacked(record: bytes, *, alive: bool) -> WorkerStats:
    worker = msgpack.decode(zlib.decompress(record), type=WorkerStats)
    if alive:
        return worker
    lanes = {lane: LaneCounts({**counts, "active": 0, "waiting": 0}) for lane, counts in worker.lanes.items()}
    return replace(worker, alive=False, lanes=lanes)


def _reports() -> Any:
    """Returns the handle of the cluster's Ray actor that runs Reports. Starts the actor if the cluster has
    none."""
    return (
        ray.remote(Reports)
        .options(
            name="glm-tts-figures",
            namespace="glm-tts",
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            resources={"node:__internal_head__": 0.001},  # on the head node, which every cluster has
            max_restarts=-1,
        )
        .remote()
    )
