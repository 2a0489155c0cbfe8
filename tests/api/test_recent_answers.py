"""The last answers again: in every format, in parts, by their request id and by their address."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import av
import httpx
import numpy as np
import pytest
import soundfile

from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.recordings import voice_wav

Serve = Callable[..., Running]
TTS, SOVITS = "/api/v1/tts", "/tts"
SAY = {"input_text": "hello", "index": "exampleA"}
SAFARI = {"Range": "bytes=0-1"}  # what it asks before it plays


def again(client: httpx.Client, answer: httpx.Response, **query: str) -> httpx.Response:
    return client.get(f"/api/v1/audio/{answer.headers['X-Request-Id']}", params=query)


def samples_of(file: bytes) -> tuple[Any, int]:
    with av.open(io.BytesIO(file)) as container:
        rate = container.streams.audio[0].rate
        frames = [frame.to_ndarray().mean(axis=0) for frame in container.decode(audio=0)]
    return np.concatenate(frames), rate


def test_an_answer_can_be_heard_again_in_every_format(server: Running) -> None:
    with server.client() as client:
        answer = client.post(TTS, json={**SAY, "response_format": "mp3", "stream": True})
        assert again(client, answer).content == answer.content
        wav = again(client, answer, format="WAV")
        pcm, rate = soundfile.read(io.BytesIO(wav.content), dtype="int16")
        assert (len(pcm), rate, wav.headers["Content-Type"]) == (12000, 24000, "audio/wav")
        assert again(client, answer, format="pcm").content == pcm.tobytes()
        flac, _ = soundfile.read(io.BytesIO(again(client, answer, format="flac").content), dtype="int16")
        assert np.array_equal(flac, pcm)
        for audio_format in ("opus", "aac", "mp3"):
            samples, rate = samples_of(again(client, answer, format=audio_format).content)
            assert len(samples) / rate == pytest.approx(0.5, abs=0.05)
    assert server.engine.n_spoken == 1


@pytest.mark.parametrize("audio_format", ["wav", "flac", "pcm", "opus", "aac", "json"])
@pytest.mark.parametrize("stream", [True, False])
def test_it_is_what_was_heard(server: Running, audio_format: str, stream: bool) -> None:
    """At its speed; of a stream too, whose WAV could not say how long it is."""
    with server.client() as client:
        fields = {**SAY, "response_format": audio_format, "stream": stream, "speed": 2.0}
        answer = client.post(TTS, json=fields)
        if audio_format == "json" and stream:
            assert answer.status_code == 400
            return
        wav = again(client, answer, format="wav").content
        if not stream and audio_format not in ("json", "wav"):
            assert again(client, answer).content == answer.content
        pcm, _ = soundfile.read(io.BytesIO(wav), dtype="int16")
        assert len(pcm) == 6000
        if audio_format == "pcm":
            assert pcm.tobytes() == answer.content
        if audio_format == "wav":
            assert wav.partition(b"LIST")[0][44:] == answer.content.partition(b"LIST")[0][44:]


def test_parts_of_it_are_parts_of_one_file(server: Running) -> None:
    with server.client() as client:
        url = f"/api/v1/audio/{client.post(TTS, json=SAY).json()['request_id']}"
        whole = client.get(url, params={"format": "opus"})
        for asked, part in ((SAFARI, whole.content[:2]), ({"Range": "bytes=100-"}, whole.content[100:])):
            answer = client.get(url, params={"format": "opus"}, headers=asked)
            assert (answer.status_code, answer.content) == (206, part)
            assert answer.headers["ETag"] == whole.headers["ETag"]
        assert client.get(url).headers["ETag"] != whole.headers["ETag"]
        assert client.head(url).headers["Content-Length"] == str(len(client.get(url).content))
        assert client.get(url, headers={"Range": "bytes=9999999-"}).status_code == 416


def test_what_is_not_there_is_a_404(server: Running) -> None:
    with server.client() as client:
        missing = client.get("/api/v1/audio/nothing")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
        assert "RECENT_MB" in missing.json()["message"]
        answer = client.post(TTS, json={**SAY, "response_format": "wav"})
        assert again(client, answer, format="m4a").status_code == 400


def test_each_key_fetches_its_own_alone(serve: Serve) -> None:
    server = serve(api_keys="first,second")
    with server.client(headers={"X-API-Key": "first"}) as client:
        answer = client.post(TTS, json=SAY)
        assert again(client, answer).status_code == 200
        by_bearer = {"X-API-Key": "", "Authorization": "Bearer first"}
        assert (
            client.get(f"/api/v1/audio/{answer.json()['request_id']}", headers=by_bearer).status_code == 200
        )
    with server.client(headers={"X-API-Key": "second"}) as other:
        assert again(other, answer).status_code == 404
    with server.client() as nobody:
        assert again(nobody, answer).status_code == 401


def test_only_the_last_are_kept(serve: Serve) -> None:
    server = serve(ToneEngine(seconds=9.0), recent_mb=1)
    with server.client() as client:
        first, second, third = (
            client.post(TTS, json={**SAY, "response_format": audio_format, "stream": True})
            for audio_format in ("wav", "mp3", "wav")
        )
        assert [again(client, one).status_code for one in (first, second, third)] == [404, 200, 200]
        assert again(client, second, format="opus").status_code == 200  # which takes room too


def test_an_answer_that_is_larger_than_the_store_is_sent_and_not_kept(serve: Serve) -> None:
    server = serve(ToneEngine(seconds=6.0, n_segments=4), recent_mb=1)
    with server.client() as client:
        small = client.post(TTS, json={**SAY, "response_format": "mp3"})
        for stream in (True, False):
            large = client.post(TTS, json={**SAY, "response_format": "pcm", "stream": stream})
            assert len(large.content) == 4 * 6 * 48000
            assert again(client, large).status_code == 404
        assert again(client, small).status_code == 404
    with serve(recent_mb=0).client() as client:
        assert again(client, client.post(TTS, json=SAY)).status_code == 404


def test_a_stream_that_was_left_is_not_kept(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=3, segment_s=600))
    with server.client() as client:
        with client.stream("POST", TTS, json={**SAY, "response_format": "pcm", "stream": True}) as answer:
            next(answer.iter_raw())
        server.wait_for_lane(active=0)
        assert again(client, answer).status_code == 404


@pytest.mark.parametrize("query", ["", "&response_format=wav", "&response_format=flac&stream=false"])
def test_an_address_is_spoken_once_for_all_its_parts(server: Running, query: str) -> None:
    """As Safari asks: two bytes, then the rest in parts."""
    url = f"{TTS}?input_text=hello&index=exampleA{query}"
    with server.client() as client:
        first = client.get(url, headers=SAFARI)
        n_bytes = int(first.headers["Content-Range"].rpartition("/")[2])
        assert (first.status_code, len(first.content)) == (206, 2)
        rest = [
            client.get(url, headers={"Range": f"bytes={at}-{at + 999}"}) for at in range(0, n_bytes, 1000)
        ]
        whole = b"".join(part.content for part in rest)
        assert (len(whole), {part.headers["ETag"] for part in rest}) == (n_bytes, {first.headers["ETag"]})
        assert server.engine.n_spoken == 1
        samples, rate = samples_of(whole)
        assert len(samples) / rate == pytest.approx(0.5, abs=0.05)
        head = client.head(url)
        assert (head.headers["Content-Length"], head.headers["Accept-Ranges"]) == (str(n_bytes), "bytes")
        assert client.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert server.engine.n_spoken == 1
    assert server.lane()["total"] == 1


def test_the_parts_of_a_stream_are_parts_of_what_it_sent(server: Running) -> None:
    """As Chromium asks: all of it from the beginning, then, of what has been played, parts."""
    url = f"{TTS}?input_text=hello&index=exampleA&response_format=wav"
    with server.client() as client:
        streamed = client.get(url, headers={"Range": "bytes=0-"})
        assert (streamed.status_code, "Content-Length" in streamed.headers) == (200, False)
        part = client.get(url, headers={"Range": "bytes=5000-", "If-Range": streamed.headers["ETag"]})
        assert (part.status_code, part.content) == (206, streamed.content[5000:])
        assert client.get(url, headers={"Range": "bytes=0-"}).content == streamed.content
        assert server.engine.n_spoken == 1
        assert client.get(url).content == streamed.content
    assert server.engine.n_spoken == 2, "without a Range it is said again"


def test_an_address_is_spoken_anew_where_it_may_sound_otherwise(server: Running) -> None:
    url = f"{TTS}?input_text=hello&index=mine"
    recording = {"index": "mine", "prompt_text": "text"}
    with server.client() as client:
        files = {"prompt_audio": ("a.wav", voice_wav(2.0))}
        assert client.post("/api/v1/prompts", data=recording, files=files).status_code == 201
        etags = [client.get(url, headers=SAFARI).headers["ETag"]]
        etags.append(client.get(f"{url}&seed=7", headers=SAFARI).headers["ETag"])
        client.put("/api/v1/lexicon/hello", json={"replacement": "hi"})
        etags.append(client.get(url, headers=SAFARI).headers["ETag"])
        client.put("/api/v1/prompts/mine", json={"prompt_text": "another"})
        etags.append(client.get(url, headers=SAFARI).headers["ETag"])
    assert len(set(etags)) == server.engine.n_spoken == 4


def test_other_addresses_that_speak_have_parts_too(server: Running) -> None:
    url = f"{SOVITS}?text=hello&ref_audio_path=exampleA.wav"
    with server.client() as client:
        first = client.get(url, headers=SAFARI)
        assert (first.status_code, first.content) == (206, b"RI")
        assert client.get(url, headers={"Range": "bytes=2-3"}).content == b"FF"
        openai = client.post("/v1/audio/speech", json={"input": "hello", "voice": "exampleA"})
        assert again(client, openai).content == openai.content
    assert server.engine.n_spoken == 2
