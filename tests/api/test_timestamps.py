"""When what was written is heard: in JSON, events, the socket, Kokoro's lines, and of an earlier answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.api.running import Running
from tests.api.socket_client import SENTENCES, heard, talking, tell
from tests.api.tone_engine import ToneEngine

Serve = Callable[..., Running]
TEXT = "Good morning, Tom. How are you today?"
SAY = {"input_text": TEXT, "index": "exampleA"}
WORDS = ["Good", "morning", "Tom", "How", "are", "you", "today"]


def texts(pieces: list[dict[str, Any]]) -> list[str]:
    return [piece["text"] for piece in pieces]


def test_json_answers_have_them_where_they_are_asked_for(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=2, seconds=1.0))
    assert server.say(TEXT).json().keys().isdisjoint(("timestamps", "subtitle"))
    first, second = server.say(TEXT, timestamps="word").json()["timestamps"]
    assert (first["segment"], first["text"], first["start"], first["end"]) == (0, TEXT, 0.0, 1.0)
    assert (second["segment"], second["start"], second["end"]) == (1, 1.0, 2.0)
    assert texts(first["sentences"]) == ["Good morning, Tom.", "How are you today?"]
    assert texts(second["words"]) == WORDS
    assert all(word["estimated"] and 1.0 <= word["start"] < word["end"] <= 2.0 for word in second["words"])
    for level, parts in (("segment", set()), ("sentence", {"sentences"})):
        (told, _) = server.say(TEXT, timestamps=level).json()["timestamps"]
        assert told.keys() == {"segment", "text", "start", "end", *parts}


def test_of_a_stream_they_can_be_fetched_afterwards(server: Running) -> None:
    with server.client() as client:
        fields = {**SAY, "response_format": "mp3", "stream": True}
        answer = client.post("/api/v1/tts", json={**fields, "timestamps": "sentence"})
        url = f"/api/v1/audio/{answer.headers['X-Request-Id']}"
        (segment,) = client.get(f"{url}/timestamps").json()["timestamps"]
        assert texts(segment["sentences"]) == ["Good morning, Tom.", "How are you today?"]
        for kind in ("srt", "vtt"):
            assert TEXT in " ".join(client.get(f"{url}/subtitles.{kind}").text.split())
        assert client.get(f"{url}/subtitles.ass").status_code == 400
        without = client.post("/api/v1/tts", json=fields).headers["X-Request-Id"]
        missing = client.get(f"/api/v1/audio/{without}/timestamps")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_the_socket_tells_them_at_the_end_of_a_sentence(server: Running) -> None:
    with talking(server.url) as client:
        tell(client, "start", voice="exampleA", timestamps="sentence")
        tell(client, "text", text=SENTENCES[0] + SENTENCES[1])
        tell(client, "end")
        messages, _ = heard(client, "done")
    ends = [message for message in messages if message["type"] == "segment.end"]
    assert [texts(end["timestamps"][0]["sentences"]) for end in ends] == [[SENTENCES[0]], [SENTENCES[1]]]
    assert [end["timestamps"][0]["end"] for end in ends] == [0.5, 0.5], "each from its own beginning"
