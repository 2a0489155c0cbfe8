"""ElevenLabs' speech API: the requests that its packages send (elevenlabs 2.78.0 of PyPI and 2.73.0 of npm),
over a real port. scripts/checks/test_clients.sh runs the packages themselves."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import av
import httpx
import numpy as np
import pytest

from glm_tts_api.api.compatible.elevenlabs import OutputFormat
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine

Serve = Callable[..., Running]
SPEECH = "/v1/text-to-speech/exampleA"


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client(headers={"xi-api-key": "any"}) as client:
        yield client


def say(
    client: httpx.Client, path: str = SPEECH, *, output_format: str = "", **fields: Any
) -> httpx.Response:
    params = {"output_format": output_format} if output_format else {}
    return client.post(path, params=params, json={"text": "hello", **fields})


def samples_of(body: bytes, output_format: str) -> tuple[np.ndarray[Any, Any], int]:
    """Mono float samples, and Hz, by FFmpeg's decoder."""
    kind, rate, *_ = output_format.split("_")
    if kind == "pcm":
        return np.frombuffer(body, "<i2").astype(np.float32) / 32768, int(rate)
    with av.open(io.BytesIO(body)) as file:
        stream = file.streams.audio[0]
        to_float = av.AudioResampler("flt", "mono", stream.rate)
        frames = [part for frame in file.decode(stream) for part in to_float.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), stream.rate


def pitch_of(samples: np.ndarray[Any, Any], rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * rate))
    return float(np.argmax(spectrum)) / 8


@pytest.mark.parametrize("ending", ["", "/stream"])
def test_every_output_format_is_what_its_name_says(client: httpx.Client, ending: str) -> None:
    for output_format in get_args(OutputFormat):
        answer = say(client, SPEECH + ending, output_format=output_format)
        assert answer.status_code == 200, answer.text
        samples, rate = samples_of(answer.content, output_format)
        assert rate == int(output_format.split("_")[1]), output_format
        assert answer.headers["X-Sample-Rate"] == str(rate)
        frame_s = 1152 / rate if output_format.startswith("mp3") else 0.0  # mp3 knows whole frames alone
        assert len(samples) / rate == pytest.approx(0.5, abs=max(0.001, frame_s / 2)), output_format
        assert pitch_of(samples, rate) == pytest.approx(242, abs=1), output_format  # the tone of seed 42


def test_the_bit_rate_is_the_asked_one(serve: Serve) -> None:
    with serve(ToneEngine(seconds=10)).client() as client:
        for output_format, kbits in (("mp3_44100_32", 32), ("mp3_44100_192", 192)):
            n_bytes = len(say(client, output_format=output_format).content)
            assert n_bytes * 8 / 10_000 == pytest.approx(kbits, rel=0.02)
        loose, tight = (len(say(client, output_format=f"opus_48000_{k}").content) for k in (192, 32))
        assert loose > 2 * tight


def test_mp3_at_44100_hz_unless_told_otherwise(client: httpx.Client) -> None:
    answer = say(client)
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.headers["X-Sample-Rate"] == "44100"


def test_the_stream_is_heard_while_it_is_made_and_the_other_is_whole(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=3, segment_s=600))
    with server.client() as client:
        body = {"text": "hello", "model_id": "eleven_flash_v2_5"}
        path = f"{SPEECH}/stream?output_format=pcm_16000"
        with client.stream("POST", path, json=body) as answer:
            pieces = answer.iter_raw()
            first = next(pieces)
            assert server.lane()["active"] == 1
            server.engine.release()
            assert len(first) + sum(map(len, pieces)) == 3 * 16000
        assert int(say(client).headers["Content-Length"]) > 0


def test_voice_settings_and_seed(client: httpx.Client, server: Running) -> None:
    settings = {"stability": 0.5, "similarity_boost": 0.75, "style": None, "speed": 2.0}
    answer = say(client, output_format="pcm_24000", voice_settings=settings, seed=7, language_code="zh")
    assert len(answer.content) == 24000 // 2
    warnings = answer.headers["X-Warnings"]
    for name in ("voice_settings.stability", "voice_settings.similarity_boost", "language_code"):
        assert name in warnings
    assert "style" not in warnings
    assert server.engine.requests[-1].sampling.seed == 7
    assert "X-Warnings" not in say(client, model_id="eleven_v3", voice_settings={"speed": 1.1}).headers


def test_what_cannot_be_said_has_elevenlabs_shape(client: httpx.Client) -> None:
    for status, path, output_format, fields in (
        (404, "/v1/text-to-speech/nobody", "", {}),
        (400, SPEECH, "", {"text": " "}),
        (400, SPEECH, "ulaw_8000", {}),
        (400, SPEECH, "", {"voice_settings": {"speed": 9}}),
        (400, SPEECH, "", {"voice_settings": "loud"}),
        (404, f"{SPEECH}/with-timestamps", "", {}),
    ):
        answer = say(client, path, output_format=output_format, **fields)
        assert answer.status_code == status, answer.text
        assert answer.json()["detail"]["message"]
        assert answer.json()["detail"]["status"]


def test_a_full_line_is_429_with_retry_after(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=600), short_text_concurrency=1, queue_max_size=0)
    with ThreadPoolExecutor(1) as pool, server.client() as client:
        holder = pool.submit(server.say)
        server.wait_for_lane(active=1)
        answer = say(client)
        assert (answer.status_code, answer.json()["detail"]["status"]) == (429, "queue_full")
        assert answer.headers["Retry-After"]
        server.engine.release()
        assert holder.result().status_code == 200


def test_the_voices(client: httpx.Client) -> None:
    voices = [{"voice_id": name, "name": name, "category": "premade"} for name in ("exampleA", "exampleB")]
    assert client.get("/v1/voices").json() == {"voices": voices}
    assert client.get("/v1/voices/exampleB").json() == voices[1]
    assert client.get("/v1/voices/nobody").json()["detail"]["status"] == "unknown_voice"
    page = {"has_more": False, "next_page_token": None}
    assert client.get("/v2/voices").json() == {"voices": voices, "total_count": 2, **page}
    found = client.get("/v2/voices", params={"search": "EXAMPLEb", "page_size": 10}).json()
    assert found == {"voices": voices[1:], "total_count": 1, **page}


def test_the_key_is_asked_for_by_its_header(serve: Serve) -> None:
    with serve(api_keys="s3cret").client() as client:
        asks: list[Callable[[], httpx.Response]] = [
            lambda: say(client),
            lambda: client.get("/v1/voices"),
            lambda: client.get("/v2/voices"),
        ]
        for ask in asks:
            client.headers.pop("xi-api-key", None)
            refused = ask()
            assert (refused.status_code, "xi-api-key" in refused.json()["detail"]["message"]) == (401, True)
            client.headers["xi-api-key"] = "s3cret"
            assert ask().status_code == 200
