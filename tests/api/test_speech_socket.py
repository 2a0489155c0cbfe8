"""The WebSocket for text in pieces, by the package `websockets`, with an engine that speaks tones: what is
said, who may open it, how it ends."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from glm_tts_api.engine.state import EngineState
from glm_tts_api.http.connections import ConnectionLimits
from tests.api.raw_client import is_open
from tests.api.running import Running
from tests.api.socket_client import (
    DOCS,
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


def test_a_sentence_is_heard_before_the_text_has_ended(server: Running) -> None:
    with talking(server.url) as client:
        write(client, SENTENCES[0] + SENTENCES[1][:2])
        messages, audio = heard(client, "segment.end")
        assert messages == [
            {"type": "segment.start", "segment": 0, "text": SENTENCES[0], "sample_rate": 24000},
            {"type": "segment.end", "segment": 0, "seconds": 0.5},
        ]
        assert len(audio) == TONE_BYTES
        write(client, SENTENCES[1][2:] + SENTENCES[2])
        tell(client, "end")
        messages, audio = heard(client, "done")
        assert [message["text"] for message in messages if "text" in message] == SENTENCES[1:]
        assert len(audio) == 2 * TONE_BYTES
        assert closed(client) == 1000
    server.wait_for_lane(completed=3, active=0)


def test_the_example_of_the_docs_runs_as_it_stands(server: Running, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (DOCS / "streaming.md").read_text(), re.DOTALL)
    program = program.replace("localhost:8049", server.url.removeprefix("http://"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"no_proxy": "*", "PYTHONIOENCODING": "utf-8"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["type"] for line in done.stdout.splitlines()][-1] == "done"
    assert len((tmp_path / "answer.pcm").read_bytes()) == 2 * TONE_BYTES


def test_a_block_is_followed_by_its_pause_and_the_next_turn_begins_without_one(server: Running) -> None:
    """As in one request with the same text."""
    text = "# 江南的春天来了\n江南的春天来得很早。雨也下得很早。\n\n那里的人们在河边走。\n"
    with talking(server.url) as client:
        for _ in range(2):
            write(client, text)
            tell(client, "flush")
            messages, audio = heard(client, "flushed")
            seconds = [message["seconds"] for message in messages if message["type"] == "segment.end"]
            assert seconds == [0.5, 1.0 + 0.5, 0.5, 0.8 + 0.5]
            assert len(audio) == 2 * 24000 * sum(seconds)


def test_cancel_stops_what_is_said_and_drops_what_waits(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=2, segment_s=600))
    with talking(server.url) as client:
        write(client, "".join(SENTENCES))
        heard(client, "segment.start")
        tell(client, "cancel")
        messages, _ = heard(client, "cancelled")
        assert kinds(messages) == ["cancelled"]
        server.wait_for_lane(active=0, cancelled=1, total=1)
        assert server.engine.n_stopped == 1
        server.engine.n_segments = 1
        tell(client, "text", text="现在说别的")
        tell(client, "end")
        messages, audio = heard(client, "done")
        assert [message["text"] for message in messages if "text" in message] == ["现在说别的"]
        assert len(audio) == TONE_BYTES


def test_a_full_line_ends_the_turn_and_says_when_to_come_back(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=600), short_text_concurrency=1, queue_max_size=0)
    with talking(server.url) as first, talking(server.url) as second:
        tell(first, "text", text="你好")
        tell(first, "flush")
        server.wait_for_lane(active=1)
        write(second, "".join(SENTENCES))
        tell(second, "flush")
        messages, audio = heard(second, "flushed")
        assert kinds(messages) == ["error", "flushed"]
        assert messages[0]["code"] == "queue_full"
        assert 1 <= messages[0]["retry_after"] <= 60
        assert audio == b""
        server.engine.release()
        assert heard(first, "flushed")[1]
        server.wait_for_lane(active=0)
        tell(second, "text", text="你好")
        tell(second, "flush")
        assert len(heard(second, "flushed")[1]) == TONE_BYTES


def test_more_text_than_may_wait_ends_the_turn_and_more_turns_the_connection(serve: Serve) -> None:
    server = serve(max_text_length=30)
    with talking(server.url) as client:
        tell(client, "text", text="很" * 31)
        tell(client, "text", text="很" * 31)
        tell(client, "flush")
        messages, _ = heard(client, "flushed")
        assert [message.get("code") for message in messages] == ["text_too_long", None]
        for _ in range(4):  # what is spoken does not count
            tell(client, "text", text="很" * 20)
            tell(client, "flush")
            assert kinds(heard(client, "flushed")[0])[0] == "segment.start"
        server.engine.delay_s = 600
        tell(client, "text", text="你好")
        with suppress(ConnectionClosed):  # by the server, perhaps before the last of them
            for _ in range(60):
                tell(client, "flush")
        (error,), _ = heard(client, "error")
        assert error["code"] == "text_too_long"
        assert closed(client) == 1008


def test_a_fault_of_the_server_is_told_and_not_its_words(serve: Serve) -> None:
    server = serve(ToneEngine(fault=RuntimeError("secret")))
    with talking(server.url) as client:
        tell(client, "text", text="你好")
        tell(client, "flush")
        messages, _ = heard(client, "flushed")
        assert messages[0]["code"] == "internal"
        assert "secret" not in messages[0]["message"]


def test_start_within_a_turn_and_text_after_end_make_no_sense(server: Running) -> None:
    for before, after in (("text", "start"), ("end", "text")):
        with talking(server.url) as client:
            tell(client, before, text="你好")
            tell(client, after, text="你好")
            heard(client, "error", "done")
            assert closed(client) in (1000, 1008)


def test_a_client_that_says_nothing_is_closed_in_a_turn_too_but_not_while_it_listens(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=10, segment_s=0.2), limits=ConnectionLimits(send_s=60, body_s=1.5))
    with talking(server.url) as client:
        tell(client, "text", text="你好")
        tell(client, "flush")
        assert len(heard(client, "flushed")[1]) == 10 * TONE_BYTES
        assert closed(client) == 1001
    with talking(server.url) as client:
        for _ in range(10):
            tell(client, "text", text="")
            time.sleep(0.2)
        tell(client, "text", text="还没说完")
        assert closed(client) == 1001


def test_where_there_are_too_many_the_one_that_is_silent_longest_gives_way_and_one_at_work_does_not(
    serve: Serve,
) -> None:
    """Also one that does not end its turn, as a request whose body does not end."""
    server = serve(ToneEngine(n_segments=2, segment_s=600), limits=ConnectionLimits(max_connections=2))
    with talking(server.url) as client, talking(server.url) as silent:
        tell(silent, "text", text="还没")
        tell(client, "text", text="你好")
        tell(client, "flush")
        heard(client, "segment.start")
        time.sleep(1.1)  # a connection is new for a second
        with talking(server.url) as third:
            tell(third, "text", text="")
            with pytest.raises(ConnectionClosed):
                silent.recv(timeout=60)
            status, error = refused(server.url)
            assert (status, error["code"]) == (429, "queue_full")
        server.engine.release()
        assert len(heard(client, "flushed")[1]) == 2 * TONE_BYTES


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


def test_a_wrong_key_and_a_server_that_cannot_speak_refuse_before_the_handshake(serve: Serve) -> None:
    status, error = refused(serve(ToneEngine(state=EngineState("loading"))).url)
    assert (status, error["code"]) == (503, "loading")
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
    server = start(tone_s=60, limits={"send_s": 1})
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
