"""The bundled model in a server with every real part: the socket, and the flood of one client."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from glm_tts_api.settings import BUNDLED_MODEL
from tests.api.job_client import audio, wait_for
from tests.api.running import Running
from tests.api.socket_client import heard, kinds, talking, tell
from tests.api.test_dubbing import stretches
from tests.api.test_with_the_model import start
from tests.api.waiting import wait_until
from tests.scraping import Scrape

N_FLOOD, N_PLACES = 20, 15
MANY = 10  # of the flood's requests; where the clients share nothing but the places, 15 end first
TEXT = "今天的天气真的很好。It costs 3.50 dollars."


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
    assert kinds(messages) == ["segment.start", "segment.end"] * 2 + ["done"]
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


def test_speech_begins_at_the_times_of_subtitles(server: Running) -> None:
    """The model's speech has quiet at its start and end, which a tone has not."""
    times = (
        "00:00:01,300 --> 00:00:04,000",
        "00:00:04,200 --> 00:00:04,900",
        "00:00:06,000 --> 00:00:09,000",
    )
    texts = ("今天的天气真的很好。", "It costs three dollars.", "好的，我知道了。")
    film = "".join(
        f"{n}\n{time}\n{text}\n\n" for n, (time, text) in enumerate(zip(times, texts, strict=True), 1)
    )
    with server.client() as client:
        data = {"index": "exampleA", "timing": "exact"}
        id = client.post("/api/v1/jobs", data=data, files={"file": ("film.srt", film.encode())}).json()["id"]
        wait_for(client, id, "done")
        heard = [begin for begin, _ in stretches(audio(client, id).content)]
    for cue in (1.3, 4.2, 6.0):
        assert min(abs(begin - cue) for begin in heard) < 0.04
    assert min(heard) > 1.26


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


def test_a_segment_goes_on_from_the_speech_before_it_unless_told_otherwise(server: Running) -> None:
    text = "今天的天气很好，我们一起去公园走走，然后喝茶。你好。"
    unsaid = server.say(text).json()
    assert unsaid["segments"] == 2
    assert server.say(text, use_cache=True).json()["audio_base64"] == unsaid["audio_base64"]
    assert server.say(text, use_cache=False).json()["audio_base64"] != unsaid["audio_base64"]


def say(server: Running, address: str, seed: int) -> bytes:
    with server.client(headers={"X-Forwarded-For": address}) as client:
        fields = {"input_text": "你好，很高兴认识你。", "index": "exampleA", "seed": str(seed)}
        answer = client.post("/api/v1/tts", data={**fields, "response_format": "wav"})
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.long
def test_a_single_request_is_answered_before_most_of_another_clients_and_sounds_the_same(
    server: Running,
) -> None:
    alone = say(server, "192.0.2.1", 7)
    with ThreadPoolExecutor(N_FLOOD) as pool:
        flood = [pool.submit(say, server, "192.0.2.2", seed) for seed in range(N_FLOOD)]
        server.wait_for_lane(active=N_PLACES, waiting=N_FLOOD - N_PLACES)
        n_before = sum(each.done() for each in flood)
        assert say(server, "192.0.2.1", 7) == alone
        assert sum(each.done() for each in flood) - n_before < MANY
