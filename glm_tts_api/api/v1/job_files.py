"""Finds the job that a request names, and answers with its audio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Literal
from urllib.parse import quote as url_quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from glm_tts_api.api.access import KeyOrLinkRequired, WriterRequired, owner_of
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.openapi import BINARY, error_docs, ranged_docs
from glm_tts_api.api.v1.job_schemas import EXAMPLE_JOB
from glm_tts_api.contracts import SAMPLE_RATE
from glm_tts_api.errors import InvalidField, JobRefuses, Loading
from glm_tts_api.http.ranges import ranged
from glm_tts_api.longform.audio import BOOK_FORMATS, BookFormat, book_media_type
from glm_tts_api.longform.jobs import Sees
from glm_tts_api.longform.outputs import Output
from glm_tts_api.longform.shelf import Look

PATH = "/api/v1/jobs"
_SOON_S = 1.0  # a file that is made by then is sent with its length
_PATIENCE_S = 25.0  # the longest wait for a file, because clients and proxies wait half a minute
_LOOK_S = 0.1
_BLOCK_BYTES = 2**18
_FROM_THE_START = ("", "bytes=0-")  # the ranges of players that do not need a part
PresetQuery = Annotated[
    Literal["acx"] | None, Query(description="MP3 of a `chapter` as ACX takes it.", examples=["acx"])
]
ChapterQuery = Annotated[int | None, Query(ge=1, description="This chapter alone, from 1.", examples=[1])]
Id = Annotated[str, Path(description="The id of the job.", examples=[EXAMPLE_JOB])]

new_router = partial(APIRouter, prefix=PATH, tags=["books"], responses=error_docs(401, 403, 500))
audio_router = new_router(dependencies=[KeyOrLinkRequired, WriterRequired])


def sees_of(request: Request, state: AppState) -> Sees:
    """Returns a function that says by a job's owner whether the request's client sees the job: all jobs
    without keys, else its own and those without an owner. The first key also sees jobs of lost keys."""
    keys, mine = state.keys, owner_of(request)
    if not keys.are_needed:
        return lambda owner: True
    return lambda owner: owner in ("", mine) or (keys.is_first(mine) and not keys.knows(owner))


async def find_job(id: Id, request: Request, state: AppStateDep) -> Look:
    return await state.jobs.get(id, sees_of(request, state))


JobDep = Annotated[Look, Depends(find_job)]


@audio_router.get(
    "/{id}/audio",
    response_class=Response,
    responses={
        **ranged_docs(
            {
                "description": "The audio that there is, from the start of the book on.",
                "content": {book_media_type(each, SAMPLE_RATE): BINARY for each in BOOK_FORMATS},
            }
        ),
        **error_docs(404, 409, 422, 400, 503),
    },
)
async def get_job_audio(
    id: Id,
    request: Request,
    state: AppStateDep,
    format: Annotated[BookFormat, Query(description="m4b and mp3 have chapters.", examples=["mp3"])] = "mp3",
    loudness: Annotated[
        float | None,
        Query(
            ge=-31,
            le=-14,
            description="LUFS of the whole file (ITU-R BS.1770), as platforms give it: -16 for podcasts, -14 "
            "for music players, -23 for broadcasts; in steps of 0.5. Peaks stay under -1 dB.",
            examples=[-16],
        ),
    ] = None,
    preset: PresetQuery = None,
    chapter: ChapterQuery = None,
    speaker: Annotated[
        str | None,
        Query(
            max_length=100,
            description="With timing=exact: the speech of this speaker alone.",
            examples=["小王"],
        ),
    ] = None,
) -> Response:
    """The audio of a job, also while it runs: from the start up to the first segment that is not spoken."""
    look = await find_job(id, request, state)
    _require_audio(look)
    if speaker is not None and (not look.job.is_timed or loudness is not None or chapter is not None):
        raise InvalidField("speaker is of jobs with timing=exact, without loudness and chapter.", "speaker")
    units = units_of(look, chapter, preset)
    if units is not None and (format != "mp3" or loudness is not None):
        raise InvalidField("A chapter is an MP3: send no other format and no loudness.", param="chapter")
    kind = book_media_type(format, look.job.sample_rate)
    name = url_quote(f"{look.job.title or 'book'}.{format}", safe="")
    headers = {"Content-Disposition": f"attachment; filename=\"book.{format}\"; filename*=UTF-8''{name}"}
    output = state.outputs.of(
        look, format, lufs=loudness, chapter=chapter, for_acx=preset == "acx", speaker=speaker
    )
    # A file that takes longer than 1 s to make is sent while it is made. This needs a client that wants the
    # file from its start, and a format other than m4b. Other clients wait for the file.
    is_from_start = request.headers.get("range", "").replace(" ", "") in _FROM_THE_START
    streams = format != "m4b" and request.method == "GET" and is_from_start
    await asyncio.wait([output.made], timeout=_SOON_S if streams else _PATIENCE_S)
    if output.made.done():
        with _ask_again_if_gone():
            output.made.result()
            return await ranged(request, output.path, media_type=kind, etag=output.etag, headers=headers)
    if not streams:
        raise Loading(f"The {format} is being put together; ask again in some seconds.")
    headers["ETag"] = f'"{output.etag}"'
    return StreamingResponse(_while_made(output), media_type=kind, headers=headers)


async def answer_report(look: Look, state: AppState) -> Response:
    """Answers with the report on the subtitles of a timed job. Raises InvalidField for another job,
    JobRefuses before the first segment is spoken, and Loading."""
    if not look.job.is_timed:
        raise InvalidField("The job keeps no times: begin it with timing=exact.", "id")
    _require_audio(look)
    output = state.outputs.report(look)
    await asyncio.wait([output.made], timeout=_PATIENCE_S)
    if not output.made.done():
        raise Loading("The speech is being measured; ask again in some seconds.")
    with _ask_again_if_gone():
        output.made.result()
        return Response(await asyncio.to_thread(output.path.read_bytes), media_type="application/json")


def _require_audio(look: Look) -> None:
    if not look.made.prefix():
        raise JobRefuses(
            f"The job is {look.state} and its first segment is not spoken yet: ask again in some seconds. "
            "A later segment may be done before it."
        )


@contextmanager
def _ask_again_if_gone() -> Iterator[None]:
    """Raises Loading for a file that is gone: the job is deleted, or has more audio now."""
    try:
        yield
    except FileNotFoundError:
        raise Loading("The audio of the job has just changed: ask again.") from None


def units_of(look: Look, chapter: int | None, preset: str | None) -> range | None:
    """Returns the numbers of the units of a chapter, counted from 1; None for the whole job. Raises
    InvalidField for a chapter that there is not or a preset without a chapter, and JobRefuses for a chapter
    with a unit that is not spoken."""
    if chapter is None:
        if preset is None:
            return None
        raise InvalidField(f"preset={preset} makes the MP3 of one chapter: send chapter too.", param="preset")
    if chapter > len(look.job.chapters):
        raise InvalidField(
            f"The job has {len(look.job.chapters)} chapters: send the number of one of them.", param="chapter"
        )
    planned = look.job.chapters[chapter - 1]
    if look.made.prefix() < planned.units.stop:
        raise JobRefuses(f"Chapter {chapter} is not whole yet: ask again once its segments are done.")
    return planned.units


async def _while_made(output: Output) -> AsyncIterator[bytes]:
    """Yields the bytes of the file while it grows, until the file is complete. Raises the error with which
    making the file failed."""
    with _ask_again_if_gone():
        while not output.made.done() and not output.growing.exists():
            await asyncio.wait([output.made], timeout=_LOOK_S)
        try:
            opened = await asyncio.to_thread(output.growing.open, "rb")
        except FileNotFoundError:  # the file is complete, or making it failed
            await asyncio.wait([output.made])
            output.made.result()
            opened = await asyncio.to_thread(output.path.open, "rb")
        with opened as file:
            while True:
                is_whole = output.made.done()
                while block := await asyncio.to_thread(file.read, _BLOCK_BYTES):
                    yield block
                if is_whole:
                    output.made.result()
                    return
                await asyncio.wait([output.made], timeout=_LOOK_S)
