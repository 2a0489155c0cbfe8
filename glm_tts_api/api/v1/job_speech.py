"""Makes jobs of requests, and speaks their units: between longform, which knows no engine, and speech, which
knows no job."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import msgspec

from glm_tts_api.api.v1.job_schemas import JobFields
from glm_tts_api.audio.encode import from_pcm16
from glm_tts_api.contracts import LexiconEntry, ReadingOptions, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.errors import InternalFault
from glm_tts_api.longform.folder import Draft, JobFolder
from glm_tts_api.longform.job import Job, Speak, Spoken, Unit
from glm_tts_api.longform.jobs import SpeakOf
from glm_tts_api.longform.script import Book
from glm_tts_api.longform.voices import BOOK, keep_voices, kept_voices
from glm_tts_api.speech.service import SpeechService
from glm_tts_api.text.cut.block_pauses import Pauses
from glm_tts_api.text.markup.marks import voices_in


@dataclass(frozen=True, slots=True)
class NewJob:
    """`voices`: by the names that units use; `owner`: the client that owns the job."""

    book: Book
    fields: JobFields
    voices: Mapping[str, Voice]
    lexicon: Sequence[LexiconEntry]
    pauses: Pauses
    owner: str

    def write(self, folder: JobFolder, id: str) -> None:
        """Its units are counted later, since that takes seconds for a long text. Blocking. Raises StorageFull
        and OSError."""
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
        )
        title, author = fields.title or book.title, fields.author or book.author
        job = msgspec.structs.replace(job_of(asked, id, self.owner), title=title, author=author)
        folder.put_off(job, Draft(book, fields.seed, self.pauses))


def job_of(asked: SpeechRequest, id: str, owner: str) -> Job:
    """A job without units, which are to be spoken as `asked` says."""
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
        },
    )


def speaking_with(speech: SpeechService) -> SpeakOf:
    """How the units of any job are spoken by this server."""

    def begin(folder: JobFolder, job: Job) -> Speak:
        try:
            voices = kept_voices(folder.voices)
            first = _request(job, voices)
        except (OSError, msgspec.MsgspecError, TypeError, KeyError) as error:
            raise InternalFault(f"The job's folder is damaged: {error}") from error

        async def speak(unit: Unit) -> Spoken:
            asked = replace(
                first,
                request_id=f"{job.id}-{unit.index}",
                text=unit.text,
                voice=voices[unit.voice or BOOK],
                sampling=replace(first.sampling, seed=unit.seed),
                others={name: voices[name] for name in voices_in(unit.text) if name},
            )
            spoken = await speech.speak_aside(asked)
            return Spoken(from_pcm16(spoken.audio), spoken.sample_rate)

        return speak

    return begin


def _request(job: Job, voices: Mapping[str, Voice]) -> SpeechRequest:
    options = job.options
    return SpeechRequest(
        job.id,
        "",
        voices[BOOK],
        SamplingOptions(**options["sampling"]),
        job.sample_rate,
        reading=msgspec.convert(options["reading"], ReadingOptions),
        audio_format="pcm",
        gives_way=True,
        speed=options["speed"],
    )
