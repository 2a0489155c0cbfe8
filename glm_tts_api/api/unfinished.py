"""Keeps the finished part of a late answer for 30 minutes, as a job that the client can continue."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import msgspec
from fastapi import Request

from glm_tts_api.api.access import owner_of, writer_refusal
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.v1.job_speech import job_of
from glm_tts_api.audio.encode import from_pcm16
from glm_tts_api.contracts import AudioChunk, SpeechRequest, UploadedVoice, Voice
from glm_tts_api.errors import DeadlineExceeded
from glm_tts_api.longform.folder import JobFolder, told_what_to_do
from glm_tts_api.longform.job import Spoken, Unit, seed_of
from glm_tts_api.longform.plan import plan
from glm_tts_api.longform.reading import read_book
from glm_tts_api.longform.script import Book, Chapter
from glm_tts_api.longform.voices import BOOK, keep_voices
from glm_tts_api.speech.encoding import encode_whole
from glm_tts_api.voices.decoded import decoded_voice
from speech_text.cut.block_pauses import Pauses
from speech_text.markup.marks import before_mark, lasting_marks
from speech_text.reading import ShownSegment

logger = logging.getLogger(__name__)
_KEPT_S, _SOON = 1800.0, "in 30 minutes"
_PATIENCE_S = 10.0  # the longest time for reading the text again, since the client waits
_PLAIN = ".text"


async def keep_unfinished(
    request: Request,
    state: AppState,
    asked: SpeechRequest,
    chunks: Sequence[AudioChunk],
    late: DeadlineExceeded,
) -> DeadlineExceeded:
    """Keeps the finished segments of a late answer as a job. Returns the error for the client: it names the
    job, or is `late` itself if no job was made.

    No job is made if the client may not have jobs, if no segment is finished, or if the job cannot be
    written. If all segments are finished, the deadline passed while a recogniser heard them or while one was
    spoken again. The job keeps each segment as it was spoken first, because the repeated ones that exist by
    then depend on chance."""
    n_done = sum(chunk.ends_segment for chunk in chunks)
    if not n_done or writer_refusal(request, state) is not None:
        return late
    try:
        async with asyncio.timeout(_PATIENCE_S):
            voice = asked.voice
            if isinstance(voice, UploadedVoice):
                voice = await state.pools.decode.run(decoded_voice, voice, state.speech.prompt_limits)
            reading = await state.speech.engines.read(asked.text, asked.reading)
        owner = owner_of(request) if state.keys.are_needed else ""
        kept = _Unfinished(asked, voice, chunks, reading.segments, n_done, owner)
        id = (await state.jobs.create(kept.write, owner)).job.id
    except Exception:  # the client gets the error of the late answer in any case
        logger.exception("The finished part of a late answer cannot be kept as a job")
        return late
    error = DeadlineExceeded(
        f"{late.message} The finished part is a job, which is deleted {_SOON}: GET /api/v1/jobs/{id}/audio "
        f"has it, POST /api/v1/jobs/{id}/resume keeps it and speaks the rest."
    )
    error.job = id
    return error


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """A late answer that is to be kept as a job. The audio of the first `n_done` of the `segments` is in
    `chunks`."""

    asked: SpeechRequest
    voice: Voice
    chunks: Sequence[AudioChunk]
    segments: Sequence[ShownSegment]
    n_done: int
    owner: str

    def write(self, folder: JobFolder, id: str) -> None:
        """Writes the job `id` into its folder. The finished segments become its first units (a unit is a part
        of a job that is spoken as one piece), with the samples that the answer would have had. The rest of
        the text is cut into units and spoken as in any job. Blocking."""
        asked, n_done = self.asked, self.n_done
        keep_voices(folder.voices, {BOOK: self.voice, **asked.others})
        start = self._start(n_done)
        book = Book((Chapter("", ()),))
        if n_done < len(self.segments):
            rest = read_book(asked.text[start:], _PLAIN)
            book = rest if not rest.chapters[0].title else Book((*book.chapters, *rest.chapters))
        marks, seed = lasting_marks(asked.text[:start]), asked.sampling.seed
        following = plan(book, seed=seed, pauses=Pauses(), index=n_done, marks=marks)
        job = msgspec.structs.replace(
            job_of(asked, id, self.owner),
            state="paused",
            message=f"The answer was not done in time. Resume speaks the rest; else it is deleted {_SOON}.",
            expires_at=time.time() + _KEPT_S,
        )
        units = [self._unit(number) for number in range(n_done)]
        job = folder.write_plan(job, book, chain(units, following))
        for unit in units:
            folder.keep(unit, self._spoken(unit.index))
        with told_what_to_do():
            folder.write(job)

    def _start(self, segment: int) -> int:
        """Returns where in the text the segment with the number `segment` begins, in characters. If `segment`
        is the number of segments, returns the text's end."""
        if segment == len(self.segments):
            return len(self.asked.text)
        return before_mark(self.asked.text, self.segments[segment].start)

    def _unit(self, number: int) -> Unit:
        """Makes the unit of the finished segment `number`. The unit is a paragraph of its own, so that its
        times are known."""
        text = self.asked.text[self._start(number) : self._start(number + 1)].strip()
        following = self.segments[number + 1 : number + 2]
        pause_s = following[0].segment.pause_s if following else 0.0
        seed = seed_of(self.asked.sampling.seed, number)
        return Unit(number, 0, -1 - number, "paragraph", text, None, seed, pause_s)

    def _spoken(self, segment: int) -> Spoken:
        said = [chunk for chunk in self.chunks if chunk.segment == segment and chunk.speed is not None]
        speech = encode_whole(
            said, replace(self.asked, audio_format="pcm", timestamps=None, output_rate=None)
        )
        return Spoken(from_pcm16(speech.audio), speech.sample_rate)
