"""Answers that are read slowly or not at all: done means sent, and what nobody reads is not kept for long."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack

from tests.api.raw_client import ask_for_speech, connected, is_open, read_body, read_head
from tests.api.server_process import Server
from tests.api.waiting import wait_until

Start = Callable[..., Server]
LONG_S = 220  # of speech: a JSON answer of 14 MB
LITTLE = 32 * 1024  # what a client's side holds unread


def test_a_stop_lets_a_slow_client_have_all_of_its_answer(start: Start) -> None:
    server = start(tone_s=LONG_S)
    with connected(server.port, buffer_bytes=LITTLE) as client:
        ask_for_speech(client)
        status, n_bytes, begun = read_head(client)
        assert (status, n_bytes > 14e6) == (200, True)
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        n_read = len(begun) + read_body(client, n_bytes // 2, pause_s=0.1)
        assert "outcome" not in server.log.read_text()
        assert server.process.poll() is None
        read_for_s = time.monotonic() - begin
        n_read += read_body(client, n_bytes - n_read)
        assert n_read == n_bytes
    server.process.wait(20)
    log = server.log.read_text()
    assert log.count("outcome=completed") == 1
    (send_s,) = re.findall(r"send_s=([0-9.]+)", log)
    assert float(send_s) > read_for_s - 0.1
    assert "Traceback" not in log


def test_an_answer_that_nobody_reads_is_dropped_in_time(start: Start) -> None:
    server = start(tone_s=LONG_S, limits={"send_s": 3})
    with connected(server.port, buffer_bytes=LITTLE) as stalled, connected(server.port) as slow:
        for client in (stalled, slow):
            ask_for_speech(client)
        _, n_bytes, begun = read_head(slow)
        n_read = len(begun) + read_body(slow, n_bytes // 2, pause_s=0.4)  # meanwhile the other reads nothing
        wait_until(lambda: not is_open(stalled))
        assert n_read + read_body(slow, n_bytes - n_read) == n_bytes
        assert read_body(stalled, n_bytes) < n_bytes
    wait_until(lambda: server.log.read_text().count("outcome=") == 2)
    log = server.log.read_text()
    assert (log.count("outcome=cut"), log.count("outcome=completed")) == (1, 1)
    assert "Traceback" not in log
    assert server.say().status_code == 200


def test_a_stream_that_nobody_reads_is_dropped_and_its_place_comes_back(start: Start) -> None:
    server = start(tone_s=LONG_S, limits={"send_s": 1})
    address = b"/api/v1/tts?input_text=hello&index=exampleA&response_format=pcm"
    with connected(server.port, buffer_bytes=LITTLE) as client:
        client.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % address)
        assert client.recv(1024).startswith(b"HTTP/1.1 200")
        wait_until(lambda: {"active": 0, "cancelled": 1}.items() <= server.lane().items())
        wait_until(lambda: not is_open(client))
    assert "Traceback" not in server.log.read_text()


def test_answers_that_nobody_reads_are_bounded_in_bytes(start: Start) -> None:
    """Of four of 13 MB each, 30 MB may be held: two stay, those that have waited longest go."""
    server = start(tone_s=200, limits={"unsent_bytes": 30_000_000})
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(server.port, buffer_bytes=LITTLE)) for _ in range(4)]
        for n_asked, client in enumerate(clients, 1):
            ask_for_speech(client)
            read_head(client)
            time.sleep(1.2)
            asked = clients[:n_asked]
            wait_until(lambda asked=asked: sum(map(is_open, asked)) == min(len(asked), 2))  # type: ignore[misc]
        assert [is_open(client) for client in clients] == [False, False, True, True]
    wait_until(lambda: server.log.read_text().count("outcome=cut") == 4)
    assert "Traceback" not in server.log.read_text()
