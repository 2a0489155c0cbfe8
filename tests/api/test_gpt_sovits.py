"""/tts as clients of GPT-SoVITS' api_v2 and xiaozhi's index_stream ask it, over a real port."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import soundfile

from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.recordings import seconds_of, voice_wav

Serve = Callable[..., Running]
SAY = {"text": "hello", "text_lang": "zh", "ref_audio_path": "exampleA.wav", "prompt_lang": "zh"}


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def both_ways(client: httpx.Client, **fields: Any) -> list[httpx.Response]:
    """The same request as an address and as JSON."""
    said = {**SAY, **fields}
    return [client.get("/tts", params=said), client.post("/tts", json=said)]


@pytest.mark.parametrize(
    "path", ["exampleA.wav", "./refs/exampleA.wav", "C:\\refs\\exampleA.mp3", "exampleA"]
)
def test_a_recordings_name_is_the_voices(client: httpx.Client, path: str) -> None:
    for answer in both_ways(client, ref_audio_path=path):
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "audio/wav"
        heard, rate = soundfile.read(io.BytesIO(answer.content))
        assert len(heard) / rate == 0.5


@pytest.mark.parametrize(
    ("media_type", "content_type"),
    [("ogg", "audio/ogg"), ("aac", "audio/aac"), ("raw", "audio/pcm;rate=24000;channels=1")],
)
@pytest.mark.parametrize("streaming_mode", [0, 1, 2, 3, "true", "false", True, False])
def test_formats_whole_and_streamed(
    client: httpx.Client, media_type: str, content_type: str, streaming_mode: Any
) -> None:
    for answer in both_ways(client, media_type=media_type, streaming_mode=streaming_mode):
        assert answer.headers["Content-Type"] == content_type
        is_whole = "Content-Length" in answer.headers
        assert is_whole == (str(streaming_mode).lower() in ("0", "false"))
        if media_type == "raw":
            assert len(answer.content) == 24000
        else:
            assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03)


def test_a_streamed_wav_has_one_header_and_no_end_in_it(client: httpx.Client) -> None:
    for answer in both_ways(client, streaming_mode=1):
        assert answer.content[4:8] == answer.content[40:44] == b"\xff\xff\xff\xff"
        assert len(answer.content) == 44 + 24000


def test_speed_and_seed(client: httpx.Client) -> None:
    plain, fast, seeded, any_seed = (
        client.get("/tts", params={**SAY, **more}).content
        for more in ({}, {"speed_factor": 2}, {"seed": 7}, {"seed": -1})
    )
    assert seconds_of(fast) == pytest.approx(0.25, rel=0.05)
    assert seeded != plain
    assert any_seed == plain


def test_index_stream_is_raw_samples_while_they_are_made(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=3, segment_s=600))
    with (
        server.client() as client,
        client.stream("POST", "/tts", json={"text": "hello", "character": "exampleB"}) as answer,
    ):
        pieces = answer.iter_raw()
        first = next(pieces)
        assert server.lane()["active"] == 1
        server.engine.release()
        assert answer.status_code == 200
        assert len(first) + sum(map(len, pieces)) == 3 * 24000


def test_what_cannot_be_said_is_a_400_with_a_message(client: httpx.Client) -> None:
    for wrong in (
        {"ref_audio_path": "nobody.wav"},
        {"ref_audio_path": ""},
        {"text": ""},
        {"text": " "},
        {"media_type": "mp3"},
        {"streaming_mode": 9},
        {"speed_factor": 9},
    ):
        for answer in both_ways(client, **wrong):
            assert answer.status_code == 400, wrong
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.json()["message"]
    assert client.post("/tts", json={"text": "hello", "character": "nobody"}).status_code == 400


def test_no_file_is_opened_for_a_path(client: httpx.Client, server: Running) -> None:
    outside = server.root / "outside.wav"
    outside.write_bytes(voice_wav(3.0))
    for path in (str(outside), "../outside.wav", "/etc/passwd", "configs/prompts/exampleA.wav/..", "..", "/"):
        for answer in both_ways(client, ref_audio_path=path):
            assert answer.status_code == 400
            assert "There is no voice" in answer.json()["message"]


def test_a_full_line_is_503_with_retry_after(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=600), short_text_concurrency=1, queue_max_size=0)
    with ThreadPoolExecutor(1) as pool, server.client() as client:
        holder = pool.submit(server.say)
        server.wait_for_lane(active=1)
        for answer in both_ways(client):
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
        server.engine.release()
        assert holder.result().status_code == 200


def test_the_key_is_asked_for(serve: Serve) -> None:
    with serve(api_keys="s3cret").client() as client:
        assert {answer.status_code for answer in both_ways(client)} == {401}
        assert client.get("/speakers").status_code == 401
        client.headers["Authorization"] = "Bearer s3cret"
        assert {answer.status_code for answer in both_ways(client)} == {200}


def test_the_speakers_as_sillytavern_lists_them(client: httpx.Client) -> None:
    assert client.get("/speakers").json() == [
        {"name": "exampleA", "voice_id": "exampleA"},
        {"name": "exampleB", "voice_id": "exampleB"},
    ]
