"""The WebSocket as clients of vLLM-Omni speak it, on the address that it shares with our own vocabulary."""

from __future__ import annotations

import io
import wave
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from tests.api.running import Running
from tests.api.socket_client import SENTENCES, TONE_BYTES, Serve, closed, heard, kinds, talking, tell
from tests.api.tone_engine import ToneEngine

CONFIG = {"model": "any", "voice": "exampleA", "response_format": "pcm", "stream_audio": True}


def utterance(client: ClientConnection, *texts: str) -> tuple[list[dict[str, Any]], bytes]:
    for text in texts:
        tell(client, "input.text", text=text)
    tell(client, "input.done")
    return heard(client, "session.done")


def test_sentences_are_heard_and_the_connection_stays_for_the_next_utterance(server: Running) -> None:
    with talking(server.url) as client:
        tell(client, "session.config", **CONFIG)
        messages, audio = utterance(client, SENTENCES[0] + SENTENCES[1][:2], SENTENCES[1][2:])
        told = {"format": "pcm", "sample_rate": 24000, "channels": 1}
        assert messages == [
            message
            for number, text in enumerate(SENTENCES[:2])
            for place in [{"utterance_index": 0, "sentence_index": number}]
            for message in (
                {"type": "audio.start", **place, "sentence_text": text, **told},
                {"type": "audio.done", **place},
            )
        ] + [{"type": "session.done", "utterance_index": 0, "total_sentences": 2}]
        assert len(audio) == 2 * TONE_BYTES
        tell(client, "session.config", voice="exampleB", response_format="pcm", speed=None)
        messages, audio = utterance(client, SENTENCES[2])
        assert (messages[0]["utterance_index"], messages[0]["sentence_index"]) == (1, 0)
        assert messages[-1] == {"type": "session.done", "utterance_index": 1, "total_sentences": 1}
        assert len(audio) == TONE_BYTES
        tell(client, "session.close")
        assert closed(client) == 1000
    assert [getattr(asked.voice, "name", None) for asked in server.engine.requests] == [
        *("exampleA", "exampleA", "exampleB")
    ]


def test_audio_comes_before_input_done_where_it_streams(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=2, segment_s=600))
    with talking(server.url) as client:
        tell(client, "session.config", **CONFIG)
        tell(client, "input.text", text=SENTENCES[0] + SENTENCES[1])
        heard(client, "audio.start")
        assert client.recv(timeout=60)


def test_a_sentence_is_one_whole_wav_unless_told_otherwise(serve: Serve) -> None:
    server = serve(ToneEngine(n_segments=2))
    with talking(server.url) as client:
        tell(client, "session.config", voice="exampleA")
        messages, audio = utterance(client, SENTENCES[0])
        assert messages[0]["format"] == "wav"
        with wave.open(io.BytesIO(audio)) as file:
            assert (file.getframerate(), file.getnframes()) == (24000, 24000)


def test_without_cutting_an_utterance_is_spoken_as_one(server: Running) -> None:
    with talking(server.url) as client:
        tell(client, "session.config", **CONFIG, split_granularity="none")
        messages, _ = utterance(client, *SENTENCES)
        assert kinds(messages) == ["audio.start", "audio.done", "session.done"]
        assert messages[0]["sentence_text"] == "".join(SENTENCES)


def test_an_error_ends_the_utterance_alone(serve: Serve) -> None:
    server = serve(ToneEngine(fault=RuntimeError("secret")))
    with talking(server.url) as client:
        tell(client, "session.config", **CONFIG)
        messages, _ = utterance(client, SENTENCES[0])
        assert kinds(messages) == ["error", "session.done"]
        assert messages[1]["total_sentences"] == 0
        server.engine.fault = None
        assert len(utterance(client, SENTENCES[0])[1]) == TONE_BYTES


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"voice": "nobody"}, "nobody"),
        ({"response_format": "mp4"}, "response_format must be"),
        ({"word_timestamps": True}, "stream_audio true"),
        ({"ref_audio": "data:audio/wav;base64,AAAA"}, "ref_audio"),
    ],
)
def test_a_session_that_cannot_be_ends_the_connection(
    server: Running, fields: dict[str, Any], said: str
) -> None:
    with talking(server.url) as client:
        tell(client, "session.config", **fields)
        (error,), _ = heard(client, "error")
        assert said in error["message"]
        assert closed(client) == 1008


def test_the_two_vocabularies_are_not_mixed(server: Running) -> None:
    for first, then in (("session.config", "flush"), ("start", "input.done")):
        with talking(server.url) as client:
            tell(client, first, voice="exampleA")
            tell(client, then)
            (error,), _ = heard(client, "error")
            assert f"not '{then}'" in error["message"]
            assert closed(client) == 1008
