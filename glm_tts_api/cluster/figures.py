"""The figures of all replicas, from any of them: each reports its record once a second to one small actor.

A replica's own figures are of now, those of the others at most a second old; of one that was killed, its last
second is lost.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ray

from glm_tts_api.errors import Unhealthy
from glm_tts_api.settings import Settings
from glm_tts_api.stats.shared import SharedStats, WorkerRecord, WorkerStats

logger = logging.getLogger(__name__)
_PERIOD_S = 1.0
_SILENT_S = 5.0  # after which a replica is taken for dead
_ANSWER_S = 5.0
_MOST_DEAD = 100  # whose totals still count
_SERVICE = 1  # all records are of the one service that the cluster is


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


class ClusterStats(SharedStats):
    """The cluster as one replica sees it. Its own record lies in a folder of this process."""

    def __init__(self) -> None:
        self._own_folder = TemporaryDirectory(prefix="glm-tts-figures-")
        super().__init__(Path(self._own_folder.name), service=_SERVICE)
        self._reports = _reports()
        self._number: int = ray.get(self._reports.join.remote())

    def claim(self) -> WorkerRecord:
        record = super().claim()
        record.number = self._number
        threading.Thread(target=self._report, name="figures", daemon=True).start()
        return record

    def may_listen(self, own: WorkerRecord) -> bool:
        """Whether the model is loaded and warmed: before that Ray sends nothing here. Raises Unhealthy if it
        cannot be, so that Ray tells whoever deploys and tries again."""
        if own.phase == "failed":
            raise Unhealthy("The model could not be loaded; this replica's log says why.")
        return own.phase == "ready"

    def read(self) -> list[WorkerStats]:
        reports = {number: (alive, record) for number, alive, record in self._others()}
        reports[self._number] = (True, self._own())
        read = (
            self._parse(number, zlib.decompress(raw), alive=alive) for number, (alive, raw) in reports.items()
        )
        return sorted((record for record in read if record is not None), key=lambda record: record.number)

    def _own(self) -> bytes:
        """Mostly zeros, hence compressed."""
        return zlib.compress(self._path(0).read_bytes(), level=1)

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
            except ray.exceptions.RayError:  # whoever reads says so
                self._reports = _reports()
            time.sleep(_PERIOD_S)


def join(settings: Settings) -> tuple[SharedStats, WorkerRecord]:
    """The figures of the cluster, and this replica's record among them."""
    stats = ClusterStats()
    return stats, stats.claim()


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
