"""A server of the bundled model with two engines, for SOAK_MINUTES (2): scripts/checks/soak.sh runs it.

A client for each chapter of the frozen table (tests/frozen/cases.py) asks its requests again and again: every
dialect, format, rate and socket, uploads, books, and voices and words from their beginning to their end. Each
answer must be as it was before, while strangers send what hypothesis makes and leave at any moment, and the
second engine is killed, or stopped until the watchdog ends it. Afterwards the server holds nothing more.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from scripts.checks.fuzz import FUZZED, recordings, spoilt
from tests.api.server_process import Server
from tests.api.waiting import wait_until
from tests.frozen.answers import Row, answers, serving
from tests.frozen.cases import LONG, cases

MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
CHAPTERS = {name: each for name, each in cases(short=MINUTES < 10).items() if name != "pages"}
OF_ONE_CLIENT = [name for name in CHAPTERS if name.endswith(("voices", "words"))]  # they share names
CLIENTS = [OF_ONE_CLIENT, *([name] for name in CHAPTERS if name not in OF_ONE_CLIENT)]
STALL_S = 20.0  # an engine that stands still is ended after four times as long
N_STRANGERS = 3
MOST_GROWTH = 0.02  # of a process's own memory, from the first third to the end of an hour
ALLOWED = (200, 400, 404, 413, 415, 422)
FIELDS = {"prompt_text": "said", "response_format": "wav"}


@dataclass
class Tally:
    """The requests that the clients sent, by kind, and the faults that they saw."""

    asked: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def fail(self, *faults: str) -> None:
        for fault in faults:
            print(fault, flush=True)  # an hour is long
            self.faults.append(fault)


# -- clients that ask the same again


def heard(row: Row) -> tuple[int, str]:  # lists and figures change with other clients
    return row.status, row.body if row.samples or " samples," in row.body else ""


def keep_asking(server: Server, chapters: Sequence[str], wanted: dict[str, Row], tally: Tally) -> None:
    for chapter in cycle(chapters):
        if tally.over.is_set():
            return
        try:
            rows = answers(server, chapter, CHAPTERS[chapter])
        except Exception as error:
            tally.fail(f"{chapter}: {error!r}"[:300])
            continue
        tally.asked[chapter] += len(rows)
        pairs = [(name, heard(wanted[name]), heard(row)) for name, row in rows.items()]
        tally.fail(*(f"{name}: {then}, now {rows[name].body}" for name, then, now in pairs if now != then))


@dataclass(frozen=True)
class Stranger:
    """A request, and when its client leaves: `moment` is "" for one that stays."""

    text: str
    recording: bytes | None
    path: str
    streams: bool
    moment: str
    part: float

    def request(self, url: str) -> httpx.Request:
        fields = {"input_text": self.text, "stream": str(self.streams).lower(), **FIELDS}
        if self.recording is None:
            return httpx.Request("POST", f"{url}/api/v1/tts", data={**fields, "index": "exampleA"})
        files = {"file" if "files" in self.path else "prompt_audio": ("a.wav", self.recording)}
        return httpx.Request(
            "POST", url + self.path, data={**fields, "purpose": "voice-clone-input"}, files=files
        )


STRANGERS = st.builds(
    Stranger,
    st.text(max_size=30) | st.sampled_from(("你好。", "Hello there.", "2024-01-05 10:30")),
    st.none() | spoilt(recordings()),
    st.sampled_from(("/api/v1/tts", "/api/v1/prompts/check", "/api/paas/v4/files")),
    st.booleans(),
    st.sampled_from(("", "", "sending", "waiting", "hearing")),
    st.floats(0, 1),
)


def behave(server: Server, stranger: Stranger) -> str:
    """Sends the request, and leaves when its time has come. Returns what is wrong with the answer."""
    request = stranger.request(str(server.client.base_url).rstrip("/"))
    body = request.read()
    if not stranger.moment:
        answer = httpx.request(
            request.method, request.url, content=body, headers=request.headers, timeout=300, trust_env=False
        )
        is_clear = answer.status_code in ALLOWED and (answer.is_success or "message" in answer.text)
        return "" if is_clear else f"{stranger}: {answer.status_code} {answer.text}"[:600]
    head = [f"POST {request.url.path} HTTP/1.1", *(": ".join(each) for each in request.headers.items())]
    raw = "\r\n".join([*head, "", ""]).encode() + body
    with socket.create_connection(("127.0.0.1", server.port)) as client, suppress(ConnectionError):
        client.settimeout(300)
        if stranger.streams:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # resets
        client.sendall(raw[: int(stranger.part * len(raw))] if stranger.moment == "sending" else raw)
        if stranger.moment == "waiting":
            time.sleep(2 * stranger.part)
        elif stranger.moment == "hearing":
            client.recv(1 + int(3000 * stranger.part))
    return ""


def keep_being_strange(server: Server, tally: Tally) -> None:
    """Strangers come in threes."""

    @given(st.lists(STRANGERS, min_size=N_STRANGERS, max_size=N_STRANGERS))
    @settings(FUZZED, max_examples=20, phases=(Phase.generate,))
    def together(strangers: list[Stranger]) -> None:
        if not tally.over.is_set():
            tally.asked.update(f"stranger {each.moment or 'stays'}" for each in strangers)
            tally.fail(*filter(None, pool.map(behave, [server] * N_STRANGERS, strangers)))

    batch = 0
    with ThreadPoolExecutor(N_STRANGERS) as pool:
        while not tally.over.is_set():
            try:
                seed(batch := batch + 1)(together)()
            except Exception as error:
                tally.fail(f"stranger: {error!r}"[:300])


# -- the server's processes


def engine(server: Server, number: int) -> psutil.Process:
    """The process of an engine that is ready."""

    def pid() -> Any:
        return (each := server.stats()["per_worker"][number])["ready"] and each["pid"]

    return psutil.Process(wait_until(pid, 450))  # after five deaths without audio it rests for 300 s


def held(process: psutil.Process) -> dict[str, int]:
    return {
        "threads": process.num_threads(),
        "files": process.num_fds(),
        "MB": process.memory_full_info().uss >> 20,
    }


def at_rest(server: Server, processes: Sequence[psutil.Process]) -> list[dict[str, int]]:
    """Returns what the processes hold at rest."""
    wait_until(
        lambda: not any(lane["active"] + lane["waiting"] for lane in server.stats()["stats"].values()), 120
    )
    server.client.post("/api/v1/clear_cache", headers={"Connection": "close"}).raise_for_status()
    time.sleep(8)  # the server keeps idle connections for five seconds
    return [held(process) for process in processes]


@pytest.mark.timeout(0)
def test_a_server_that_is_asked_for_everything_answers_as_before_and_holds_nothing_more(
    tmp_path: Path,
) -> None:
    environ = {"ENGINE_STALL_S": str(STALL_S), "TMPDIR": str(tmp_path)}
    limits = dict.fromkeys(("short_text_timeout", "medium_text_timeout", "long_text_timeout"), 600)
    with serving("tests.api.real_app:app", environ, workers=2, flow_steps=1, **limits) as server:
        server.wait_until_all_speak(300)
        first = [answers(server, name, each) for name, each in CHAPTERS.items()]
        wanted = {case: row for rows in first for case, row in rows.items()}
        processes = [psutil.Process(server.process.pid), engine(server, 0)]
        slow = {"input_text": LONG, "index": "exampleA", "response_format": "wav", "speed": 0.25}
        for number in range(45):  # answers that fill the 64 MB which the server keeps
            server.client.post("/api/v1/tts", json={**slow, "seed": number}).raise_for_status()
        before, tally, samples = at_rest(server, processes), Tally(), list[list[dict[str, int]]]()
        n_ended = n_stopped = 0
        with ThreadPoolExecutor(len(CLIENTS) + 1) as pool:
            asking = [pool.submit(keep_asking, server, client, wanted, tally) for client in CLIENTS]
            asking.append(pool.submit(keep_being_strange, server, tally))
            try:
                until, draw = time.monotonic() + 60 * MINUTES, random.Random(0)
                while time.monotonic() < until:
                    time.sleep(draw.uniform(7.5, 22.5))
                    stops = draw.random() < 0.3
                    (ended := engine(server, 1)).send_signal(signal.SIGSTOP if stops else signal.SIGKILL)
                    ended.wait(600)
                    n_ended, n_stopped = n_ended + 1, n_stopped + stops
                    samples.append([held(process) for process in processes])
            finally:
                tally.over.set()
        for client in asking:
            client.result()
        server.wait_until_all_speak(300)
        after, told, log = at_rest(server, processes), server.scrape(), server.log.read_text()
        lists = [server.client.get(f"/api/v1/{name}").json() for name in ("jobs", "lexicon", "prompts")]
    third = max(1, len(samples) // 3)
    parts = samples[third : 2 * third], samples[-third:]
    grown = [[min(each[of]["MB"] for each in part) for part in parts] for of in (0, 1)]
    print(f"\n{dict(tally.asked)}\n{n_ended} engines ended, {n_stopped} of them stopped first")
    print(f"{told('requests_resumed_total'):g} requests went on with another process")
    print(f"server and engine at rest: {before}, now {after}; MB in the second and the last third: {grown}")
    assert tally.faults == []
    assert told("engine_restarts_total") == n_ended
    assert told("watchdog_exits_total") == n_stopped
    assert "Traceback" not in log
    assert [lists[0]["jobs"], lists[1]["entries"], lists[2]["count"]] == [[], [], len(lists[2]["prompts"])]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    for then, now in zip(before, after, strict=True):
        assert now["threads"] <= then["threads"] + 12  # of pools, whose threads begin one by one
        assert now["files"] <= then["files"]
    assert MINUTES < 30 or all(now < then * (1 + MOST_GROWTH) for then, now in grown)
