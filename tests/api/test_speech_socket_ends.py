"""Who may open the WebSocket for text in pieces, and how it ends: with an engine that speaks tones."""

from __future__ import annotations

import signal
import socket
import time

import pytest
from websockets.exceptions import ConnectionClosed

from glm_tts_api.engine.state import EngineState
from glm_tts_api.http.connections import ConnectionLimits
from tests.api.raw_client import is_open
from tests.api.running import Running
from tests.api.socket_client import (
    SENTENCES,
    TONE_BYTES,
    Serve,
    Start,
    closed,
    heard,
    kinds,
    refused,
    talking,
    tell,
    write,
)
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import lines_of, wait_until


def test_a_client_that_vanishes_gives_its_place_back(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "glm_tts_api.request")
    server = serve(ToneEngine(n_segments=2, segment_s=600))
    with talking(server.url) as client:
        write(client, "".join(SENTENCES))
        heard(client, "segment.start")
        client.socket.close()
        server.wait_for_lane(active=0, cancelled=1, total=1)
    (line,) = lines_of(caplog, "glm_tts_api.request", 1)
    assert "lane=short_text chars=10 " in line
    assert "outcome=cancelled" in line


def test_keys_hold_and_a_wrong_one_is_refused_before_the_handshake(serve: Serve) -> None:
    server = serve(api_keys="s3cret")
    assert refused(server.url) == (401, {**refused(server.url)[1], "code": "unauthorized"})
    for wrong in (
        {"Authorization": "Bearer wrong"},
        {"X-API-Key": "wrong"},
        {"Authorization": "Basic s3cret"},
    ):
        assert refused(server.url, additional_headers=wrong)[0] in (401, 403)
    for right in ({"Authorization": "Bearer s3cret"}, {"X-API-Key": "s3cret"}):
        with talking(server.url, additional_headers=right, origin="https://chat.example") as client:
            tell(client, "end")
            assert kinds(heard(client, "done")[0]) == ["done"]


def test_without_keys_a_foreign_page_is_refused_unless_its_origin_is_set(serve: Serve) -> None:
    page, other = "https://chat.example", "https://evil.example"
    server, open_to_it = serve(), serve(cors_origins=page)
    for url, origin in ((server.url, page), (server.url, "null"), (open_to_it.url, other)):
        status, error = refused(url, origin=origin)
        assert (status, error["code"]) == (403, "forbidden")
    for url, origin in (
        (server.url, server.url),
        (open_to_it.url, page),
        (serve(cors_origins="*").url, other),
    ):
        with talking(url, origin=origin) as client:
            tell(client, "end")
            assert kinds(heard(client, "done")[0]) == ["done"]


def test_a_rebound_name_is_refused(server: Running) -> None:
    """Its page is of the server's own origin, as the browser sees it."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    page = "http://evil.example"
    status, error = refused(page, origin=page, sock=socket.create_connection((host, int(port))))
    assert (status, error["code"]) == (403, "forbidden")
    assert "evil.example" in error["message"]


def test_a_server_that_cannot_speak_refuses_the_handshake(serve: Serve) -> None:
    server = serve(ToneEngine(state=EngineState("loading")))
    status, error = refused(server.url)
    assert (status, error["code"]) == (503, "loading")


def test_a_stop_lets_a_turn_be_said_to_its_end_and_takes_no_other(start: Start) -> None:
    server = start(delay_s=600)
    url = f"http://127.0.0.1:{server.port}"
    with talking(url) as client, talking(url) as idle:
        write(client, SENTENCES[0] + SENTENCES[1])
        wait_until(lambda: server.lane()["active"] == 1)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.client.get("/api/v1/health").json()["status"] == "draining")
        assert refused(url)[0] == 503
        tell(idle, "text", text="你好")
        assert heard(idle, "error")[0][0]["code"] == "draining"
        tell(idle, "flush")
        server.release()
        write(client, SENTENCES[2])
        tell(client, "flush")
        messages, audio = heard(client, "flushed")
        assert kinds(messages) == ["segment.start", "segment.end"] * 3 + ["flushed"]
        assert len(audio) == 3 * TONE_BYTES
        assert closed(client) == 1012
    server.process.wait(20)
    log = server.log.read_text()
    assert log.count("outcome=completed") == 3
    assert "Traceback" not in log


def test_a_stop_cuts_a_turn_that_takes_too_long(start: Start) -> None:
    server = start(delay_s=60, drain_timeout=0.5)
    with talking(f"http://127.0.0.1:{server.port}") as client:
        write(client, SENTENCES[0] + SENTENCES[1])
        wait_until(lambda: server.lane()["active"] == 1)
        server.process.send_signal(signal.SIGTERM)
        assert heard(client, "error")[0][0]["code"] == "draining"
        assert closed(client) == 1012
    server.process.wait(20)
    assert "Traceback" not in server.log.read_text()


def test_a_client_that_reads_nothing_is_dropped_and_its_place_comes_back(start: Start) -> None:
    server = start(tone_s=600, limits={"send_s": 1})
    with talking(f"http://127.0.0.1:{server.port}", max_queue=1) as client:  # takes some of it by itself
        write(client, "".join(SENTENCES * 5))
        wait_until(lambda: "outcome=cancelled" in server.log.read_text())
        wait_until(lambda: server.lane()["active"] == 0)
        wait_until(
            lambda: not is_open(client.socket), 5
        )  # with what it did not read, which is kept no longer
        with pytest.raises(ConnectionClosed):
            heard(client, "flushed")
    assert "Traceback" not in server.log.read_text()


def test_one_that_does_not_end_its_turn_gives_way_where_there_are_too_many(serve: Serve) -> None:
    """As a request whose body does not end. The one that has been silent longest goes."""
    server = serve(limits=ConnectionLimits(send_s=60, max_connections=2))
    with talking(server.url) as silent, talking(server.url) as writing:
        for client in (silent, writing):
            tell(client, "text", text="还没")
        time.sleep(1.1)  # a connection is new for a second
        tell(writing, "text", text="说完")
        with talking(server.url) as third:
            tell(third, "end")
            assert kinds(heard(third, "done")[0]) == ["done"]
            with pytest.raises(ConnectionClosed):
                silent.recv(timeout=60)
        tell(writing, "flush")
        assert len(heard(writing, "flushed")[1]) == TONE_BYTES


def test_a_client_that_asks_on_and_reads_little_takes_little_memory(start: Start) -> None:
    """The turns that wait are refused for a voice that is not there, each after 3,000 letters."""
    server = start(delay_s=600)
    with talking(f"http://127.0.0.1:{server.port}") as client:
        tell(client, "text", text="你好")
        tell(client, "flush")
        wait_until(lambda: server.lane()["active"] == 1)
        before = server.peak_bytes()
        for _ in range(1000):
            tell(client, "text", text="[[voice nobody]]" * 190)
            tell(client, "flush")
        tell(client, "cancel")
        heard(client, "cancelled")
        assert server.peak_bytes() - before < 8 * 2**20
