"""SYNTHETIC_MARK: answers say that they are synthetic, in each dialect, unless it is off."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from glm_tts_api.audio.mark import TERM
from tests.api.running import Running
from tests.api.socket_client import heard, talking, tell

Serve = Callable[..., Running]
TTS = {"input_text": "hello", "index": "exampleA"}


def answers(server: Running) -> dict[str, bytes]:
    with server.client() as client:

        def post(path: str, **body: Any) -> bytes:
            answer = client.post(path, json=body)
            assert answer.status_code == 200, answer.text
            return answer.content

        made = {
            "json": base64.b64decode(client.post("/api/v1/tts", json=TTS).json()["audio_base64"]),
            "wav": post("/api/v1/tts", **TTS, response_format="wav"),
            "streamed mp3": post("/api/v1/tts", **TTS, response_format="mp3", stream=True),
            "openai": post("/v1/audio/speech", input="hello", voice="exampleA", response_format="opus"),
            "elevenlabs": post("/v1/text-to-speech/exampleA", text="hello"),
        }
        request_id = client.post("/api/v1/tts", json=TTS).json()["request_id"]
        made |= {
            f"again {name}": client.get(f"/api/v1/audio/{request_id}?format={name}").content
            for name in ("wav", "flac")
        }
    with talking(server.url) as socket:
        tell(socket, "start", response_format="mp3")
        tell(socket, "text", text="Hello there.")
        tell(socket, "flush")
        made["socket"] = heard(socket, "flushed", "error")[1]
    return made


@pytest.mark.parametrize(("settings", "is_marked"), [({}, True), ({"synthetic_mark": "off"}, False)])
def test_every_answer_in_a_container_says_that_it_is_synthetic(
    serve: Serve, settings: dict[str, str], is_marked: bool
) -> None:
    made = answers(serve(**settings))
    assert {name: TERM.encode() in audio for name, audio in made.items()} == dict.fromkeys(made, is_marked)
