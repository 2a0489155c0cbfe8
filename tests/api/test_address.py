"""Speech by an address alone: a browser's address bar, and reading apps such as Legado."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from urllib.parse import quote

import av
import httpx
import pytest
import soundfile

from tests.api.running import Running
from tests.api.server_process import Server
from tests.api.tone_engine import ToneEngine

Serve = Callable[..., Running]


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def test_an_address_plays_in_a_browser(client: httpx.Client) -> None:
    """Not as a download, and under a type that a player knows."""
    answer = client.get(f"/api/v1/tts?input_text={quote('你好，世界')}&index=exampleA")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert "Content-Disposition" not in answer.headers
    with av.open(io.BytesIO(answer.content)) as file:
        n_samples = sum(frame.samples for frame in file.decode(audio=0))
    assert n_samples / 24000 == pytest.approx(0.5, abs=0.03)


def test_it_leaves_while_it_is_made(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=3, segment_s=600))
    with (
        server.client() as client,
        client.stream("GET", "/api/v1/tts?input_text=hello&index=exampleA&response_format=pcm") as answer,
    ):
        pieces = answer.iter_raw()
        first = next(pieces)
        assert server.lane()["active"] == 1
        server.engine.release()
        assert len(first) + sum(map(len, pieces)) == 3 * 24000


def test_every_field_of_the_form_may_stand_in_it(client: httpx.Client) -> None:
    address = "/api/v1/tts?input_text=hello&index=exampleB&speed=2.0&sample_rate=32000&seed=7"
    whole = client.get(f"{address}&response_format=wav&stream=false")
    samples, rate = soundfile.read(io.BytesIO(whole.content))
    assert rate == 32000
    assert len(samples) / rate == pytest.approx(0.25, rel=0.05)
    answer = client.get(f"{address}&response_format=json").json()
    assert (answer["success"], answer["sample_rate"]) == (True, 32000)


def test_errors_are_json_which_legado_does_not_play(client: httpx.Client) -> None:
    for query in (
        "input_text=hello&index=nobody",
        "input_text=&index=exampleA",
        "input_text=hello",
        "index=exampleA",
        "input_text=hello&index=exampleA&speed=9",
        "input_text=%C4%E3&index=exampleA",  # GBK
    ):
        answer = client.get(f"/api/v1/tts?{query}")
        assert answer.status_code >= 400, query
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["message"]


def test_the_key_is_asked_for(serve: Serve) -> None:
    with serve(api_keys="s3cret").client() as client:
        address = "/api/v1/tts?input_text=hello&index=exampleA"
        assert client.get(address).status_code == 401
        assert client.get(address, headers={"X-API-Key": "s3cret"}).status_code == 200


def test_an_address_may_hold_a_long_text(start: Callable[..., Server]) -> None:
    answer = start().client.get(f"/api/v1/tts?input_text={quote('好' * 6000)}&index=exampleA")
    assert answer.status_code == 200
