"""The WebSocket with every real part, on the bundled model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glm_tts_api.settings import BUNDLED_MODEL
from tests.api.running import Running
from tests.api.socket_client import heard, kinds, talking, tell
from tests.api.test_with_the_model import start
from tests.api.waiting import wait_until
from tests.scraping import Scrape

TEXT = "今天的天气真的很好。我们三点去公园走走吧！It costs 3.50 dollars. You can pay later."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from start(tmp_path_factory.mktemp("project"), BUNDLED_MODEL)


def spoken(server: Running, *pieces: str, seed: int = 7) -> bytes:
    with talking(server.url) as client:
        tell(client, "start", voice="exampleA", seed=seed)
        for piece in pieces:
            tell(client, "text", text=piece)
        tell(client, "end")
        messages, audio = heard(client, "done")
    assert kinds(messages) == ["segment.start", "segment.end"] * 4 + ["done"]
    return audio


def test_the_same_text_is_the_same_audio_however_it_comes(server: Running) -> None:
    whole = spoken(server, TEXT)
    assert spoken(server, *TEXT) == whole
    assert spoken(server, TEXT, seed=8) != whole


def test_a_sentence_sounds_as_it_does_by_a_request(server: Running) -> None:
    sentence = "今天的天气真的很好。"
    with server.client() as http, talking(server.url) as client:
        fields = {"input": sentence, "voice": "exampleA", "response_format": "pcm", "seed": 7}
        request = http.post("/v1/audio/speech", json=fields).content
        tell(client, "start", voice="exampleA", seed=7)
        tell(client, "text", text=sentence)
        tell(client, "end")
        assert heard(client, "done")[1] == request


def test_cancel_frees_the_row_and_the_place(server: Running) -> None:
    def rows_active() -> float:
        with server.client() as client:
            return Scrape(client.get("/metrics").text)("decode_rows_active")

    with talking(server.url) as client:
        tell(client, "text", text="今天的天气很好我们一起去公园走走吧" * 60)
        tell(client, "flush")
        heard(client, "segment.start")
        wait_until(lambda: rows_active() == 1)
        tell(client, "cancel")
        heard(client, "cancelled")
        server.wait_for_lane("long_text", active=0, cancelled=1)
        wait_until(lambda: rows_active() == 0)
        tell(client, "text", text="你好")
        tell(client, "end")
        assert kinds(heard(client, "done")[0]) == ["segment.start", "segment.end", "done"]
