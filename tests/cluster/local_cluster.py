"""Ray nodes on this machine, and the server on them."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import ray
from ray import serve
from ray.cluster_utils import Cluster

from glm_tts_api.api_server import EngineBuilder
from glm_tts_api.cluster.replica import APP_NAME, deployment
from glm_tts_api.contracts import SpeechRequest
from glm_tts_api.settings import Settings
from tests.api.project_folder import project
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

_OBJECT_STORE = 100 * 2**20
PATIENCE_S = 300


class ToneForEachLine(ToneEngine):
    def _n_segments_of(self, asked: SpeechRequest) -> int:
        return self.n_segments * (asked.text.count("\n") + 1)


@dataclass
class Tones:
    """Builds engines that speak tones, as often as the text has lines. A file `go_on` ends their delays."""

    options: dict[str, Any]
    go_on: Path

    def __call__(self, settings: Settings, number: int) -> Any:
        engine = ToneForEachLine(**self.options)
        engine.is_released = self.go_on.exists
        return engine


class LocalCluster:
    """Nodes of `num_cpus` logical cores each; the first is the head. `urls`: of the head's proxy, which is
    also `url`, and of the other node's."""

    def __init__(self, root: Path, nodes: int, num_cpus: int) -> None:
        self._root = root
        self.go_on = root / "go-on"  # for Tones
        self._n_projects = 0
        self._num_cpus = num_cpus
        port, other_port = _free_ports()
        os.environ["RAY_SERVE_WORKER_PROXY_HTTP_PORT"] = str(other_port)
        self.urls = [f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other_port}"]
        self.url = self.urls[0]
        self._cluster = Cluster()
        self.nodes = [self.add_node() for _ in range(nodes)]
        ray.init(address=self._cluster.address, log_to_driver=False)
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        self.http = httpx.Client(base_url=self.url, timeout=120, trust_env=False)

    def add_node(self) -> Any:
        return self._cluster.add_node(
            num_cpus=self._num_cpus, object_store_memory=_OBJECT_STORE, include_dashboard=False
        )

    def kill_node(self, node: Any) -> None:
        self._cluster.remove_node(node, allow_graceful=False)

    def deploy(
        self,
        engine: EngineBuilder | None = None,
        *,
        autoscaling: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """Deploys the server, or replaces it; returns when all are replaced that were there."""
        self._n_projects += 1
        root = project(self._root / str(self._n_projects), cpu_threads=1, device="cpu", **settings)
        server = deployment(Settings.load(root), build_engine=engine)
        if autoscaling:
            server = server.options(autoscaling_config=autoscaling)
        serve.run(server.bind(), name=APP_NAME)

    def stats(self) -> dict[str, Any]:
        answer = self.http.get("/api/v1/stats/concurrency")
        body: dict[str, Any] = answer.json()
        return body

    def lane(self, name: str = "short_text") -> dict[str, int]:
        lane: dict[str, int] = self.stats()["stats"][name]
        return lane

    def exact_totals(self) -> dict[int, int]:
        """By process, what each replica says of itself: what it says of others may be a second old."""
        totals: dict[int, int] = {}

        def all_have_said() -> bool:
            stats = self.stats()
            own = _own(stats)
            totals[own["pid"]] = own["short_text"]["total"]
            return len(totals) == len(stats["per_worker"])

        wait_until(all_have_said)
        return totals

    def replicas(self) -> list[dict[str, Any]]:
        """The living ones, as any of them tells."""
        replicas: list[dict[str, Any]] = self.stats()["per_worker"]
        return replicas

    def wait_for_replicas(self, n: int) -> None:
        def there() -> bool:
            replicas = self.replicas()
            return len(replicas) == n and all(replica["ready"] for replica in replicas)

        wait_until(there, PATIENCE_S)

    def kill_one_that_speaks(self) -> int:
        """kill -9 of a replica that says of itself that it speaks; returns its engine's process id."""
        pid = engine = 0

        def found() -> bool:
            nonlocal pid, engine
            stats = self.stats()
            own = _own(stats)
            pid, engine = stats["worker"]["pid"], own["pid"]
            return bool(own["short_text"]["active"])

        wait_until(found)
        time.sleep(1)  # so that the proxy, too, knows that the replica has begun, on a busy machine as well
        os.kill(pid, signal.SIGKILL)
        return engine

    def end(self) -> None:
        self.http.close()
        ray.shutdown()
        self._cluster.shutdown()


@contextmanager
def local_cluster(root: Path, *, nodes: int, num_cpus: int) -> Iterator[LocalCluster]:
    cluster = LocalCluster(root, nodes, num_cpus)
    try:
        yield cluster
    finally:
        cluster.end()


def _own(stats: dict[str, Any]) -> dict[str, Any]:
    """Of the replica that answers."""
    server = stats["worker"]["pid"]
    return next(each for each in stats["per_worker"] if server in (each["pid"], _parent(each["pid"])))


def _parent(pid: int) -> int:
    """0 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]
