"""The soak test: twenty clients use every feature of a server for an hour.

The server has the bundled model and two engine processes. A tenth of the requests disconnect early, a
twentieth run into a time-out, and one of the engine processes is killed every two minutes.
"""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from glm_tts_api.engine.config import EngineConfig
from scripts.checks.torture.asking import Asking, Ledger, UnwantedAnswerError
from scripts.checks.torture.changing import CHANGING, read_all
from scripts.checks.torture.inside import EVERY_S, hook, told
from scripts.checks.torture.judging import Rest, judge_answers, judge_files, judge_memory, judge_rest
from scripts.checks.torture.speaking import SPEAKING, in_phonemes, late, left, uploaded
from scripts.checks.torture.verdict import Verdict
from scripts.checks.torture.watching import (
    OWN_SHM,
    Held,
    Watch,
    engine_pid,
)
from tests.api.server_process import REPOSITORY, Server
from tests.api.waiting import wait_until

Ask = Callable[[Asking], None]
N_CLIENTS = 20
N_ENGINES = 2
SHARE_LEFT, SHARE_LATE = 0.1, 0.05
KILL_EVERY_S = 120.0
SETTINGS: dict[str, Any] = {
    "workers": N_ENGINES,
    "flow_steps": 1,
    "log_format": "json",
    "short_text_timeout": 600,
    "medium_text_timeout": 600,
    "long_text_timeout": 3,  # too short to speak the text of `late`, long enough for an upload
}


def run(minutes: float, *, rate: float) -> Verdict:
    """Runs the soak for `minutes` and returns the verdict.

    All clients together begin `rate` actions a second.
    """
    verdict, ledger = Verdict("soak"), Ledger()
    prefix = OWN_SHM if os.geteuid() == 0 else OWN_SHM[-2:]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "tmp"
        scratch.mkdir()
        inside, app = Path(folder) / "inside", "scripts.checks.torture.soaked_app:app"
        environ = {"TMPDIR": str(scratch), **hook(inside, REPOSITORY)}
        server = Server(Path(folder) / "server", app, prefix=prefix, environ=environ, **SETTINGS)
        try:
            server.wait_until_all_speak(300)
            _soak(server, ledger, verdict, minutes=minutes, rate=rate, inside=inside)
            judge_files(server, scratch, verdict)
        finally:
            server.end()
    verdict.end()
    return verdict


def _soak(
    server: Server, ledger: Ledger, verdict: Verdict, *, minutes: float, rate: float, inside: Path
) -> None:
    _everything_once(server, ledger)
    before = _at_rest(server, inside, verdict)
    _fill_caches(server, ledger)
    watch, stop = Watch(server, every_s=min(10.0, minutes)), threading.Event()
    clients = [
        threading.Thread(target=_keep_asking, args=(server, number, ledger, stop, N_CLIENTS / rate))
        for number in range(N_CLIENTS)
    ]
    for client in clients:
        client.start()
    killer = _Killer(server)
    try:
        watch.watch(60 * minutes, killer.kill_if_due)
    finally:
        stop.set()
        for client in clients:
            client.join(900)
    wait_until(lambda: all(each["ready"] for each in server.stats()["per_worker"]), 300)
    after = _at_rest(server, inside, verdict)
    judge_answers(server, ledger, verdict, killer.n_kills)
    judge_memory(watch, verdict, minutes)
    judge_rest(before, after, verdict)
    verdict.figures["samples"] = [sample.fields() for sample in watch.samples]
    pids = {"server": server.process.pid, "engine": watch.engine}
    verdict.figures["inside"] = {of: told(inside, pid) for of, pid in pids.items()}


def _everything_once(server: Server, ledger: Ledger) -> None:
    """Runs each kind of request, many at a time.

    Afterwards the thread pools are full, and all parts that load at their first use are loaded.
    """
    kinds = dict.fromkeys((*SPEAKING, *CHANGING, left, late, read_all))
    _ask_together(
        server, N_CLIENTS, ledger, [*kinds, *[in_phonemes] * 2 * N_ENGINES, *[uploaded] * N_CLIENTS]
    )


