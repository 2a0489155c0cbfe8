"""/api/v1/jobs: takes a book, and returns its audio, subtitles and chapters as far as they are made."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import Path, Request, Response

from glm_tts_api.api.access import KeyRequired, WriterRequired, owner_of
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.background import background_work
from glm_tts_api.api.openapi import BINARY, RECORDING, body_docs, error_docs, ranged_docs
from glm_tts_api.api.speech_request import named_voice, named_voices
from glm_tts_api.api.v1 import job_schemas
from glm_tts_api.api.v1.job_files import (
    ChapterQuery,
    Id,
    JobDep,
    PresetQuery,
    answer_report,
    find_job,
    new_router,
    sees_of,
    units_of,
)
from glm_tts_api.api.v1.job_speech import job_of
from glm_tts_api.api.v1.lexicon import own_lexicon
from glm_tts_api.api.v1.schemas import OF_WHOLE_ANSWERS, Done
from glm_tts_api.api.v1.tts import asked_voice
from glm_tts_api.audio.mastering import ACX
from glm_tts_api.contracts import JobState, SpeechRequest, UploadedVoice, Voice
from glm_tts_api.errors import InvalidField
from glm_tts_api.http.body import PROMPT_AUDIO, Body, Upload, read_body
from glm_tts_api.http.middleware import cancelled_on_disconnect
from glm_tts_api.http.ranges import ranged
from glm_tts_api.longform.audio import chapter_times, timed_texts
from glm_tts_api.longform.cast import read_cast, read_pauses
from glm_tts_api.longform.folder import Draft, JobFolder
from glm_tts_api.longform.job import BOOK, unit_voices
from glm_tts_api.longform.reading import BOOKS, SUBTITLES, read_apart
from glm_tts_api.longform.script import Book
from glm_tts_api.longform.shelf import Look
from glm_tts_api.longform.subtitles import MEDIA_TYPES, Subtitle, subtitle_file
from glm_tts_api.recognition.recogniser import told
from glm_tts_api.voices.decoded import decode_upload
from speech_text import Pauses, ReadingOptions

FILE = "file"
_EXAMPLE = {"input_text": "# 第一章 春天\n\n江南的春天来得很早。", "index": "exampleA"}
_JOB = error_docs(404, 422)
_CHANGE = error_docs(404, 409, 422)
_LINK_S = 12 * 3600  # longer than anyone listens without a break
_TEXT = {"schema": {"type": "string"}}
_BOOK = {**BINARY["schema"], "description": f"The book: {BOOKS}."}

router = new_router(dependencies=[KeyRequired, WriterRequired])


@router.post(
    "",
    status_code=202,
    response_model=job_schemas.NewJobAnswer,
    openapi_extra=body_docs(
        job_schemas.JobFields, name="NewJob", example=_EXAMPLE, files={PROMPT_AUDIO: RECORDING, FILE: _BOOK}
    ),
    responses=error_docs(400, 404, 408, 413, 415, 422, 503, 507),
)
async def add_job(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Begins to speak a book: a text, or a file (.txt, .md, .epub, .srt, .vtt, .ass). The job uses
    only capacity that no other request needs. It continues after a restart of the server."""
    body = await read_body(request, state.config.max_upload_bytes)
    fields, warnings = body.parse(job_schemas.JobFields, files=(PROMPT_AUDIO, FILE), voice="index")
    for name in OF_WHOLE_ANSWERS:
        if getattr(fields, name) is not None:
            raise InvalidField(
                f"{name} is of POST /tts. GET .../audio?loudness= sets a job's loudness.", name
            )
    if fields.verify:
        state.speech.recogniser.require("verify", "verify=true")
    upload = body.file(FILE)
    has_times = upload is not None and upload.filename.lower().endswith(SUBTITLES)
    if fields.timing and not has_times:
        raise InvalidField(f"timing=exact needs subtitles as {FILE}: {', '.join(SUBTITLES)}.", "timing")
    if has_times and not fields.timing:
        warnings = [*warnings, "The times of the subtitles are not kept; timing=exact keeps them."]
    admitted = background_work(request, state, upload.size() if upload else len(fields.input_text))
    async with cancelled_on_disconnect(request.receive), admitted:
        book, more = await _book(upload, fields, state)
        voices = await _voices(body, fields, book, state)
    lexicon = (
        await state.pools.files.run(own_lexicon, fields.lexicon, state.lexicon) if fields.lexicon else ()
    )
    pauses = Pauses() if fields.pauses is None else read_pauses(fields.pauses)
    speech = SpeechRequest(
        request.state.request_id,
        "",
        voices[BOOK],
        fields.options,
        fields.sample_rate,
        reading=ReadingOptions(fields.use_phoneme, fields.verbatim, lexicon),
        speed=fields.speed,
        verify=fields.verify,
    )
    title, author = fields.title or book.title, fields.author or book.author
    about = {"title": title, "author": author, "is_timed": fields.timing is not None}
    job = job_of(speech, owner_of(request) if state.keys.are_needed else "", **about)

    def write(folder: JobFolder) -> None:
        folder.keep_voices(voices)
        folder.put_off(job, Draft(book, fields.seed, pauses))  # to count its units can take seconds

    look = await state.jobs.create(job, write)
    return {**_shown(look), "warnings": [*warnings, *more]}


