"""How long the start of a stream's player waits, by hand. test_gapless.py has whole answers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from glm_tts_api.contracts import AudioChunk, Recording, SpeechRequest, Voice
from glm_tts_api.engine.llm_prompt import PromptLayout
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.stream_pace import Pace, StreamStarts
from glm_tts_api.engine.telling import RequestListener
from tests.engine import tiny

CHUNKS = (25, 100, 300)
LAYOUT = PromptLayout(audio_start=1000, begin_of_audio=999, slot_length=5000)
PACE = Pace(prefill_s=0.0, token_s=0.02, flow_s=0.3, flow_token_s=0.0, vocoder_token_s=0.0)
VOICE = Voice(Recording(np.zeros(8, np.float32), 16000), "", "0")


class Listener(RequestListener):
    def __init__(self) -> None:
        super().__init__()
        self.chunks = list[AudioChunk]()

    def chunk_ready(self, chunk: AudioChunk) -> None:
        self.chunks.append(chunk)


def chunks_of(
    starts: StreamStarts, *, streams: bool = True, speed: float = 1.0, n_decoded: int = 33
) -> list[AudioChunk]:
    """Of a request whose first span was rendered when so many of its 125 tokens were there."""
    asked, listener = SpeechRequest("r", "text", VOICE, streams=streams, speed=speed), Listener()
    prompt = SimpleNamespace(speech_tokens=[1] * 125)
    request: EngineRequest = tiny.request(asked, [[10] * 15], [1], cast(Any, prompt), listener, CHUNKS)
    request.starts = starts
    sequence = request.next_sequence(LAYOUT)
    sequence.tokens[:] = [1] * n_decoded
    if not streams:
        request.take(sequence)
    span: Span = next(request.next_spans())
    span.pcm = np.zeros(int(24000 * (0.76 if streams else n_decoded / 25)), np.float32)
    request.deliver(span)
    return listener.chunks


def starts(pace: Pace | None = PACE, *, n_requests: int = 1) -> StreamStarts:
    made = StreamStarts(range(n_requests))
    made.measured(pace, n_renderers=2)
    return made


def test_a_player_starts_when_the_rest_will_be_there_before_it_is_wanted() -> None:
    """15 ids are taken for 120 tokens: the rest is decoded after 87 more and rendered 0.3 s later, and 0.76 s
    can be heard until then."""
    (chunk,) = chunks_of(starts())
    assert chunk.wait_s == pytest.approx(1.1 * (87 * 0.02 + 0.3) - 0.76)


def test_one_who_listens_faster_waits_longer() -> None:
    (usual,), (fast,) = chunks_of(starts()), chunks_of(starts(), speed=2.0)
    assert fast.wait_s == pytest.approx(usual.wait_s + 0.38)


def test_beside_others_that_share_the_renderers_the_wait_is_longer() -> None:
    waits = [chunks_of(starts(n_requests=n))[0].wait_s for n in (1, 2, 4)]
    assert waits == sorted(set(waits))


def test_renders_and_tokens_that_come_later_than_alone_lengthen_the_wait() -> None:
    (usual,) = chunks_of(starts())
    busy = starts()
    for _ in range(50):
        busy.decoded(0.024)
    (later,) = chunks_of(busy)
    assert later.wait_s == pytest.approx(usual.wait_s + 1.1 * 87 * 0.004, abs=0.01)


def test_where_speech_is_made_slower_than_heard_a_player_waits_too() -> None:
    (chunk,) = chunks_of(starts(replace(PACE, token_s=0.06)))
    assert chunk.wait_s == pytest.approx(1.1 * (87 * 0.06 + 0.3) - 0.76)


def test_without_a_pace_nobody_waits() -> None:
    assert [chunk.wait_s for chunk in chunks_of(starts(None))] == [0]


def test_a_whole_answer_never_waits() -> None:
    assert [chunk.wait_s for chunk in chunks_of(starts(), streams=False)] == [0]
