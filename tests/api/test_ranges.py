"""Parts of an answer: of a voice's recording, and of a file, over a real port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from glm_tts_api.http.ranges import ranged
from tests.api.running import Running
from tests.api.waiting import wait_until

AUDIO = "/api/v1/prompts/exampleA/audio"
Fetch = Callable[..., httpx.Response]


@pytest.fixture
def fetch(server: Running) -> Iterator[Fetch]:
    with server.client() as client:
        yield lambda method="GET", **headers: client.request(
            method, AUDIO, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


@pytest.fixture
def whole(fetch: Fetch) -> bytes:
    return fetch().content


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-1", 0, 2),
        ("bytes=100-", 100, None),
        ("bytes=-5", -5, None),
        ("Bytes = 7-999999999", 7, None),
    ],
)
def test_a_range_is_a_part_of_the_whole(
    fetch: Fetch, whole: bytes, asked: str, first: int, end: int | None
) -> None:
    part = fetch(range=asked)
    assert (part.status_code, part.content) == (206, whole[first:end])
    start = first % len(whole)
    last = start + len(part.content) - 1
    assert part.headers["Content-Range"] == f"bytes {start}-{last}/{len(whole)}"
    assert part.headers["Content-Type"] == fetch().headers["Content-Type"]


@pytest.mark.parametrize("asked", ["bytes=5-4", "bytes=-", "bytes=0-1,4-5", "seconds=0-1", "bytes=x", "0-1"])
def test_what_is_no_single_range_gets_the_whole(fetch: Fetch, whole: bytes, asked: str) -> None:
    answer = fetch(range=asked)
    assert (answer.status_code, answer.content) == (200, whole)
    assert (answer.headers["Accept-Ranges"], answer.headers["Content-Length"]) == ("bytes", str(len(whole)))


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_told_how_long_it_is(fetch: Fetch, whole: bytes, asked: str) -> None:
    refused = fetch(range=asked)
    assert (refused.status_code, refused.json()["code"]) == (416, "range_not_satisfiable")
    assert refused.headers["Content-Range"] == f"bytes */{len(whole)}"


def test_a_range_of_other_bytes_gets_these_whole(fetch: Fetch, whole: bytes) -> None:
    etag = fetch().headers["ETag"]
    assert fetch(range="bytes=0-1", if_range=etag).content == whole[:2]
    for other in ('"another"', f"W/{etag}", "Fri, 27 Nov 2026 00:00:00 GMT"):
        assert fetch(range="bytes=0-1", if_range=other).content == whole


def test_who_has_it_gets_nothing(fetch: Fetch) -> None:
    etag = fetch().headers["ETag"]
    for tags in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        known = fetch(if_none_match=tags, range="bytes=0-1")
        assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", etag)
    assert fetch(if_none_match='"other"').status_code == 200


def test_head_tells_of_the_whole(fetch: Fetch, whole: bytes) -> None:
    head = fetch("HEAD", range="bytes=0-1")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(whole)))


def test_a_file_is_sent_as_it_was_when_it_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "audio"
    file.write_bytes(bytes(range(256)) * 2**13)

    async def answer(request: Request) -> Response:
        response = await ranged(request, file, media_type="audio/wav", etag="tag")
        (tmp_path / "new").write_bytes(b"new")
        (tmp_path / "new").replace(file)
        return response

    config = uvicorn.Config(Starlette(routes=[Route("/", answer)]), port=0, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 20)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    try:
        part = httpx.get(url, headers={"Range": "bytes=257-"}, trust_env=False, timeout=60)
        assert (part.status_code, part.content) == (206, (bytes(range(256)) * 2**13)[257:])
        assert httpx.get(url, trust_env=False, timeout=60).content == b"new"
    finally:
        server.should_exit = True
        thread.join(20)
