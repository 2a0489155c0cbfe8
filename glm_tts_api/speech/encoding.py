"""From the engine's chunks to bytes in the wanted format, whole or each as soon as it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import groupby
from typing import ParamSpec

import numpy as np

from glm_tts_api.audio.encode import Encoder, open_encoder
from glm_tts_api.audio.tempo import Paced
from glm_tts_api.contracts import AudioChunk, Float32, SpeechRequest
from glm_tts_api.speech.engines import ResumedStream
from glm_tts_api.speech.pools import Pool
from glm_tts_api.speech.request_log import RequestLog

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """A whole answer as it will be heard: `audio` in the wanted format; `sample_rate` in Hz."""

    audio: bytes
    sample_rate: int
    seconds: float


async def noted(stream: ResumedStream, log: RequestLog, asked: SpeechRequest) -> AsyncIterator[AudioChunk]:
    """The chunks as they come; the log takes note of each."""
    async for chunk in stream:
        log.took(chunk, chunk.seconds / asked.speed_of(chunk))
        yield chunk
        if log.playback is not None:
            log.playback.passed_on()


def encode_whole(chunks: list[AudioChunk], asked: SpeechRequest) -> Speech:
    """All of it. Blocking; runs on a pool thread."""
    rate = chunks[0].sample_rate
    n_samples = sum(
        round(sum(len(chunk.pcm) for chunk in alike) / speed)
        for speed, alike in groupby(chunks, asked.speed_of)
    )
    paced = Paced(rate)
    encoder = open_encoder(asked.audio_format, rate, n_samples=n_samples)
    body = [
        encoder.push(paced.push(_at_volume(chunk.pcm, asked.volume), asked.speed_of(chunk)))
        for chunk in chunks
    ]
    body += [encoder.push(paced.finish()), encoder.finish()]
    return Speech(b"".join(body), encoder.sample_rate, n_samples / rate)


def _at_volume(pcm: Float32, volume: float) -> Float32:
    return pcm if volume == 1.0 else pcm * np.float32(volume)


class Encoded:
    """A stream's chunks as pieces of the wanted format, each as soon as it is made. `sample_rate` is known
    with the first; `seconds`: how long what was made so far lasts."""

    sample_rate: int
    seconds = 0.0

    def __init__(self, stream: ResumedStream, log: RequestLog, pool: Pool, asked: SpeechRequest) -> None:
        self._timings, self._pool, self._asked = log.timings, pool, asked
        self._pieces = self._encode(noted(stream, log, asked))  # read by first(), then on from there
        self._encoder: Encoder | None = None

    async def first(self) -> bytes:
        """The first piece with something in it; nothing at all where the speech is empty."""
        async for piece in self:
            if piece:
                return piece
        return b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    async def _encode(self, chunks: AsyncIterator[AudioChunk]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield await self._on_a_thread(self._push, chunk)
        self._timings.end_generation()
        yield await self._on_a_thread(self._finish)

    async def _on_a_thread(self, call: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
        with self._timings.stage("encode"):
            return await self._pool.run(call, *args, **kwargs)

    def _push(self, chunk: AudioChunk) -> bytes:
        if self._encoder is None:
            self._encoder = open_encoder(self._asked.audio_format, chunk.sample_rate)
            self.sample_rate = self._encoder.sample_rate
            self._paced = Paced(chunk.sample_rate)
        pcm = _at_volume(chunk.pcm, self._asked.volume)
        speed = self._asked.speed_of(chunk)
        self.seconds += chunk.seconds / speed
        return self._encoder.push(self._paced.push(pcm, speed))

    def _finish(self) -> bytes:
        assert self._encoder is not None
        return self._encoder.push(self._paced.finish()) + self._encoder.finish()
