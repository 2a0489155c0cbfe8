"""What the scripted engines speak, and what the recogniser hears in it: functions of the request alone."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from glm_tts_api.contracts import VERDICTS, AudioChunk, Float32, SpeechRequest, Verdict, Voice
from glm_tts_api.engine.seeds import respoken_seed
from glm_tts_api.recognition.recogniser import Heard
from glm_tts_api.speech.encoding import encode_whole
from glm_tts_api.speech.verifier import MOST_RETAKES
from speech_text import ShownReading
from speech_text.reading import ShownSegment, SpokenSegment

_SEGMENT_CHARS = 40
_NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 20_000).astype(np.float32)


def segments_of(text: str) -> list[str]:
    return [text[at : at + _SEGMENT_CHARS] for at in range(0, len(text), _SEGMENT_CHARS)]


def tokens_of(asked: SpeechRequest, segment: int, before: Sequence[int]) -> list[int]:
    """The speech tokens of a segment, which continues the segment `before` it."""
    voice = asked.voice
    assert isinstance(voice, Voice)
    part = segments_of(asked.text)[segment]
    said = f"{part}/{segment}/{asked.sampling.seed}/{voice.transcript}/{list(before)}"
    number = zlib.crc32(said.encode())
    return [number % 6000, number // 6000 % 6000, len(part)]


def pcm_of(tokens: Sequence[int]) -> Float32:
    first = (tokens[0] * 7 + tokens[1]) % 15_000
    return _NOISE[first : first + 800 + tokens[2] * 40].copy()


def heard_in(pcm: Float32) -> Heard:
    """What the recogniser hears: a function of the samples."""
    digest = zlib.crc32(np.ascontiguousarray(pcm).data)
    verdict: Verdict = "drift" if digest % 10 < 4 else "inconclusive" if digest % 10 < 5 else "ok"
    return Heard("heard", verdict, float(digest % 7))


def reading_of(text: str) -> ShownReading:
    parts = segments_of(text)
    shown = [
        ShownSegment(SpokenSegment(part, part), [], 1.0, at * _SEGMENT_CHARS) for at, part in enumerate(parts)
    ]
    return ShownReading(text, shown, float(len(parts)), (), [])


def takes_of(asked: SpeechRequest) -> Iterator[list[Float32]]:
    """Yields for each segment its takes: the speech, and that with each further seed."""
    before: list[int] = []
    for segment in range(len(segments_of(asked.text))):
        takes = []
        for take in range(1 + MOST_RETAKES):
            seed = respoken_seed(asked.sampling.seed, take) if take else asked.sampling.seed
            again = replace(asked, sampling=replace(asked.sampling, seed=seed))
            takes.append(tokens_of(again, segment, before))
        before = takes[0]
        yield [*map(pcm_of, takes)]


def best_of(takes: list[Float32]) -> Float32:
    """Returns the take that a whole answer has if the recogniser works."""
    tried = [(heard_in(takes[0]), takes[0])]
    while tried[-1][0].verdict == "drift" and len(tried) <= MOST_RETAKES:
        tried.append((heard_in(takes[len(tried)]), takes[len(tried)]))
    return min(tried, key=lambda each: (VERDICTS.index(each[0].verdict), each[0].distance))[1]


def encoded(segments: list[Float32], asked: SpeechRequest) -> bytes:
    chunks = [AudioChunk(pcm, asked.sample_rate, at) for at, pcm in enumerate(segments)]
    return encode_whole(chunks, asked).audio
