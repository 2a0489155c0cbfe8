"""The last answers again, in every format and in parts: by their request id, by their address; parts of a
voice's recording; HEAD where GET answers."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from glm_tts_api.http.ranges import ranged
from glm_tts_api.speech.recent import RecentAnswers
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.recordings import seconds_of, voice_wav

Serve = Callable[..., Running]
TTS, AUDIO = "/api/v1/tts", "/api/v1/prompts/exampleA/audio"
SAY = {"input_text": "hello", "index": "exampleA"}
SAFARI = {"Range": "bytes=0-1"}  # what it asks before it plays


def again(client: httpx.Client, answer: httpx.Response, **query: str) -> httpx.Response:
    return client.get(f"/api/v1/audio/{answer.headers['X-Request-Id']}", params=query)


def test_it_is_what_was_heard(server: Running, client: httpx.Client) -> None:
    """At its speed; of a stream too, whose WAV could not say how long it is. Parts are parts of one file."""
    for audio_format, stream in (
        ("wav", True),
        ("flac", True),
        ("pcm", False),
        ("mp3", True),
        ("json", False),
    ):
        fields = {**SAY, "response_format": audio_format, "speed": 2.0, "stream": stream}
        answer = client.post(TTS, json=fields)
        if audio_format in ("pcm", "mp3"):  # the others have their length now
            assert again(client, answer).content == answer.content
        pcm, _ = soundfile.read(io.BytesIO(again(client, answer, format="WAV").content), dtype="int16")
        flac, _ = soundfile.read(io.BytesIO(again(client, answer, format="flac").content), dtype="int16")
        assert len(pcm) == 6000
        assert np.array_equal(flac, pcm)
        assert audio_format != "wav" or pcm.tobytes() == answer.content[44:]
    assert again(client, answer, format="m4a").status_code == 400
    assert server.engine.n_spoken == 5
    client.headers.update(SAFARI)
    part, opus = again(client, answer), again(client, answer, format="opus")
    assert (part.status_code, part.content, opus.content) == (206, b"RI", b"Og")
    assert part.headers["ETag"] != opus.headers["ETag"]


def test_each_key_fetches_its_own_alone(serve: Serve) -> None:
    server = serve(api_keys="first,second")
    with server.client(headers={"X-API-Key": "first"}) as client:
        answer = client.post(TTS, json=SAY)
    for headers, status in (
        ({"X-API-Key": "first"}, 200),
        ({"Authorization": "Bearer first"}, 200),
        ({"X-API-Key": "second"}, 404),
        ({}, 401),
    ):
        with server.client(headers=headers) as other:
            assert again(other, answer).status_code == status


def test_only_the_last_are_kept_and_none_that_is_larger_than_the_store(serve: Serve) -> None:
    server = serve(ToneEngine(seconds=9.0), recent=RecentAnswers(2**20))
    with server.client() as client:
        answers = [
            client.post(TTS, json={**SAY, "response_format": audio_format, "stream": True})
            for audio_format in ("wav", "mp3", "wav")
        ]
        assert [again(client, one).status_code for one in answers] == [404, 200, 200]
        assert again(client, answers[1], format="opus").status_code == 200  # which takes room too
        server.engine.n_segments = 4
        for stream in (True, False):
            large = client.post(TTS, json={**SAY, "response_format": "pcm", "stream": stream})
            assert len(large.content) == 4 * 9 * 48000
            assert again(client, large).status_code == 404


def test_a_stream_that_was_left_is_not_kept(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=3, segment_s=600))
    with server.client() as client:
        with client.stream("POST", TTS, json={**SAY, "response_format": "pcm", "stream": True}) as answer:
            next(answer.iter_raw())
        server.wait_for_lane(active=0)
        assert again(client, answer).status_code == 404


@pytest.mark.parametrize("query", ["", "&response_format=flac&stream=false"])
def test_an_address_is_spoken_once_for_all_its_parts(
    server: Running, client: httpx.Client, query: str
) -> None:
    """As Safari asks: two bytes, then the rest in parts."""
    url = f"{TTS}?input_text=hello&index=exampleA{query}"
    first = client.get(url, headers=SAFARI)
    n_bytes = int(first.headers["Content-Range"].rpartition("/")[2])
    assert (first.status_code, len(first.content)) == (206, 2)
    rest = [client.get(url, headers={"Range": f"bytes={at}-{at + 999}"}) for at in range(0, n_bytes, 1000)]
    whole = b"".join(part.content for part in rest)
    assert (len(whole), {part.headers["ETag"] for part in rest}) == (n_bytes, {first.headers["ETag"]})
    assert seconds_of(whole) == pytest.approx(0.5, abs=0.05)
    head = client.head(url)
    assert (head.headers["Content-Length"], head.headers["Accept-Ranges"]) == (str(n_bytes), "bytes")
    assert client.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert (server.engine.n_spoken, server.lane()["total"]) == (1, 1)


def test_the_parts_of_a_stream_are_parts_of_what_it_sent(server: Running, client: httpx.Client) -> None:
    """As Chromium asks: all of it from the beginning, then, of what has been played, parts."""
    url = f"{TTS}?input_text=hello&index=exampleA&response_format=wav"
    streamed = client.get(url, headers={"Range": "bytes=0-"})
    assert (streamed.status_code, "Content-Length" in streamed.headers) == (200, False)
    part = client.get(url, headers={"Range": "bytes=5000-", "If-Range": streamed.headers["ETag"]})
    assert (part.status_code, part.content) == (206, streamed.content[5000:])
    assert client.get(url, headers={"Range": "bytes=0-"}).content == streamed.content
    assert server.engine.n_spoken == 1
    assert client.get(url).content == streamed.content
    assert server.engine.n_spoken == 2, "without a Range it is said again"


def test_an_address_is_spoken_anew_where_it_may_sound_otherwise(
    server: Running, client: httpx.Client
) -> None:
    url, files = f"{TTS}?input_text=hello&index=mine", {"prompt_audio": ("a.wav", voice_wav(2.0))}
    client.post("/api/v1/prompts", data={"index": "mine", "prompt_text": "text"}, files=files)
    etags = [client.get(url, headers=SAFARI).headers["ETag"]]
    etags.append(client.get(f"{url}&seed=7", headers=SAFARI).headers["ETag"])
    client.put("/api/v1/lexicon/hello", json={"replacement": "hi"})
    etags.append(client.get(url, headers=SAFARI).headers["ETag"])
    client.put("/api/v1/prompts/mine", json={"prompt_text": "another"})
    etags.append(client.get(url, headers=SAFARI).headers["ETag"])
    assert len(set(etags)) == server.engine.n_spoken == 4


def test_a_range_is_a_part_of_a_recording_and_what_is_no_single_range_gets_the_whole(
    client: httpx.Client,
) -> None:
    whole = client.get(AUDIO).content
    size = len(whole)
    for asked, first, end in (("bytes=-5", size - 5, size), ("Bytes = 7-999999999", 7, size)):
        part = client.get(AUDIO, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, whole[first:end])
        assert part.headers["Content-Range"] == f"bytes {first}-{end - 1}/{size}"
    for asked in ("bytes=5-4", "bytes=-", "bytes=0-1,4-5", "seconds=0-1", "bytes=x", "0-1"):
        answer = client.get(AUDIO, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (200, whole)
        assert (answer.headers["Accept-Ranges"], answer.headers["Content-Length"]) == ("bytes", str(size))
    for asked in ("bytes=999999999-", "bytes=-0"):
        refused = client.get(AUDIO, headers={"Range": asked})
        assert (refused.status_code, refused.headers["Content-Range"]) == (416, f"bytes */{size}")
    etag = client.get(AUDIO).headers["ETag"]
    for tag, body in ((etag, whole[:2]), ('"another"', whole), (f"W/{etag}", whole)):
        assert client.get(AUDIO, headers={**SAFARI, "If-Range": tag}).content == body
    for tags in (f'"other", {etag}', f"W/{etag}", "*"):
        assert client.get(AUDIO, headers={**SAFARI, "If-None-Match": tags}).status_code == 304
    head = client.head(AUDIO, headers=SAFARI)
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(size))


def test_a_file_is_sent_as_it_was_when_it_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "audio"
    file.write_bytes(bytes(range(256)) * 2**13)

    async def answer(request: Request) -> Response:
        response = await ranged(request, file, media_type="audio/wav", etag="tag")
        (tmp_path / "new").write_bytes(b"new")
        (tmp_path / "new").replace(file)
        return response

    client = TestClient(Starlette(routes=[Route("/", answer)]))
    part = client.get("/", headers={"Range": "bytes=257-"})
    assert (part.status_code, part.content) == (206, (bytes(range(256)) * 2**13)[257:])
    assert client.get("/").content == b"new"


def test_head_has_the_headers_of_get_and_speaks_nothing(server: Running, client: httpx.Client) -> None:
    """As players and link checkers ask before they fetch."""
    for path in ("/api/v1/health", "/api/v1/prompts", AUDIO, "/v1/models", "/v1/voices", "/docs", "/"):
        head, whole = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("Content-Type", "ETag", "Content-Disposition"):
            assert head.headers.get(name) == whole.headers.get(name)
    for audio_format, kind in (("mp3", "audio/mpeg"), ("json", "application/json")):
        head = client.head(TTS, params={**SAY, "response_format": audio_format})
        assert (head.status_code, head.headers["Content-Type"]) == (200, kind)
        assert "Content-Length" not in head.headers
    assert client.head(TTS, params={**SAY, "index": "nobody"}).status_code == 404
    assert client.head("/v1/audio/speech").status_code == 405
    assert (server.engine.requests, server.lane()["total"]) == ([], 0)
