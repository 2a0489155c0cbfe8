"""Encodes the engine's chunks of audio in the format that the request asks for, as a whole or chunk by
chunk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import groupby
from typing import ParamSpec

import numpy as np

from glm_tts_api.audio.encode import open_encoder, to_pcm16
from glm_tts_api.audio.resample import Resampled
from glm_tts_api.audio.tempo import Paced
from glm_tts_api.contracts import AudioChunk, Float32, SpeechRequest
from glm_tts_api.speech.pools import Pool
from glm_tts_api.speech.recent import RAW, Answer, Tape
from glm_tts_api.speech.stream import SpeechStream
from glm_tts_api.speech.times import SegmentTimes, TimeKeeper

P = ParamSpec("P")


def encode_whole(chunks: list[AudioChunk], request: SpeechRequest) -> Answer:
    """Encodes all chunks of an answer as one file, in the format of the request. Blocking; runs in a
    thread of a pool."""
    rate = chunks[0].sample_rate
    n_samples = sum(
        round(sum(len(chunk.pcm) for chunk in alike) / speed)
        for speed, alike in groupby(chunks, request.speed_of)
    )
    output = _Output(request, rate, n_samples=n_samples)
    body = [*map(output.push, chunks), output.finish()]
    return Answer(
        request.audio_format,
        audio=b"".join(body),
        pcm=b"".join(output.heard()),
        pcm_rate=output.pcm_rate,
        sample_rate=output.sample_rate,
        seconds=n_samples / rate,
        times=output.times.done,
    )


class _Output:
    """Turns an answer's chunks into bytes: applies volume and speed, resamples from `rate` Hz to `pcm_rate`
    Hz, and encodes. `n_samples` is the length of the whole answer at `rate` after the change of speed; None
    if it is not known. `sample_rate` is the rate at which the encoded audio plays. Blocking."""

    def __init__(self, request: SpeechRequest, rate: int, *, n_samples: int | None = None) -> None:
        heard = self.pcm_rate = request.output_rate or rate
        self._heard: list[bytes] = []
        self.times = TimeKeeper(request)
        self._request, self._paced, self._resampled = request, Paced(rate), Resampled(rate, heard)
        self._encoder = open_encoder(
            request.audio_format,
            heard,
            n_samples=None if n_samples is None else round(n_samples * heard / rate),
            kbits=request.kbits,
        )
        self.sample_rate = self._encoder.sample_rate

    def push(self, chunk: AudioChunk) -> bytes:
        self.times.hear(chunk)
        volume = self._request.volume
        pcm = chunk.pcm if volume == 1.0 else chunk.pcm * np.float32(volume)
        return self._encode(self._resampled.push(self._paced.push(pcm, self._request.speed_of(chunk))))

    def finish(self) -> bytes:
        rest = self._resampled.push(self._paced.finish())
        return b"".join((self._encode(rest), self._encode(self._resampled.finish()), self._encoder.finish()))

    def heard(self) -> list[bytes]:
        """Returns the 16-bit samples that were encoded since the last call; none if they are not encoded."""
        heard, self._heard = self._heard, []
        return heard

    def _encode(self, pcm: Float32) -> bytes:
        if self._request.audio_format not in RAW:
            self._heard.append(to_pcm16(pcm).tobytes())
        return self._encoder.push(pcm)


class Encoded:
    """An answer that is sent while it is made: an async iterator of the encoded bytes of each chunk.

    `sample_rate` is set once the first chunk is encoded. `seconds` is how long the audio so far plays.
    `times` has the times of the segments that have ended, if the request asks for timestamps. `tape` records
    the answer; None records nothing.
    """

    sample_rate: int
    seconds = 0.0

    def __init__(self, stream: SpeechStream, pool: Pool, tape: Tape | None = None) -> None:
        self._stream, self._pool, self._tape = stream, pool, tape
        self.times: list[SegmentTimes] = []
        self._pieces = self._encode()
        self._output: _Output | None = None

    async def first(self) -> bytes:
        """Returns the first encoded bytes that are not empty; b"" if the whole answer has none. Iteration
        goes on after these bytes."""
        async for piece in self:
            if piece:
                return piece
        return b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    async def _encode(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield await self._on_a_thread(self._push, chunk)
        self._stream.timings.end_generation()
        assert self._output is not None
        rest = await self._on_a_thread(self._output.finish)
        if self._tape is not None:
            answer = self._tape.answer
            answer.pcm_rate, answer.sample_rate = self._output.pcm_rate, self.sample_rate
            answer.times, answer.verified = self.times, self._stream.timings.verified
            self._tape.end()
        yield rest
        if self._stream.verifier is not None:
            await self._stream.verifier.report()

    async def _on_a_thread(self, call: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
        """Encodes in a thread of the pool, and takes what the output says of the bytes."""
        with self._stream.timings.stage("encode"):
            piece = await self._pool.run(call, *args, **kwargs)
        assert self._output is not None
        heard = self._output.heard()
        if self._tape is not None:
            self._tape.add(heard, piece)
        return piece

    def _push(self, chunk: AudioChunk) -> bytes:
        if self._output is None:
            self._output = _Output(self._stream.request, chunk.sample_rate)
            self.sample_rate, self.times = self._output.sample_rate, self._output.times.done
        self.seconds += chunk.seconds / self._stream.request.speed_of(chunk)
        return self._output.push(chunk)
