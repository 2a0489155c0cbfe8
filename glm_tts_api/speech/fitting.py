"""Makes a whole answer as long and as loud as its request asks. Knows no HTTP.

Speech that is 0.7 to 1.6 times as fast as its voice speaks still sounds natural. A request that needs another
tempo is refused, or padded or cut as it asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from glm_tts_api.audio.mastering import at_loudness, mastered
from glm_tts_api.audio.tempo import FASTEST, cut_off
from glm_tts_api.contracts import AudioChunk, Fit, SpeechRequest
from glm_tts_api.errors import InvalidField
from glm_tts_api.speech.admission import Permit
from glm_tts_api.speech.stream import SpeechStream

_SLOWEST = 0.7
_NEAR = 0.85, 1.2  # a take that needs such a tempo is taken as it is
_MOST_TAKES = 3


async def closest_take(
    chunks: list[AudioChunk], stream: SpeechStream, permit: Permit
) -> tuple[list[AudioChunk], int]:
    """Returns the take of the answer that comes closest to the length that its request asks for, and how many
    takes were made. The first take is `chunks`; while the closest one needs much of a change of tempo, the
    answer is spoken again with the next seed, up to three takes in all."""
    request, closest, n_takes = stream.request, chunks, 1
    while n_takes < _MOST_TAKES and not _NEAR[0] <= _tempo(closest, request) <= _NEAR[1]:
        async with stream.anew(0, request.sampling.seed + n_takes, permit) as another:
            drawn = [chunk async for chunk in another]
        closest = min(closest, drawn, key=lambda take: abs(math.log(_tempo(take, request))))
        n_takes += 1
    return closest, n_takes


def fitted(chunks: Sequence[AudioChunk], request: SpeechRequest) -> tuple[list[AudioChunk], SpeechRequest]:
    """Returns the answer as long and as loud as the request asks: its chunks, one for each segment and speed,
    and the request with the speed that they need. Blocking. Raises InvalidField for a length that needs an
    unnatural tempo."""
    whole = list(_joined(chunks))
    if request.duration_s is not None:
        whole, request = _as_long(whole, request, request.duration_s)
    whole = [chunk for chunk in whole if len(chunk.pcm)]
    if request.loudness is not None:
        whole = _as_loud(whole, request.loudness)
    return whole, request


def _joined(chunks: Sequence[AudioChunk]) -> Iterator[AudioChunk]:
    """Yields the chunks of each segment and speed as one."""
    for _, alike in groupby(chunks, lambda chunk: (chunk.segment, chunk.speed)):
        *_, last = pieces = list(alike)
        yield replace(last, pcm=np.concatenate([piece.pcm for piece in pieces]))


def _seconds(chunks: Sequence[AudioChunk], request: SpeechRequest) -> tuple[float, float]:
    """Returns how long the speech lasts, and the pauses, whose length no tempo changes."""
    speech = sum(chunk.seconds / request.speed_of(chunk) for chunk in chunks if chunk.speed is not None)
    return speech, sum(chunk.seconds for chunk in chunks if chunk.speed is None)


def _tempo(chunks: Sequence[AudioChunk], request: SpeechRequest) -> float:
    """Returns how many times as fast the speech must be to last as long as the request asks."""
    speech_s, pauses_s = _seconds(chunks, request)
    assert request.duration_s is not None
    return max(speech_s, 0.001) / max(request.duration_s - pauses_s, 0.001)


def _as_long(
    chunks: list[AudioChunk], request: SpeechRequest, duration_s: float
) -> tuple[list[AudioChunk], SpeechRequest]:
    tempo, (speech_s, pauses_s) = _tempo(chunks, request), _seconds(chunks, request)
    needed: Fit | None = "pad" if tempo < _SLOWEST else "cut" if tempo > FASTEST else None
    if needed is None:
        return chunks, replace(request, speed=request.speed * tempo)
    if request.fit != needed:
        shortest, longest = speech_s / FASTEST + pauses_s, speech_s / _SLOWEST + pauses_s
        how = "followed by silence" if needed == "pad" else "ended behind the last word that fits"
        raise InvalidField(
            f"The text takes {speech_s + pauses_s:.2f} s. In {shortest:.2f} to {longest:.2f} s it sounds "
            f"natural, in {duration_s:g} s it does not: ask for such a length, change the text, or send "
            f"fit={needed}, and it is {how}.",
            "duration",
        )
    if needed == "cut":
        request = replace(request, speed=request.speed * FASTEST)
        chunks = list(_cut(chunks, request, duration_s))
    n_samples = round((duration_s - sum(_seconds(chunks, request))) * request.sample_rate)
    silence = np.zeros(max(0, n_samples), np.float32)
    return [*chunks, AudioChunk(silence, request.sample_rate, chunks[-1].segment, False, None)], request


def _cut(chunks: Sequence[AudioChunk], request: SpeechRequest, duration_s: float) -> Iterator[AudioChunk]:
    """Yields the chunks up to the last word that ends before `duration_s`; of a segment whose words have no
    times, as much as there is room for."""
    at_s = 0.0
    for chunk in chunks:
        speed, rate = request.speed_of(chunk), chunk.sample_rate
        room_s = (duration_s - at_s) * speed
        if chunk.seconds <= room_s:
            at_s += chunk.seconds / speed
            yield chunk
            continue
        ends = [end for _, end in chunk.times if end <= room_s] if chunk.times else [room_s]
        pcm = cut_off(chunk.pcm, int(ends[-1] * rate) if ends else 0, rate)
        yield replace(chunk, pcm=pcm, written=None)
        return


def _as_loud(chunks: list[AudioChunk], loudness: float) -> list[AudioChunk]:
    rate = chunks[0].sample_rate
    levelled = mastered(lambda: ((chunk.pcm, 0.0) for chunk in chunks), rate, at_loudness(loudness))
    return [replace(chunk, pcm=pcm) for chunk, pcm in zip(chunks, filter(len, levelled), strict=True)]