@router.get("", response_model=job_schemas.JobList)
async def list_jobs(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Lists the jobs, the newest first. With API_KEYS, leaves out the jobs of other keys; the first key also
    gets jobs whose key no longer exists. GET /jobs/{id} has the chapters of a job."""
    looks = await state.jobs.all(sees_of(request, state))
    return {"count": len(looks), "jobs": [_row(look) for look in looks]}


@router.get("/{id}", response_model=job_schemas.JobAnswer, responses=_JOB)
async def get_job(look: JobDep) -> dict[str, Any]:
    """Shows a job, its chapters, and how much of each is spoken."""
    return _shown(look)


@router.post("/{id}/link", response_model=job_schemas.LinkAnswer, responses=_JOB)
async def link_job_audio(look: JobDep, request: Request, state: AppStateDep) -> dict[str, Any]:
    """Makes a link, valid for 12 hours, for a player that cannot send a key: .../audio?link=LINK"""
    until = int(time.time()) + _LINK_S
    return {"link": state.keys.link(owner_of(request), look.job.id, until=until), "expires_at": until}


@router.get(
    "/{id}/subtitles.{kind}",
    response_class=Response,
    responses={
        **ranged_docs({"description": "Subtitles.", "content": dict.fromkeys(MEDIA_TYPES.values(), _TEXT)}),
        **_JOB,
        **error_docs(400),
    },
)
async def get_job_subtitles(
    id: Id,
    kind: Annotated[Subtitle, Path(description="SubRip or WebVTT.", examples=["srt"])],
    request: Request,
    state: AppStateDep,
    preset: PresetQuery = None,
    chapter: ChapterQuery = None,
) -> Response:
    """Subtitles: the text as it was written, with its times in the audio that is made so far, or in the MP3
    of a chapter."""
    look = await find_job(id, request, state)
    numbers = units_of(look, chapter, preset) or range(look.made.prefix())
    from_s = ACX.before_s if preset == "acx" else 0.0

    def write() -> bytes:
        return subtitle_file(timed_texts(look, numbers, from_s=from_s), kind).encode()

    text = await state.pools.files.run(write)
    part = "" if chapter is None else f"-{preset or 'chapter'}"
    etag = f"{look.job.id}-{numbers.stop}{part}.{kind}"
    return await ranged(request, text, media_type=f"{MEDIA_TYPES[kind]}; charset=utf-8", etag=etag)


@router.get("/{id}/chapters.json", response_model=job_schemas.ChapterMarks, responses=_JOB)
async def get_job_chapters(look: JobDep) -> dict[str, Any]:
    """The chapters in the audio that is made so far, in the JSON form of Podcasting 2.0."""
    times = chapter_times(look, look.made.prefix())
    chapters = [
        {"startTime": round(each.start_s, 3), "endTime": round(each.end_s, 3), "title": each.text}
        for each in times
    ]
    return {"title": look.job.title, "chapters": chapters}


@router.get(
    "/{id}/cues", response_model=job_schemas.DubbedCues, responses=error_docs(404, 409, 422, 400, 503)
)
async def get_job_cues(look: JobDep, state: AppStateDep) -> Response:
    """How the speech of each subtitle fits its time, in the audio so far of a job with timing=exact."""
    return await answer_report(look, state)


@router.post("/{id}/pause", response_model=job_schemas.JobAnswer, responses=_CHANGE)
async def pause_job(id: Id, request: Request, state: AppStateDep) -> dict[str, Any]:
    """Stops a job until it is resumed. Segments that are being spoken now are then spoken again."""
    return await _change(id, "paused", request, state)


@router.post("/{id}/resume", response_model=job_schemas.JobAnswer, responses=_CHANGE)
async def resume_job(id: Id, request: Request, state: AppStateDep) -> dict[str, Any]:
    """Continues a paused or failed job. Of a done job, speaks damaged or missing segments again."""
    return await _change(id, "queued", request, state)


@router.post("/{id}/cancel", response_model=job_schemas.JobAnswer, responses=_CHANGE)
async def cancel_job(id: Id, request: Request, state: AppStateDep) -> dict[str, Any]:
    """Ends a job. Its finished audio stays until the job is deleted."""
    return await _change(id, "cancelled", request, state)


@router.delete("/{id}", response_model=Done, responses=_CHANGE)
async def delete_job(id: Id, request: Request, state: AppStateDep) -> dict[str, Any]:
    """Ends a job and removes all of its files."""
    await state.jobs.delete(id, sees_of(request, state))
    return {"message": f"Job '{id}' is deleted."}


@router.get("/{id}/verified", response_model=job_schemas.JobVerdicts, responses=_JOB)
async def get_job_verdicts(look: JobDep, state: AppStateDep) -> dict[str, Any]:
    """The verdicts of a job with verify=true: how many segments have each verdict, and each segment that is
    not ok, with its text and the words that were heard."""
    return told(await state.pools.files.run(look.folder.verdicts))


async def _change(id: str, to: JobState, request: Request, state: AppState) -> dict[str, Any]:
    return _shown(await state.jobs.change(id, sees_of(request, state), to))


def _row(look: Look) -> dict[str, Any]:
    job = look.job
    return {
        "id": job.id,
        "state": look.state,
        "message": job.message,
        "title": job.title or (job.chapters[0].title if job.chapters else ""),
        "author": job.author,
        "created_at": round(job.created_at, 3),
        "segments": job.n_units,
        "segments_done": look.made.n_units,
        "audio_seconds": round(look.audio_s, 3),
        "eta_s": None if look.eta_s is None else round(look.eta_s, 1),
        "chapter_count": len(job.chapters),
        "timing": "exact" if job.is_timed else None,
    }


def _shown(look: Look) -> dict[str, Any]:
    chapters = [
        {"title": chapter.title, "segments": chapter.n_units, "segments_done": look.made.n_in(chapter.units)}
        for chapter in look.job.chapters
    ]
    return {**_row(look), "chapters": chapters}


async def _book(
    upload: Upload | None, fields: job_schemas.JobFields, state: AppState
) -> tuple[Book, list[str]]:
    """Reads the book that was sent, and returns it with warnings. Raises InvalidField and the errors of
    `read_apart`."""
    if (upload is None) == (not fields.input_text.strip()):
        raise InvalidField(f"Send either input_text or {FILE} ({BOOKS}).")
    cast = None if fields.cast is None else read_cast(fields.cast)
    if upload is None:
        return await read_apart(fields.input_text, "", is_ssml=fields.input_type == "ssml", cast=cast)
    return await read_apart(await state.pools.files.run(upload.read), upload.filename, cast=cast)


async def _voices(body: Body, fields: job_schemas.JobFields, book: Book, state: AppState) -> dict[str, Voice]:
    """Returns every voice that the book needs, by the name that it has in the book. Raises InvalidField,
    UnknownVoice, and the errors of a bad recording."""
    own = await asked_voice(body, fields, state, lambda name: named_voice(name, state))
    if isinstance(own, UploadedVoice):
        await state.pools.decode.run(decode_upload, own, state.speech.prompt_limits)

    def others() -> dict[str, Voice]:
        blocks = [block for chapter in book.chapters for block in chapter.blocks]
        names = (
            name for block in blocks for name in (block.voice or "", *unit_voices(block.text, block.voice))
        )
        return named_voices(names, state, own)

    return {BOOK: own, **await state.pools.files.run(others)}
