"""A request that is not done in time: its message names the setting, how far it had come, and what would have
brought audio sooner; in every dialect."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.running import Running
from tests.api.socket_client import heard, talking, tell
from tests.api.tone_engine import ToneEngine

Serve = Callable[..., Running]
ONE_OF_THREE = "1 of 3 segments were spoken, 0.5 s of audio."


def never_done() -> ToneEngine:
    """Speaks the first of its three segments."""
    return ToneEngine(n_segments=3, segment_s=600)


def ask(server: Running, path: str, fields: dict[str, Any]) -> tuple[int, str]:
    """The answer's status, and its message."""
    with server.client() as client:
        answer = client.post(path, json=fields)
    (message,) = re.findall(r'"message": ?"([^"]*)"', answer.text)
    return answer.status_code, message


@pytest.mark.parametrize(
    ("path", "fields", "streamed_by"),
    [
        ("/api/v1/tts", {"input_text": "hello", "index": "exampleA"}, "stream=true"),
        ("/api/paas/v4/audio/speech", {"input": "hello", "voice": "tongtong"}, "stream=true"),
        ("/tts", {"text": "hello", "ref_audio_path": "exampleA"}, "streaming_mode=1"),
    ],
    ids=["v1", "zhipu", "gpt_sovits"],
)
def test_a_whole_answer_says_how_far_it_had_come_and_how_to_have_it_streamed(
    serve: Serve, path: str, fields: dict[str, Any], streamed_by: str
) -> None:
    _, message = ask(serve(never_done(), short_text_timeout=5), path, fields)
    assert "within 5 s (SHORT_TEXT_TIMEOUT)" in message
    assert ONE_OF_THREE in message
    assert f"With {streamed_by} audio leaves while it is made; a job (POST /api/v1/jobs) has" in message


def test_a_stream_whose_dialect_has_events_says_how_far_it_had_come(serve: Serve) -> None:
    fields = {"input": "hello", "voice": "alloy", "stream_format": "sse", "response_format": "pcm"}
    status, message = ask(serve(never_done(), short_text_timeout=5), "/v1/audio/speech", fields)
    assert status == 200
    assert "within 5 s (SHORT_TEXT_TIMEOUT)" in message
    assert message.endswith(ONE_OF_THREE)


def test_a_sentence_of_the_websocket_says_how_far_it_had_come(serve: Serve) -> None:
    with talking(serve(never_done(), short_text_timeout=5).url) as client:
        tell(client, "text", text="hello")
        tell(client, "flush")
        error = heard(client, "error")[0][-1]
    assert "within 5 s (SHORT_TEXT_TIMEOUT)" in error["message"]
    assert error["message"].endswith(ONE_OF_THREE)
