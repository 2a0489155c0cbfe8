"""Connections that never ask, that never end asking, and too many at once: everyone else is served."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from glm_tts_api.http.connections import raise_file_limit
from glm_tts_api.service.port import listen
from tests.api.raw_client import ask_for_speech, connected, is_open, read_body, read_head
from tests.api.server_process import Server
from tests.api.waiting import wait_until

Start = Callable[..., Server]
HEAD = b"POST /api/v1/prompts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@contextmanager
def serving(folder: Path, **limits: float) -> Iterator[Server]:
    """For several tests: each would spend its time on a start."""
    server = Server(folder, "tests.api.tone_app:app", environ={"CONNECTION_LIMITS": json.dumps(limits)})
    try:
        yield server
    finally:
        server.end()


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Waits a second for a head, or for more of a body."""
    with serving(tmp_path_factory.mktemp("hasty") / "project", head_s=1, body_s=1) as server:
        yield server


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Has room for four connections."""
    with serving(tmp_path_factory.mktemp("narrow") / "project", max_connections=4) as server:
        server.client.close()
        yield server


def is_healthy(server: Server) -> bool:
    try:
        return server.client.get("/api/v1/health", headers={"Connection": "close"}).status_code == 200
    except httpx.TransportError:
        return False


def n_open_files(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def n_connections(server: Server) -> int:
    """Those that its system has, whether the server has looked at them or not."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(f":{server.port:04X}") and line.split()[3] == "01" for line in lines)


def hold_idle(stack: ExitStack, server: Server, n: int) -> list[socket.socket]:
    """Opens `n` connections that ask for nothing."""
    assert raise_file_limit() > n + 100
    return [stack.enter_context(connected(server.port)) for _ in range(n)]


@pytest.mark.long
def test_1100_idle_connections_lock_nobody_out_where_1024_files_may_be_open(start: Start) -> None:
    server = start(ulimit="-n 1024", limits={"head_s": 4})
    with ExitStack() as stack:
        idle = hold_idle(stack, server, 1100)
        wait_until(lambda: is_healthy(server))  # those that have only just come do not give way
        for _ in range(5):
            assert server.say().status_code == 200
            assert is_healthy(server)
        wait_until(lambda: not any(is_open(client) for client in idle))
    log = server.log.read_text()
    assert len(log.splitlines()) < 50
    assert "open files" not in log  # as many as its lanes need
    assert "Traceback" not in log


def test_as_many_files_as_may_be_open_are_opened(start: Start) -> None:
    """The soft limit is for programs that do not know what they do."""
    server = start(ulimit="-S -n 300")
    with ExitStack() as stack:
        idle = hold_idle(stack, server, 400)
        wait_until(lambda: n_open_files(server) > 400)
        assert all(is_open(client) for client in idle)
        assert server.say().status_code == 200


def test_where_few_files_may_be_open_the_log_says_so_and_several_clients_are_served_at_once(
    start: Start,
) -> None:
    """And those that ask for nothing keep none of them out."""
    n_files = 100
    server = start(ulimit=f"-n {n_files}", delay_s=1)
    n_clients = (n_files - 64) // 3
    (told,) = [line for line in server.log.read_text().splitlines() if "open files" in line]
    assert "WARNING" in told
    assert f"at most {n_clients} connections are served; 220 requests may" in told
    assert "ulimit -n 4352" in told
    with ExitStack() as stack:
        hold_idle(stack, server, 2 * n_files)
        wait_until(lambda: n_connections(server) <= 2 * n_clients)  # and none waits to be accepted
        time.sleep(1.1)  # those that have only just come do not give way
        answers = [answer.result() for answer in server.say_together(n_clients)]
    assert {answer.status_code for answer in answers} == {200}


def test_connections_that_cannot_be_accepted_are_told_once_a_second(start: Start) -> None:
    server = start()
    pid = server.process.pid

    def told() -> list[str]:
        return [line for line in server.log.read_text().splitlines() if "cannot be accepted" in line]

    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (n_open_files(server), limits[1]))
        hold_idle(stack, server, 150)
        wait_until(lambda: len(told()) >= 2)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    wait_until(lambda: is_healthy(server))
    assert 2 <= len(told()) <= 4
    assert "Traceback" not in server.log.read_text()


def test_a_connection_beyond_the_limit_is_answered_503(start: Start) -> None:
    server = start(delay_s=600, limits={"max_connections": 4})
    server.client.close()
    wait_until(lambda: n_connections(server) == 0)
    at_work = server.say_together(4)
    wait_until(lambda: n_connections(server) == 4)
    refused = server.say()
    assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
    assert refused.headers["Connection"] == "close"
    assert refused.headers["Retry-After"]
    server.release()
    assert [future.result().status_code for future in at_work] == [200] * 4
    assert server.say().status_code == 200


@pytest.mark.parametrize(
    "begun", [b"", HEAD, HEAD + b"Content-Length: 99\r\n\r\n{"], ids=["idle", "head", "body"]
)
def test_a_new_client_takes_the_place_of_the_one_that_has_asked_for_nothing_longest(
    narrow: Server, begun: bytes
) -> None:
    wait_until(lambda: n_connections(narrow) == 0)
    with ExitStack() as stack:
        idle = hold_idle(stack, narrow, 4)
        for client in idle:
            client.sendall(begun)
        wait_until(lambda: narrow.say().status_code == 200)
        assert [is_open(client) for client in idle] == [False, True, True, True]


def test_a_head_that_does_not_come_or_trickles(hasty: Server) -> None:
    with ExitStack() as stack:
        silent, begun, trickling = hold_idle(stack, hasty, 3)
        begun.sendall(HEAD)
        while is_open(trickling):
            trickling.sendall(b"x")
            time.sleep(0.1)
        assert silent.recv(100) == b""
        assert begun.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_stands_still(hasty: Server) -> None:
    with connected(hasty.port) as client:
        client.sendall(HEAD + b"Content-Length: 99\r\n\r\n{")
        status, n_bytes, begun = read_head(client)
        assert status == 408
        said = begun + client.recv(n_bytes)
        assert b"deadline_passed" in said
        assert b"Nothing of the request came for 1 s" in said


def test_a_request_may_take_longer_than_its_head_and_the_next_one_comes_on_the_same_connection(
    start: Start,
) -> None:
    server = start(delay_s=1.5, limits={"head_s": 1, "body_s": 1, "send_s": 1})
    with connected(server.port) as client:
        for _ in range(2):
            ask_for_speech(client)
            status, n_bytes, begun = read_head(client)
            assert status == 200
            assert len(begun) + read_body(client, n_bytes - len(begun)) == n_bytes
            time.sleep(0.5)


async def test_an_answer_does_not_wait_for_the_clients_acknowledgement() -> None:
    """By Nagle's algorithm each small answer on a kept connection would come 40 ms late."""
    (listener,) = listen("127.0.0.1", 0)
    listener.listen()
    with listener, socket.create_connection(listener.getsockname()), listener.accept()[0] as client:
        client.setblocking(False)
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, client)
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        transport.abort()


def test_a_body_with_two_lengths_is_the_last_of_its_connection(hasty: Server) -> None:
    with connected(hasty.port) as client:
        head = b"POST /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
        client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        status, n_bytes, body = read_head(client)
        assert status == 404
        read_body(client, n_bytes - len(body))
        assert client.recv(1) == b""
