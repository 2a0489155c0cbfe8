"""Makes jobs from requests, and speaks the units of a job (the pieces that are spoken one by one). Also keeps
the finished part of a late answer for 30 minutes, as a job that the client can continue. Connects the package
longform, which knows no engine, with the package speech, which knows no job."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain

import msgspec
from fastapi import Request

from glm_tts_api.api.access import owner_of, writer_refusal
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.v1.job_schemas import JobFields
from glm_tts_api.audio.encode import from_pcm16
from glm_tts_api.contracts import AudioChunk, SamplingOptions, SpeechRequest, Timings, UploadedVoice, Voice
from glm_tts_api.errors import DeadlineExceeded, InternalFault
from glm_tts_api.longform.folder import Draft, JobFolder
from glm_tts_api.longform.job import BOOK, Job, Speak, Spoken, Unit, plan, seed_of, unit_voices
from glm_tts_api.longform.jobs import SpeakOf
from glm_tts_api.longform.reading import read_book
from glm_tts_api.longform.script import Book, Chapter
from glm_tts_api.speech.encoding import encode_whole
from glm_tts_api.speech.service import SpeechService
from glm_tts_api.voices.decoded import decoded_voice
from speech_text import LexiconEntry, Pauses, ReadingOptions, ShownReading
from speech_text.marks import before_mark, lasting_marks

logger = logging.getLogger(__name__)
_KEPT_S, _SOON = 1800.0, "in 30 minutes"
_PATIENCE_S = 10.0  # the longest time for reading the text again, since the client waits
_PLAIN = ".text"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that a request asks for. `voices` holds each voice by its name in the job's units; the main
    voice has the name BOOK and must be there. `owner` is the client that owns the job, empty without keys."""

    book: Book
    fields: JobFields
    voices: Mapping[str, Voice]
    lexicon: Sequence[LexiconEntry]
    pauses: Pauses
    owner: str

    def write(self, folder: JobFolder, id: str) -> None:
        """Writes the new job `id` into its folder. The job's units are counted later, because this takes
        seconds for a long text. Blocking. Raises StorageFull and OSError."""
        fields, book = self.fields, self.book
        folder.keep_voices(self.voices)
        asked = SpeechRequest(
            id,
            "",
            self.voices[BOOK],
            fields.options,
            fields.sample_rate,
            reading=ReadingOptions(fields.use_phoneme, fields.verbatim, self.lexicon),
            speed=fields.speed,
            verify=fields.verify,
        )
        title, author = fields.title or book.title, fields.author or book.author
        job = msgspec.structs.replace(job_of(asked, id, self.owner), title=title, author=author)
        folder.put_off(job, Draft(book, fields.seed, self.pauses))


def job_of(asked: SpeechRequest, id: str, owner: str) -> Job:
    """Makes a job without units. Units that are added later are spoken with the options of `asked`."""
    return Job(
        id=id,
        state="queued",
        created_at=time.time(),
        n_units=0,
        chapters=(),
        sample_rate=asked.sample_rate,
        owner=owner,
        options={
            "reading": asdict(replace(asked.reading, verbatim=asked.reading.verbatim or "short")),
            "speed": asked.speed,
            "sampling": asdict(asked.sampling),
            "verify": asked.verify,
        },
    )


def speaking_with(speech: SpeechService) -> SpeakOf:
    """Returns a function that begins a job: from the job and its folder, it makes the function that speaks
    one unit of the job with the engines of `speech`. The function that begins a job raises InternalFault if
    the job's folder is damaged, or if the job has options that this version does not take."""

    def begin(folder: JobFolder, job: Job) -> Speak:
        try:
            voices = folder.voices()
            own = voices[BOOK]
        except (OSError, msgspec.MsgspecError, ValueError, EOFError, KeyError) as error:
            raise InternalFault(
                f"The job's folder is damaged ({error}): DELETE the job and begin it anew."
            ) from error
        first = _request(job, own)

        async def speak(unit: Unit) -> Spoken:
            asked = replace(
                first,
                request_id=f"{job.id}-{unit.index}",
                text=unit.text,
                voice=voices[unit.voice or BOOK],
                sampling=replace(first.sampling, seed=unit.seed),
                others={name: voices[kept] for kept, name in unit_voices(unit.text, unit.voice).items()},
            )
            timings = Timings()
            spoken = await speech.speak_aside(asked, timings)
            return Spoken(from_pcm16(spoken.audio), spoken.sample_rate, timings.worst)

        return speak

    return begin