def _fill_caches(server: Server, ledger: Ledger) -> None:
    """Sends more different voices than an engine process caches, to fill its caches before measuring.

    The caches take some tens of MB, which are no leak.
    """
    _ask_together(server, 2 * N_CLIENTS, ledger, [uploaded] * 2 * EngineConfig().cached_voices)


def _ask_together(server: Server, first: int, ledger: Ledger, asks: Sequence[Ask]) -> None:
    """Distributes the requests `asks` over N_CLIENTS clients, each in a thread, and waits for their end.

    The clients get the numbers `first`, `first` + 1 and so on.
    """
    threads = [
        threading.Thread(target=ask_all, args=(server, first + number, ledger, asks[number::N_CLIENTS]))
        for number in range(N_CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(900)


def ask_all(server: Server, number: int, ledger: Ledger, asks: Collection[Ask]) -> None:
    with client_of(server, number, ledger) as client:
        for ask in asks:
            attempt(ask, client)


@contextmanager
def client_of(server: Server, number: int, ledger: Ledger) -> Iterator[Asking]:
    """Yields a client with its own connection to the server and a random generator seeded by `number`."""
    url = str(server.client.base_url).rstrip("/")
    with httpx.Client(base_url=url, timeout=900, trust_env=False) as http:
        yield Asking(url, number, ledger, random.Random(number), http)


def _keep_asking(server: Server, number: int, ledger: Ledger, stop: threading.Event, pause_s: float) -> None:
    with client_of(server, number, ledger) as client:
        while not stop.wait(client.draw.expovariate(1 / pause_s)):
            attempt(draw_ask(client.draw), client)


def draw_ask(draw: random.Random) -> Ask:
    kind = draw.random()
    if kind < SHARE_LEFT:
        return left
    if kind < SHARE_LEFT + SHARE_LATE:
        return late
    return draw.choice(SPEAKING if kind < 0.75 else CHANGING)


def attempt(ask: Ask, client: Asking) -> None:
    """Runs one kind of request, and records any exception as a fault in the client's ledger."""
    client.ledger.n_asked[ask.__name__] += 1
    try:
        ask(client)
    except UnwantedAnswerError as error:
        client.ledger.fault(f"{ask.__name__}: {error}")
    except Exception as error:
        client.ledger.fault(f"{ask.__name__}: {type(error).__name__}: {error}"[:300])


class _Killer:
    """Kills the server's second engine process every two minutes, when `kill_if_due` is called."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._killed_at = time.monotonic()
        self.n_kills = 0

    def kill_if_due(self) -> None:
        if time.monotonic() - self._killed_at < KILL_EVERY_S:
            return
        self._killed_at = time.monotonic()
        if pid := engine_pid(self._server, 1):
            os.kill(pid, signal.SIGKILL)
            self.n_kills += 1


def _wait_for_rest(server: Server, verdict: Verdict) -> None:
    """Waits until the server is idle, up to five minutes. If it is not, notes what the server is doing."""
    give_up = time.monotonic() + 300
    while _n_busy(server):
        if time.monotonic() > give_up:
            figures = {"stats": server.stats(), "jobs": server.client.get("/api/v1/jobs").json()}
            verdict.note("comes to rest in five minutes", json.dumps(figures), holds=False)
            return
        time.sleep(1)


def _at_rest(server: Server, inside: Path, verdict: Verdict) -> dict[str, Rest]:
    """Waits until the server is idle, clears its caches and lets kept connections close.

    Returns the memory, files and threads that the server process and the first engine process have then.
    """
    _wait_for_rest(server, verdict)
    server.client.post("/api/v1/clear_cache", headers={"Connection": "close"}).raise_for_status()
    time.sleep(8 + EVERY_S)  # the server keeps idle connections for five seconds
    engine = engine_pid(server, 0)
    assert engine is not None
    pids = {"server": server.process.pid, "engine": engine}
    return {of: Rest(Held.of(pid), frozenset(told(inside, pid)[-1]["threads"])) for of, pid in pids.items()}


def _n_busy(server: Server) -> int:
    return sum(int(lane["active"] + lane["waiting"]) for lane in server.stats()["stats"].values())
