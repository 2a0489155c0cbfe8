"""Has a recogniser hear each segment of a request while the next segments are spoken. A segment drifts if
other words are heard than its text has. Such a segment of a whole answer is spoken again; of a streamed
answer, which has been sent by then, it is only reported. Uses asyncio.

The segment is spoken again alone, after the same speech of the segments before it, with a seed that is
derived from the request's seed. So the same request still gives the same answer.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glm_tts_api.contracts import VERDICTS, AudioChunk, Verified
from glm_tts_api.engine.seeds import respoken_seed
from glm_tts_api.errors import Unavailable
from glm_tts_api.recognition.recogniser import Recogniser, Transcript
from glm_tts_api.speech.admission import Permit

if TYPE_CHECKING:
    from glm_tts_api.speech.stream import SpeechStream

MOST_RETAKES = 2
TakePlace = Callable[[], AbstractAsyncContextManager[Permit]]
"""A function that returns the context in which a segment is spoken again: it has the permit for a place."""


class _Take(NamedTuple):
    """One try at a segment: its audio, and what the recogniser heard in it. The distance is infinity if the
    recogniser was unavailable."""

    chunks: Sequence[AudioChunk]
    found: Transcript


class Verifier:
    """Verifies the segments of one request, whose `stream` passes each chunk to `took`. The verdicts are
    written to the stream's timings. Each segment that is spoken again takes a place with `place`."""

    def __init__(self, recogniser: Recogniser, stream: SpeechStream, place: TakePlace) -> None:
        self._recogniser, self._stream, self._place = recogniser, stream, place
        self._spoken: dict[int, list[AudioChunk]] = {}
        self._takes: dict[int, asyncio.Task[_Take]] = {}

    def took(self, chunk: AudioChunk) -> None:
        """Takes the next chunk in the order of the text. Once the last chunk of a segment is there, the
        recogniser begins to hear the segment. Silence after the end of the last segment is ignored."""
        if chunk.segment in self._takes:
            return
        self._spoken.setdefault(chunk.segment, []).append(chunk)
        if chunk.ends_segment:
            chunks = self._spoken.pop(chunk.segment)
            self._takes[chunk.segment] = asyncio.create_task(self._hear(chunks))

    async def report(self) -> None:
        """Waits until the recogniser has heard all segments, and writes their verdicts to the timings."""
        for segment, hearing in sorted(self._takes.items()):
            self._note(segment, await hearing, 0)

    async def repaired(self, chunks: Sequence[AudioChunk]) -> list[AudioChunk]:
        """Has each segment spoken again whose speech drifted from its text, at most twice, and writes the
        verdicts to the timings. `chunks` are all chunks of the answer. Returns them with each segment
        replaced by its best try. Raises the errors of the stream."""
        best: dict[int, _Take] = {}
        for segment, hearing in sorted(self._takes.items()):
            takes = [await hearing]
            while takes[-1].found.verdict == "drift" and len(takes) <= MOST_RETAKES:
                takes.append(await self._hear(await self._spoken_anew(segment, len(takes))))
            best[segment] = min(
                takes, key=lambda take: (VERDICTS.index(take.found.verdict), take.found.distance)
            )
            self._note(segment, best[segment], len(takes) - 1)
        return [*_with_takes(chunks, best)]

    def cancel(self) -> None:
        for hearing in self._takes.values():
            hearing.cancel()

    async def _hear(self, chunks: Sequence[AudioChunk]) -> _Take:
        """Has the recogniser hear the chunks of one segment, without their pauses, and returns the result. If
        the recogniser is unavailable, the verdict is "inconclusive" and no error is raised."""
        pcm = np.concatenate([chunk.pcm for chunk in chunks if chunk.speed is not None])
        try:
            found = await self._recogniser.hear(pcm, chunks[-1].sample_rate, chunks[-1].said)
        except Unavailable:
            found = Transcript("", "inconclusive", math.inf)
        return _Take(chunks, found)

    async def _spoken_anew(self, segment: int, take: int) -> list[AudioChunk]:
        seed = respoken_seed(self._stream.request.sampling.seed, take)
        chunks = []
        async with self._place() as permit, self._stream.anew(segment, seed, permit) as stream:
            async for chunk in stream:
                chunks.append(chunk)
                if chunk.ends_segment:
                    break
        return chunks

    def _note(self, segment: int, take: _Take, n_retakes: int) -> None:
        said, found = take.chunks[-1].said, take.found
        self._stream.timings.verified[segment] = Verified(found.verdict, said, found.text, n_retakes)


def _with_takes(chunks: Sequence[AudioChunk], takes: dict[int, _Take]) -> Iterator[AudioChunk]:
    """Yields `chunks` with the chunks of each segment replaced by those of its take. Silence after the last
    segment stays."""
    done = set[int]()
    for chunk in chunks:
        if chunk.segment in done:
            yield chunk
        elif chunk.ends_segment:
            done.add(chunk.segment)
            yield from takes[chunk.segment].chunks
