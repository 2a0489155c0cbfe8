"""Makes jobs from requests, and speaks the units of a job (the pieces that are spoken one by one). Also keeps
the finished part of a late answer for 30 minutes, as a job that the client can continue. Connects the package
longform, which knows no engine, with the package speech, which knows no job."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import chain, pairwise
from typing import Any

import msgspec
from fastapi import Request

from glm_tts_api.api.access import owner_of, writer_refusal
from glm_tts_api.api.app_state import AppState
from glm_tts_api.audio.encode import from_pcm16
from glm_tts_api.contracts import AudioChunk, SamplingOptions, SpeechRequest, Timings, Voice
from glm_tts_api.errors import DeadlineExceeded, InternalFault
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.job import BOOK, Job, Speak, Spoken, Unit, plan, seed_of, unit_voices
from glm_tts_api.longform.jobs import SpeakOf
from glm_tts_api.longform.reading import read_book
from glm_tts_api.longform.script import Book, Chapter
from glm_tts_api.speech.encoding import encode_whole
from glm_tts_api.speech.service import SpeechService
from speech_text import Pauses, ReadingOptions, ShownReading
from speech_text.marks import before_mark, lasting_marks

logger = logging.getLogger(__name__)
_KEPT_S, _SOON = 1800.0, "in 30 minutes"
_PATIENCE_S = 10.0  # the longest time for reading the text again, since the client waits
_PLAIN = ".text"


def job_of(speech: SpeechRequest, owner: str, **about: Any) -> Job:
    """Makes a job of the client `owner`, without units. Units that are added later are spoken with the
    options of `speech`. `about` are other fields of the job, such as its title."""
    job = Job(
        id=uuid.uuid4().hex,
        state="queued",
        created_at=time.time(),
        n_units=0,
        chapters=(),
        sample_rate=speech.sample_rate,
        owner=owner,
        options={
            "reading": asdict(replace(speech.reading, verbatim=speech.reading.verbatim or "short")),
            "speed": speech.speed,
            "sampling": asdict(speech.sampling),
            "verify": speech.verify,
        },
    )
    return msgspec.structs.replace(job, **about)


def speaking_with(service: SpeechService) -> SpeakOf:
    """Returns a function that begins a job: from the job and its folder, it makes the function that speaks
    one unit of the job with the engines of `service`. The function that begins a job raises InternalFault if
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
            speech = replace(
                first,
                request_id=f"{job.id}-{unit.index}",
                text=unit.text,
                voice=voices[unit.voice or BOOK],
                sampling=replace(first.sampling, seed=unit.seed),
                others={name: voices[kept] for kept, name in unit_voices(unit.text, unit.voice).items()},
            )
            timings = Timings()
            spoken = await service.speak_aside(speech, timings)
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
    speech: SpeechRequest,
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
            reading = await state.speech.engines.read(speech.text, speech.reading, speech.voice.transcript)
        job = job_of(
            speech,
            owner_of(request) if state.keys.are_needed else "",
            state="paused",
            message=f"The answer was not done in time. Resume speaks the rest; else it is deleted {_SOON}.",
            expires_at=time.time() + _KEPT_S,
        )
        await state.jobs.create(job, lambda folder: _keep(folder, job, speech, chunks, reading, n_done))
    except Exception:  # the client gets the error of the late answer in any case
        logger.exception("The finished part of a late answer cannot be kept as a job")
        return late
    error = DeadlineExceeded(
        f"{late.message} The finished part is a job, which is deleted {_SOON}: GET "
        f"/api/v1/jobs/{job.id}/audio has it, POST /api/v1/jobs/{job.id}/resume keeps it and speaks the "
        "rest."
    )
    error.job = job.id
    return error


def _keep(
    folder: JobFolder,
    job: Job,
    speech: SpeechRequest,
    chunks: Sequence[AudioChunk],
    reading: ShownReading,
    n_done: int,
) -> None:
    """Writes `job`, which keeps the late answer to `speech`, into its folder. The first `n_done` segments of
    the `reading`, whose audio is in `chunks`, become the job's first units, with the samples that the answer
    would have had. Each of these units is a paragraph of its own, so that its times are known. The rest of
    the text is cut into units and spoken as in any job. Blocking."""
    folder.keep_voices({BOOK: speech.voice, **speech.others})
    seed, segments = speech.sampling.seed, reading.segments[: n_done + 1]
    places = [before_mark(speech.text, each.start) for each in segments] + [len(speech.text)]
    units = []
    for number, (start, end) in enumerate(pairwise(places[: n_done + 1])):
        text, following = speech.text[start:end].strip(), segments[number + 1 : number + 2]
        pause_s = following[0].segment.pause_s if following else 0.0
        units.append(Unit(number, 0, -1 - number, "paragraph", text, None, seed_of(seed, number), pause_s))
    at, book = places[n_done], Book((Chapter("", ()),))
    if n_done < len(reading.segments):
        rest = read_book(speech.text[at:], _PLAIN)
        book = rest if not rest.chapters[0].title else Book((*book.chapters, *rest.chapters))
    others = plan(book, seed=seed, pauses=Pauses(), index=n_done, marks=lasting_marks(speech.text[:at]))
    job = folder.write_plan(job, book, chain(units, others))
    pcm = replace(speech, audio_format="pcm", timestamps=None, output_rate=None)
    for unit in units:
        said = [chunk for chunk in chunks if chunk.segment == unit.index and chunk.speed is not None]
        answer = encode_whole(said, pcm)
        folder.keep(unit, Spoken(from_pcm16(answer.audio), answer.sample_rate))
    folder.write(job)
