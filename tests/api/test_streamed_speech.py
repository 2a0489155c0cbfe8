"""Audio that leaves while it is made: over real HTTP, with an engine that speaks a tone a segment."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import httpx
import pytest

from glm_tts_api.audio.encode import Encoder, open_encoder
from glm_tts_api.contracts import AudioFormat
from glm_tts_api.errors import InternalFault
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

Serve = Callable[..., Running]
FORMATS = ("wav", "flac", "mp3", "opus", "aac", "pcm")


def fields_of(**fields: Any) -> dict[str, Any]:
    said = {"input_text": "hello", "index": "exampleA"}
    return {**said, "stream": "true", "response_format": "pcm", **fields}


def streamed(server: Running, **fields: Any) -> tuple[httpx.Response, bytes]:
    """The answer's head, and its body."""
    said = fields_of(**fields)
    with server.client() as client, client.stream("POST", "/api/v1/tts", data=said) as response:
        return response, b"".join(response.iter_raw())


def test_audio_leaves_before_the_last_of_it_is_made(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=4, segment_s=600))
    with server.client() as client, client.stream("POST", "/api/v1/tts", data=fields_of()) as response:
        body = response.iter_raw()
        first = next(body)
        server.engine.release()
        rest = b"".join(body)
    assert response.headers["Content-Type"] == "audio/pcm;rate=24000;channels=1"
    assert response.headers["X-Sample-Rate"] == "24000"
    assert response.headers["X-Request-Id"]
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert len(first) + len(rest) == 4 * 24000  # four times half a second of 16 bit samples
    server.wait_for_lane(active=0, completed=1)


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("audio_format", FORMATS)
def test_speech_so_short_that_its_first_bytes_are_its_last(
    serve: Serve, audio_format: str, speed: float
) -> None:
    """Encoders and a change of tempo hold back some audio until they know that no more comes."""
    server = serve(ToneEngine(seconds=0.12))  # three speech tokens
    response, body = streamed(server, response_format=audio_format, speed=speed)
    assert response.status_code == 200
    assert body
    server.wait_for_lane(active=0, completed=1)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("audio_format", get_args(AudioFormat))
def test_equal_requests_are_equal_bytes(server: Running, audio_format: AudioFormat, stream: bool) -> None:
    fields: dict[str, Any] = {"response_format": audio_format, "stream": stream}
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(server.say, **fields) for _ in range(2)]
    assert len({answer.result().raise_for_status().content for answer in answers}) == 1


def test_every_error_before_the_first_audio_keeps_its_status(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=5), short_text_timeout=0.3)
    for fields, status in (
        ({"response_format": "json"}, 400),
        ({"input_text": " "}, 400),
        ({"index": "nobody"}, 404),
        ({"response_format": "mp4"}, 400),
        ({}, 408),
    ):
        response, _ = streamed(server, **fields)
        assert response.status_code == status, fields
        assert response.headers["Content-Type"] == "application/json"


def test_a_deadline_after_the_first_audio_cuts_the_body_and_counts(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=2, segment_s=600), short_text_timeout=5)
    with pytest.raises(httpx.RemoteProtocolError):
        streamed(server)
    server.wait_for_lane(active=0, timed_out=1, completed=0)
    assert server.engine.n_stopped == 1


def test_a_fault_after_the_first_audio_cuts_the_body_and_counts(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=3, breaks=InternalFault("broken")))
    with pytest.raises(httpx.RemoteProtocolError):
        streamed(server)
    server.wait_for_lane(active=0, failed=1, completed=0)


def test_a_client_that_leaves_half_way_stops_the_work(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "glm_tts_api.request")
    server = serve(ToneEngine(n_segments=2, segment_s=600))
    with server.client() as client, client.stream("POST", "/api/v1/tts", data=fields_of()) as response:
        body = response.iter_raw()
        next(body)
        assert server.lane()["active"] == 1
    server.wait_for_lane(active=0, cancelled=1)
    wait_until(lambda: server.engine.n_stopped == 1)
    wait_until(lambda: any("outcome=cancelled" in record.getMessage() for record in caplog.records))


def test_the_time_in_which_a_client_reads_does_not_count_against_its_deadline(serve: Serve) -> None:
    """It reads for longer than it may take to make the speech, and hears all of it."""
    engine = ToneEngine(n_segments=40, segment_s=0.0, seconds=10.0)  # more than socket buffers hold
    server = serve(engine, short_text_timeout=4)
    host, _, port = server.url.removeprefix("http://").partition(":")
    body = b"input_text=hello&index=exampleA&stream=true&response_format=pcm"
    with socket.create_connection((host, int(port))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        head = "POST /api/v1/tts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        first = client.recv(1024)
        assert first.startswith(b"HTTP/1.1 200")
        time.sleep(5.0)
        received = len(first)
        tail = first
        while data := client.recv(1 << 20):
            received += len(data)
            tail = (tail + data)[-16:]
    assert tail.endswith(b"0\r\n\r\n")
    assert received > 40 * 10 * 48000
    server.wait_for_lane(completed=1, timed_out=0)


def test_the_log_line_comes_when_the_body_has_ended(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "glm_tts_api.request")
    server = serve(ToneEngine(n_segments=3, segment_s=0.1))
    streamed(server)
    wait_until(lambda: any("outcome=completed" in record.getMessage() for record in caplog.records))
    (line,) = [record.getMessage() for record in caplog.records if record.name == "glm_tts_api.request"]
    assert "audio_s=1.50" in line
    (rtf,) = re.findall(r"rtf=([0-9.]+)", line)
    assert float(rtf) + 0.01 > 0.2 / 1.5  # two pauses of 0.1 s at least, for 1.5 s of audio


def test_an_encoder_that_is_slow_to_open_keeps_nobody_waiting(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, go_on = threading.Event(), threading.Event()

    def open_slowly(*args: Any, **options: Any) -> Encoder:
        opening.set()
        assert go_on.wait(30)
        return open_encoder(*args, **options)

    monkeypatch.setattr("glm_tts_api.speech.encoding.open_encoder", open_slowly)
    with ThreadPoolExecutor(1) as pool:
        speech = pool.submit(streamed, server, response_format="flac")
        assert opening.wait(30)
        alive = httpx.get(f"{server.url}/api/v1/health/live", timeout=10)
        go_on.set()
        response, _ = speech.result()
    assert (alive.status_code, response.status_code) == (200, 200)