def _request(job: Job, voice: Voice) -> SpeechRequest:
    """Returns the request with which each unit of the job is spoken, still without text. Raises InternalFault
    if the job has options that this version does not know, or lacks one."""
    options = job.options
    try:
        known = {*asdict(SamplingOptions()), *asdict(ReadingOptions())}
        known |= {"sampling", "reading", "speed", "verify"}
        if unknown := {*options, *options["sampling"], *options["reading"]} - known:
            raise KeyError(*sorted(unknown))
        return SpeechRequest(
            job.id,
            "",
            voice,
            msgspec.convert(options["sampling"], SamplingOptions),
            job.sample_rate,
            reading=msgspec.convert(options["reading"], ReadingOptions),
            audio_format="pcm",
            speed=options["speed"],
            verify=options.get("verify", False),
        )
    except (msgspec.MsgspecError, TypeError, KeyError) as error:
        raise InternalFault(
            f"Another version of this server made the job, with options that this version does not take "
            f"({error}): resume it with that version."
        ) from error


async def keep_unfinished(
    request: Request,
    state: AppState,
    asked: SpeechRequest,
    chunks: Sequence[AudioChunk],
    late: DeadlineExceeded,
) -> DeadlineExceeded:
    """Keeps the finished segments of a late answer as a job, each as it was spoken first, because the
    repeated ones that exist by then depend on chance. Returns the error for the client: it names the job, or
    is `late` itself if the client may not have jobs, no segment is done, or the job cannot be written."""
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
        kept = _Unfinished(asked, voice, chunks, reading, n_done, owner)
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
    """A late answer that is to be kept as a job. The audio of the first `n_done` segments of the
    `reading` is in `chunks`."""

    asked: SpeechRequest
    voice: Voice
    chunks: Sequence[AudioChunk]
    reading: ShownReading
    n_done: int
    owner: str

    def write(self, folder: JobFolder, id: str) -> None:
        """Writes the job `id` into its folder. The finished segments become its first units (a unit is a part
        of a job that is spoken as one piece), with the samples that the answer would have had. The rest of
        the text is cut into units and spoken as in any job. Blocking."""
        asked, n_done = self.asked, self.n_done
        folder.keep_voices({BOOK: self.voice, **asked.others})
        start = self._start(n_done)
        book = Book((Chapter("", ()),))
        if n_done < len(self.reading.segments):
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
        folder.write(job)

    def _start(self, segment: int) -> int:
        """Returns where in the text the segment with the number `segment` begins, in characters. If `segment`
        is the number of segments, returns the text's end."""
        if segment == len(self.reading.segments):
            return len(self.asked.text)
        return before_mark(self.asked.text, self.reading.segments[segment].start)

    def _unit(self, number: int) -> Unit:
        """Makes the unit of the finished segment `number`. The unit is a paragraph of its own, so that its
        times are known."""
        text = self.asked.text[self._start(number) : self._start(number + 1)].strip()
        following = self.reading.segments[number + 1 : number + 2]
        pause_s = following[0].segment.pause_s if following else 0.0
        seed = seed_of(self.asked.sampling.seed, number)
        return Unit(number, 0, -1 - number, "paragraph", text, None, seed, pause_s)

    def _spoken(self, segment: int) -> Spoken:
        said = [chunk for chunk in self.chunks if chunk.segment == segment and chunk.speed is not None]
        speech = encode_whole(
            said, replace(self.asked, audio_format="pcm", timestamps=None, output_rate=None)
        )
        return Spoken(from_pcm16(speech.audio), speech.sample_rate)
