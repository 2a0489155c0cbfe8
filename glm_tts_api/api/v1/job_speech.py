"""Makes jobs from requests, and speaks the units of a job (the pieces that are spoken one by one). Connects
the package longform, which knows no engine, with the package speech, which knows no job."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import msgspec

from glm_tts_api.api.v1.job_schemas import JobFields
from glm_tts_api.audio.encode import from_pcm16
from glm_tts_api.contracts import LexiconEntry, ReadingOptions, SamplingOptions, SpeechRequest, Timings, Voice
from glm_tts_api.errors import InternalFault
from glm_tts_api.longform.folder import Draft, JobFolder
from glm_tts_api.longform.job import Job, Speak, Spoken, Unit
from glm_tts_api.longform.jobs import SpeakOf
from glm_tts_api.longform.script import Book
from glm_tts_api.longform.voices import BOOK, keep_voices, kept_voices, unit_voices
from glm_tts_api.speech.service import SpeechService
from speech_text.cut.block_pauses import Pauses


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
        keep_voices(folder.voices, self.voices)
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
            voices = kept_voices(folder.voices)
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
