"""A request that holds is spoken, whole or while it is made: how long it is, what it says of itself, what
ends it early. Over a real port, with an engine that speaks a tone a segment."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Callable
from typing import Any, get_args

import httpx
import pytest

from glm_tts_api.audio.encode import TERM
from glm_tts_api.contracts import AudioFormat
from glm_tts_api.errors import InternalFault, ServiceError
from tests.api.dialects import ELEVENLABS, OPENAI, SAY
from tests.api.running import Running
from tests.api.socket_client import heard, talking, tell
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

Serve = Callable[..., Running]
STREAM = {"input_text": "hello", "index": "exampleA", "stream": "true", "response_format": "pcm"}


def streamed(server: Running, **fields: Any) -> tuple[httpx.Response, bytes]:
    """The answer's head, and its body."""
    with server.client() as client, client.stream("POST", "/api/v1/tts", data=STREAM | fields) as response:
        return response, b"".join(response.iter_raw())


def test_speech_so_short_that_its_first_bytes_are_its_last(serve: Serve) -> None:
    """Encoders and a change of tempo hold back some audio until they know that no more comes."""
    server = serve(ToneEngine(seconds=0.12))  # three speech tokens
    for audio_format in get_args(AudioFormat):
        for speed in (0.5, 1.0, 4.0):
            bodies = [streamed(server, response_format=audio_format, speed=speed)[1] for _ in range(2)]
            assert bodies[0] == bodies[1] != b""
    server.wait_for_lane(active=0, completed=6 * len(get_args(AudioFormat)))


def test_every_error_before_the_first_audio_keeps_its_status(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=5), short_text_timeout=0.3)
    for fields, status in (({"input_text": " "}, 400), ({"index": "nobody"}, 404), ({}, 408)):
        response, _ = streamed(server, **fields)
        assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")


@pytest.mark.parametrize(("fault", "outcome"), [(None, "timed_out"), (InternalFault("broken"), "failed")])
def test_a_deadline_or_a_fault_after_the_first_audio_cuts_the_body_and_counts(
    serve: Serve, fault: ServiceError | None, outcome: str
) -> None:
    server = serve(ToneEngine(n_segments=2, segment_s=600, breaks=fault), short_text_timeout=5)
    with pytest.raises(httpx.RemoteProtocolError):
        streamed(server)
    server.wait_for_lane("short_text", active=0, completed=0, **{outcome: 1})
    assert server.engine.n_stopped == (outcome == "timed_out")


def test_a_client_that_leaves_half_way_stops_the_work(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "glm_tts_api.request")
    server = serve(ToneEngine(n_segments=2, segment_s=600))
    with server.client() as client, client.stream("POST", "/api/v1/tts", data=STREAM) as response:
        body = response.iter_raw()  # which would close the connection once nothing holds it
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


def test_answers_in_containers_say_that_they_are_synthetic(server: Running) -> None:
    with server.client() as client:
        whole = client.post("/api/v1/tts", json=SAY["/api/v1/tts"]).json()
        again = f"/api/v1/audio/{whole['request_id']}?format="
        made = [
            base64.b64decode(whole["audio_base64"]),
            streamed(server, response_format="mp3")[1],
            client.post(OPENAI, json={**SAY[OPENAI], "response_format": "opus"}).content,
            client.post(ELEVENLABS, json=SAY[ELEVENLABS]).content,
            *(client.get(f"{again}{kind}").content for kind in ("wav", "flac")),
        ]
    with talking(server.url) as client:
        tell(client, "start", response_format="mp3")
        tell(client, "text", text="Hello there.")
        tell(client, "end")
        made.append(heard(client, "done")[1])
    assert [TERM.encode() in audio for audio in made] == [True] * 7
