"""The WebSocket for text in pieces, by the package `websockets`, with an engine that speaks tones."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from glm_tts_api.http.connections import ConnectionLimits
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


def test_turns_that_are_written_at_once_are_said_one_after_the_other(server: Running) -> None:
    with talking(server.url) as client:
        for text in ("第一", "第二"):
            tell(client, "text", text=text)
            tell(client, "flush")
        tell(client, "end")
        messages, _ = heard(client, "done")
    turn = ["segment.start", "segment.end", "flushed"]
    assert kinds(messages) == [*turn, *turn, "done"]


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


def test_cancel_after_end_still_ends(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=30))
    with talking(server.url) as client:
        tell(client, "text", text="你好")
        tell(client, "end")
        server.wait_for_lane(active=1)
        tell(client, "cancel")
        assert kinds(heard(client, "done")[0]) == ["cancelled", "done"]
        assert closed(client) == 1000


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


def test_each_sentence_has_the_deadline_of_its_length(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=0.8), short_text_timeout=5)
    with talking(server.url) as client:
        write(client, "".join(SENTENCES))
        tell(client, "flush")
        assert "error" not in kinds(heard(client, "flushed")[0])
        server.engine.delay_s = 30
        tell(client, "text", text="你好")
        tell(client, "flush")
        messages, _ = heard(client, "flushed")
        assert messages[0]["code"] == "deadline_passed"
    server.wait_for_lane(active=0, completed=3, timed_out=1)


def test_more_text_than_may_wait_ends_the_turn(serve: Serve) -> None:
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


def test_more_turns_than_may_wait_end_the_connection(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=600), max_text_length=30)
    with talking(server.url) as client:
        tell(client, "text", text="你好")
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


def test_one_at_rest_gives_way_where_there_are_too_many_and_one_at_work_does_not(serve: Serve) -> None:
    engine = ToneEngine(n_segments=2, segment_s=600)
    server = serve(engine, limits=ConnectionLimits(send_s=60, max_connections=2))
    with talking(server.url) as client, talking(server.url) as idle:
        tell(client, "text", text="你好")
        tell(client, "flush")
        heard(client, "segment.start")
        time.sleep(1.1)  # a connection is new for a second
        with talking(server.url) as third:
            tell(third, "text", text="")
            with pytest.raises(ConnectionClosed):
                idle.recv(timeout=60)
            status, error = refused(server.url)
            assert (status, error["code"]) == (429, "queue_full")
        engine.release()
        assert len(heard(client, "flushed")[1]) == 2 * TONE_BYTES


def test_a_turn_that_failed_holds_up_no_stop(start: Start) -> None:
    server = start(delay_s=60, short_text_timeout=0.3)
    with talking(f"http://127.0.0.1:{server.port}") as client:
        write(client, SENTENCES[0] + SENTENCES[1])
        assert heard(client, "error")[0][0]["code"] == "deadline_passed"
        server.process.send_signal(signal.SIGTERM)
        assert closed(client) == 1012
    server.process.wait(20)
