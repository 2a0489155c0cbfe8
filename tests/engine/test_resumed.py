"""A request that another engine goes on with: what was decoded is not decoded again, what was heard is not
said again, and the rest is the same to the bit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from glm_tts_api.contracts import Float32, SpeechRequest
from glm_tts_api.engine.engine import Engine
from speech_text import Reading, ReadingOptions
from speech_text.marks import MarkedText
from speech_text.places import Placed
from speech_text.reading import SpokenSegment
from tests.engine import tiny

TEXT = "ab/cde/f"
N = 3
PAUSES_S = (0.03, 0.0, 1.2)  # before each segment; one is of more than a chunk
LAST_PAUSE_S = 0.04
VOICES = (None, "Ann", None)
# Half of all ways: each three of the four options in every combination. Half of those are long: the others
# have each value twice.
WAYS = [
    pytest.param(
        (use_cache, beam_size, streams, 24000 if use_cache ^ (beam_size > 1) ^ streams else 32000),
        marks=[pytest.mark.long] if use_cache != streams else [],
    )
    for use_cache, beam_size, streams in product((True, False), (1, 3), (True, False))
]


class MarkedFrontend(tiny.SentenceFrontend):
    """As marks in the text would have it: pauses, and two voices in turn."""

    def read(self, text: str, options: ReadingOptions, check: Callable[[], None], *_: str) -> Reading:
        segments = tuple(
            SpokenSegment(part, part, voice=voice, pause_s=pause_s, speed=1.5)
            for part, voice, pause_s in zip(text.split("/"), VOICES, PAUSES_S, strict=True)
        )
        return Reading(
            MarkedText(Placed.written(text), text, range(len(text))), segments, pause_s=LAST_PAUSE_S
        )


@dataclass
class Spoken:
    """Audio by the segment that it is heard with, a pause with the one after it; the last pause alone. And
    each segment's tokens."""

    audio: list[list[Float32]] = field(default_factory=lambda: [[] for _ in range(N + 1)])
    tokens: dict[int, list[int]] = field(default_factory=dict)

    def from_segment(self, first: int) -> Float32:
        return np.concatenate([pcm for each in self.audio[first:] for pcm in each])


async def heard(stream: tiny.Heard, first: int = 0) -> Spoken:
    spoken, segment = Spoken(), first
    async with stream:
        async for chunk in stream:
            spoken.audio[segment].append(chunk.pcm)
            segment += chunk.ends_segment
    spoken.tokens = stream.tokens
    return spoken


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[Engine]:
    async with tiny.engine_of(frontend=MarkedFrontend) as engine:
        yield engine


def asked_in(way: Sequence[Any]) -> SpeechRequest:
    names = ("use_cache", "beam_size", "streams", "sample_rate")
    request = tiny.asked(TEXT, seed=5, **dict(zip(names, way, strict=True)))
    return replace(request, others={"Ann": tiny.voice(1, seconds=0.7)})


def decoded_sets(first: int, *, use_cache: bool) -> list[set[int]]:
    """Some sets of segments that may be decoded where those before `first` were heard. With a cache they are
    decoded one after the other, without in any order."""
    sets = [set(range(end)) for end in sorted({first, N})]
    if not use_cache and first < N - 1:
        sets += [{*range(first), N - 1}, {*range(first), first + 1}]
    return sets


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(map(str, way)))
async def test_from_every_segment_on_the_rest_is_the_same_to_the_bit(
    engine: Engine, way: Sequence[Any]
) -> None:
    """Whatever was decoded by then, up to all of it with the last pause left."""
    request = asked_in(way)

    whole = await heard(tiny.speak(engine, request))
    assert sorted(whole.tokens) == list(range(N))
    assert all(whole.audio)
    rate = request.sample_rate
    assert sum(map(len, whole.audio[N])) == round(LAST_PAUSE_S * rate)

    async def goes_on(first: int, decoded: set[int]) -> None:
        known = {segment: whole.tokens[segment] for segment in sorted(decoded)}
        rest = await heard(tiny.speak(engine, request, tokens=known, first=first), first)
        what = f"from segment {first} on, with {sorted(decoded)} decoded"
        np.testing.assert_array_equal(rest.from_segment(first), whole.from_segment(first), what)
        assert {**known, **rest.tokens} == whole.tokens, what
        assert not known.keys() & rest.tokens.keys(), what  # nothing is decoded again

    for first in range(N + 1):
        for decoded in decoded_sets(first, use_cache=request.use_cache):
            await goes_on(first, decoded)  # alone: nothing else keeps the threads going


async def test_a_history_that_is_longer_than_what_is_looked_back_on_is_cut_where_it_was() -> None:
    """Segments are forgotten one by one as new ones come; whoever goes on must forget the same ones."""
    request = tiny.asked("/".join(["abcdefgh"] * 14), seed=3)
    async with tiny.engine_of() as engine:
        stream = tiny.speak(engine, request)
        await tiny.pcm(stream)
        tokens = dict(stream.tokens)
        assert sum(map(len, tokens.values())) > 1000
        known = {segment: tokens[segment] for segment in range(12)}
        rest = tiny.speak(engine, request, tokens=known, first=12)
        await tiny.pcm(rest)
        assert rest.tokens == {segment: tokens[segment] for segment in (12, 13)}
