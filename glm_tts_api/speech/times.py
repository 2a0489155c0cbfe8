"""Calculates when the parts of a text are heard in its audio. The times of segments are exact to the sample;
those of sentences and words follow the LLM's attention (engine/word_times.py) or are estimated from the sound
(audio/alignment.py). Blocking; knows no HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from glm_tts_api.audio.alignment import word_times
from glm_tts_api.contracts import AudioChunk, Float32, SpeechRequest
from speech_text import SentenceSplitter, Written


@dataclass(frozen=True, slots=True)
class Timed:
    """A piece of the text as it was written, heard from `start_s` to `end_s` of the answer, in seconds.
    `estimated` says that the times are not exact to the sample. `paragraph` is the number of its
    paragraph."""

    text: str
    start_s: float
    end_s: float
    estimated: bool = False
    paragraph: int = 0


@dataclass(frozen=True, slots=True)
class SegmentTimes:
    """The times of segment `number`: of the whole segment, and of its sentences and words if the request asks
    for those."""

    number: int
    whole: Timed
    sentences: tuple[Timed, ...] = ()
    words: tuple[Timed, ...] = ()


class TimeKeeper:
    """Measures the times of an answer's segments. Each chunk of the answer is passed to `hear` in order.
    `done` lists the times of the segments that have ended.

    Chunks of one speed that follow each other form a stretch. A stretch of n samples takes exactly n / speed
    samples (rounded), since a change of speed keeps pitch and pauses."""

    def __init__(self, request: SpeechRequest) -> None:
        self.done: list[SegmentTimes] = []
        self._request = request
        self._n_before = 0  # samples, as heard, of the stretches before this one
        self._n_here = 0  # samples of this stretch, before the change of speed
        self._speed = 1.0
        self._pcm: list[Float32] = []
        self._start_s: float | None = None

    def hear(self, chunk: AudioChunk) -> None:
        speed = self._request.speed_of(chunk)
        if speed != self._speed:
            self._n_before += round(self._n_here / self._speed)
            self._n_here, self._speed = 0, speed
        start_s = self._now(chunk)
        self._n_here += len(chunk.pcm)
        if chunk.written is None or chunk.speed is None:
            return
        if self._start_s is None:
            self._start_s = start_s
        if self._request.timestamps != "segment":
            self._pcm.append(chunk.pcm)
        if chunk.ends_segment:
            whole = Timed(
                chunk.written.text, self._start_s, self._now(chunk), paragraph=chunk.written.paragraph
            )
            self.done.append(self._times(chunk, chunk.written, whole))
            self._start_s, self._pcm = None, []

    def _now(self, chunk: AudioChunk) -> float:
        """Returns the time in seconds at which the chunks so far end."""
        return (self._n_before + self._n_here / self._speed) / chunk.sample_rate

    def _times(self, chunk: AudioChunk, written: Written, whole: Timed) -> SegmentTimes:
        if self._request.timestamps == "segment" or not written.words:
            return SegmentTimes(chunk.segment, whole)
        times = chunk.times or word_times(np.concatenate(self._pcm), chunk.sample_rate, written.words)
        speed = self._request.speed_of(chunk)
        spans = [(whole.start_s + start / speed, whole.start_s + end / speed) for start, end in times]
        sentences = tuple(_sentences(written, whole, spans))
        if self._request.timestamps == "sentence":
            return SegmentTimes(chunk.segment, whole, sentences)
        words = tuple(
            Timed(written.text[word.start : word.end], *span, estimated=True)
            for word, span in zip(written.words, spans, strict=True)
        )
        return SegmentTimes(chunk.segment, whole, sentences, words)


def _sentences(written: Written, whole: Timed, spans: Sequence[tuple[float, float]]) -> Iterator[Timed]:
    """Yields the times of the sentences of a segment. The first sentence begins when the segment `whole`
    begins, and the last sentence ends when the segment ends. All other sentences begin and end with their
    words, whose times in seconds are `spans`."""
    text, words = written.text, written.words
    ends = SentenceSplitter.ends(text)
    first, start = 0, 0
    for last, word in enumerate(words):
        following = words[last + 1] if last + 1 < len(words) else None
        end = len(text)
        if following is not None:
            cuts = [at for at in ends if word.end <= at <= following.start]
            if not cuts:
                continue
            end = cuts[0]
        yield Timed(
            text[start:end].strip(),
            spans[first][0] if first else whole.start_s,
            whole.end_s if following is None else spans[last][1],
            estimated=first > 0 or following is not None,
            paragraph=written.paragraph + text.count("\n", 0, start),
        )
        first, start = last + 1, end
