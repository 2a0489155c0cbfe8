"""Two Ray nodes on this machine, the bundled model, and what goes wrong in a cluster.

Run by scripts/checks/test_cluster.sh. Each test prints what became of the requests that were sent meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.api.waiting import wait_until
from tests.recordings import voice_wav

if TYPE_CHECKING:
    from tests.cluster.local_cluster import LocalCluster

PATIENCE_S = 300
TEXT = "今天天气很好。"
_HUNG_S = 180
OUTCOMES = ("answered", "clear 503", "cut", "hung", "lost", "other")
SETTINGS: dict[str, Any] = {
    "flow_steps": 1,
    "short_text_concurrency": 2,
    "long_text_concurrency": 1,
    "queue_max_size": 20,
    "short_text_timeout": 300,
    "max_replicas": 3,
}


@dataclass
class Load:
    """`cut`: an answer that had begun and ended before its end; `lost`: a connection that ended without one;
    `hung`: neither within three minutes."""

    url: str
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def sent(self) -> int:
        return self.outcomes.total()

    def line(self) -> str:
        figures = ", ".join(f"{name} {self.outcomes[name]}" for name in OUTCOMES)
        return f"sent {self.sent}: {figures}"

    def ask(self, *, streamed: bool) -> None:
        """Clients that ask again and again until the load ends."""
        while not self._ended.is_set():
            outcome = self._ask_once(streamed)
            self.outcomes[outcome] += 1
            if outcome == "clear 503":
                time.sleep(1)  # as it asks for

    def _ask_once(self, streamed: bool) -> str:
        begun = False
        fields = {"input_text": TEXT, "index": "exampleA"}
        speech = {"input": TEXT, "voice": "exampleA", "model": "tts-1", "response_format": "pcm"}
        request: dict[str, Any] = (
            {"url": "/v1/audio/speech", "json": speech}
            if streamed
            else {"url": "/api/v1/tts", "data": fields}
        )
        try:
            with (
                httpx.Client(base_url=self.url, timeout=_HUNG_S, trust_env=False) as client,
                client.stream("POST", **request) as answer,
            ):
                begun = answer.status_code == 200
                answer.read()
            if answer.status_code == 200:
                return "answered"
            is_clear = "retry-after" in answer.headers and "code" in answer.text
            if answer.status_code == 503 and is_clear:
                return "clear 503"
            self.faults.append(f"{answer.status_code} {answer.text[:200]}")
        except httpx.TimeoutException:
            return "hung"
        except httpx.TransportError as error:
            if begun:
                return "cut"
            self.faults.append(repr(error))
            return "lost"
        return "other"


@contextmanager
def load(url: str, *, whole: int, streamed: int) -> Iterator[Load]:
    """So many clients of each kind, until the context ends; then every answer is waited for."""
    running = Load(url)
    clients = [
        threading.Thread(target=running.ask, kwargs={"streamed": number < streamed})
        for number in range(whole + streamed)
    ]
    for client in clients:
        client.start()
    try:
        yield running
    finally:
        running._ended.set()
        for client in clients:
            client.join()


@pytest.fixture(scope="module")
def cluster(ray_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    from tests.cluster.local_cluster import local_cluster

    with local_cluster(tmp_path_factory.mktemp("cluster"), nodes=2, num_cpus=2) as cluster:
        begin = time.monotonic()
        cluster.deploy(min_replicas=1, autoscaling=quick_autoscaling(), **SETTINGS)
        cluster.wait_for_replicas(1)
        say(f"one replica can speak {time.monotonic() - begin:.1f} s after it was asked for")
        yield cluster


def quick_autoscaling() -> dict[str, Any]:
    """As deployed, but for the delays."""
    return {
        "min_replicas": 1,
        "max_replicas": 3,
        "target_ongoing_requests": 2.1,
        "look_back_period_s": 5,
        "upscale_delay_s": 2,
        "downscale_delay_s": 10,
    }


def say(line: str) -> None:
    print(f"\n   {line}", flush=True)


def test_the_first_byte_is_not_held_back_and_leaving_frees_the_row(cluster: LocalCluster) -> None:
    sentence = {"voice": "exampleA", "model": "tts-1", "response_format": "pcm"}
    speech = {**sentence, "input": "今天天气很好，我们去公园走一走，然后一起回家吃饭。" * 5}
    begin = time.monotonic()
    with cluster.http.stream("POST", "/v1/audio/speech", json=speech) as answer:
        body = answer.iter_raw()
        n_bytes, first_s = len(next(body)), time.monotonic() - begin
        wait_until(lambda: cluster.lane()["active"] == 1, PATIENCE_S)
        n_bytes += sum(map(len, body))
    say(
        f"first bytes after {first_s:.2f} s of {time.monotonic() - begin:.2f} s; {n_bytes / 48000:.1f} s long"
    )
    assert n_bytes > 48000

    with cluster.http.stream("POST", "/v1/audio/speech", json=speech) as answer:
        next(answer.iter_raw())
    left = time.monotonic()
    wait_until(lambda: cluster.lane()["active"] == 0 and cluster.lane()["cancelled"] == 1, PATIENCE_S)
    say(f"{time.monotonic() - left:.2f} s after its listener left, the request's place is free")


def test_from_one_replica_to_three_under_load_and_back(cluster: LocalCluster) -> None:
    begin = time.monotonic()
    with load(cluster.url, whole=6, streamed=2) as running:
        cluster.wait_for_replicas(3)
        say(f"three replicas {time.monotonic() - begin:.1f} s after the load began")
    idle = time.monotonic()
    wait_until(lambda: len(cluster.replicas()) == 1, PATIENCE_S)
    say(f"one replica {time.monotonic() - idle:.1f} s after it ended")
    say(running.line())
    assert running.outcomes["answered"] == running.sent, running.faults


def test_a_voice_is_usable_on_all_at_once(cluster: LocalCluster) -> None:
    cluster.deploy(min_replicas=3, **SETTINGS)
    cluster.wait_for_replicas(3)
    added = cluster.http.post(
        "/api/v1/prompts",
        data={"index": "shared", "prompt_text": "what is said"},
        files={"prompt_audio": voice_wav(2.0)},
    )
    assert added.status_code == 201, added.text
    speech = {"input": "你好。", "voice": "shared", "model": "tts-1"}

    def spoken_by(url: str) -> int:
        return httpx.post(
            f"{url}/v1/audio/speech", json=speech, timeout=PATIENCE_S, trust_env=False
        ).status_code

    with ThreadPoolExecutor(12) as clients:
        assert {*clients.map(spoken_by, cluster.urls * 6)} == {200}
    wait_until(lambda: all(replica["short_text"]["total"] for replica in cluster.replicas()), PATIENCE_S)


def test_kill_9_of_a_replica(cluster: LocalCluster) -> None:
    with load(cluster.url, whole=6, streamed=3) as running:
        wait_until(lambda: running.outcomes["answered"] > 5, PATIENCE_S)
        killed = cluster.kill_one_that_speaks()
        begin = time.monotonic()
        wait_until(lambda: killed not in [replica["pid"] for replica in cluster.replicas()], PATIENCE_S)
        cluster.wait_for_replicas(3)
        say(f"another one speaks {time.monotonic() - begin:.1f} s after the kill")
    say(running.line())
    assert not {"hung", "lost", "other"} & running.outcomes.keys(), running.faults
    assert running.outcomes["clear 503"] + running.outcomes["cut"] >= 1


def test_a_redeploy_under_load(cluster: LocalCluster) -> None:
    before = {replica["pid"] for replica in cluster.replicas()}
    begin = time.monotonic()
    with load(cluster.url, whole=4, streamed=2) as running:
        cluster.deploy(min_replicas=3, **SETTINGS)
        cluster.wait_for_replicas(3)
        assert not before & {replica["pid"] for replica in cluster.replicas()}
        say(f"all three replaced within {time.monotonic() - begin:.1f} s")
    say(running.line())
    assert running.outcomes["answered"] == running.sent, running.faults


def test_the_death_of_a_node(cluster: LocalCluster) -> None:
    with load(cluster.url, whole=6, streamed=3) as running:
        wait_until(lambda: running.outcomes["answered"] > 5, PATIENCE_S)
        begin = time.monotonic()
        cluster.kill_node(cluster.nodes.pop())
        cluster.nodes.append(cluster.add_node())
        wait_until(lambda: len(cluster.replicas()) < 3, PATIENCE_S)
        cluster.wait_for_replicas(3)
        say(f"three replicas again {time.monotonic() - begin:.1f} s after the kill, on a new node too")
    say(running.line())
    assert not {"hung", "lost", "other"} & running.outcomes.keys(), running.faults
