"""Encodes an answer's chunks of audio in the format that its request asks for: whole, or chunk by chunk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import accumulate, groupby

import numpy as np

from glm_tts_api.audio.encode import open_encoder, to_pcm16
from glm_tts_api.audio.resample import Resampled
from glm_tts_api.audio.tempo import Paced
from glm_tts_api.contracts import AudioChunk, Float32, SpeechRequest
from glm_tts_api.speech.fitting import fitted
from glm_tts_api.speech.pools import Pool
from glm_tts_api.speech.recent import RAW, Answer, Tape
from glm_tts_api.speech.stream import SpeechStream
from glm_tts_api.speech.times import SegmentTimes, TimeKeeper


def encode_whole(chunks: list[AudioChunk], request: SpeechRequest) -> Answer:
    """Encodes all chunks of an answer as one file, in the format of the request. Blocking. Raises
    InvalidField if the answer cannot last as long as the request asks."""
    if request.duration_s is not None or request.loudness is not None:
        chunks, request = fitted(chunks, request)
    n_samples = sum(
        round(sum(len(chunk.pcm) for chunk in alike) / speed)
        for speed, alike in groupby(chunks, request.speed_of)
    )
    played = accumulate(chunk.seconds / request.speed_of(chunk) for chunk in chunks)
    output = _Output(request, n_samples=n_samples)
    return Answer(
        request.audio_format,
        audio=b"".join(map(output.push, [*chunks, None])),
        pcm=b"".join(output.heard),
        pcm_rate=output.pcm_rate,
        sample_rate=output.sample_rate,
        seconds=n_samples / request.sample_rate,
        times=output.times,
        ends=[at for at, chunk in zip(played, chunks, strict=True) if chunk.ends_segment],
    )


class _Output:
    """Turns an answer's chunks into bytes: applies volume and speed, resamples to `pcm_rate` Hz, and encodes.
    `n_samples` is the length of the whole answer, after the change of speed and before that of the rate; None
    if it is not known. `sample_rate` is the rate at which the encoded audio plays. `heard` has the 16-bit
    samples that were encoded, unless the format is these samples. Blocking."""

    def __init__(self, request: SpeechRequest, *, n_samples: int | None = None) -> None:
        rate = request.sample_rate
        played = self.pcm_rate = request.output_rate or rate
        self.heard: list[bytes] = []
        self._keeper = TimeKeeper(request) if request.timestamps else None
        self.times = self._keeper.done if self._keeper is not None else []
        self._request = request
        self._paced: Paced | None = None  # from the first chunk of another speed than 1 on
        self._resampled = None if played == rate else Resampled(rate, played)
        self._encoder = open_encoder(
            request.audio_format,
            played,
            n_samples=None if n_samples is None else int(n_samples * played / rate + 0.5),
            kbits=request.kbits,
        )
        self.sample_rate = self._encoder.sample_rate

    def push(self, chunk: AudioChunk | None) -> bytes:
        """Returns the next bytes. None in place of a chunk ends the answer."""
        pieces = list[Float32]()
        if chunk is not None:
            if self._keeper is not None:
                self._keeper.hear(chunk)
            volume, speed = self._request.volume, self._request.speed_of(chunk)
            pcm = chunk.pcm if volume == 1.0 else chunk.pcm * np.float32(volume)
            if self._paced is None and speed != 1.0:
                self._paced = Paced(self._request.sample_rate)
            pieces = [pcm if self._paced is None else self._paced.push(pcm, speed)]
        elif self._paced is not None:
            pieces = [self._paced.finish()]
        if self._resampled is not None:
            pieces = [*map(self._resampled.push, pieces)]
            if chunk is None:
                pieces.append(self._resampled.finish())
        if self._request.audio_format not in RAW:
            self.heard += (to_pcm16(pcm).tobytes() for pcm in pieces)
        encoded = [*map(self._encoder.push, pieces)]
        if chunk is None:
            encoded.append(self._encoder.finish())
        return b"".join(encoded)


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
        stream, request = self._stream, self._stream.request
        self._output = output = await self._pool.run(_Output, request)
        self.sample_rate, self.times = output.sample_rate, output.times
        async for chunk in stream:
            self.seconds += chunk.seconds / request.speed_of(chunk)
            yield await self._encoded(chunk)
        stream.timings.end_generation()
        rest = await self._encoded(None)
        if self._tape is not None:
            answer = self._tape.answer
            answer.pcm_rate, answer.sample_rate = output.pcm_rate, output.sample_rate
            answer.times, answer.verified = output.times, stream.timings.verified
            self._tape.end()
        yield rest
        if stream.verifier is not None:
            await stream.verifier.report()

    async def _encoded(self, chunk: AudioChunk | None) -> bytes:
        """Encodes in a thread of the pool, and takes what the output says of the bytes."""
        with self._stream.timings.stage("encode"):
            piece = await self._pool.run(self._output.push, chunk)
        heard, self._output.heard = self._output.heard, []
        if self._tape is not None:
            self._tape.add(heard, piece)
        return piece
