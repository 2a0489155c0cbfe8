"""Answers requests for the files of a job: audio, subtitles, chapters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote as url_quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from glm_tts_api.api.app_state import AppState
from glm_tts_api.errors import InvalidField, JobRefuses, Loading
from glm_tts_api.http.ranges import ranged
from glm_tts_api.longform.audio import BookFormat, book_media_type, timed_texts
from glm_tts_api.longform.loudness import ACX
from glm_tts_api.longform.outputs import Output
from glm_tts_api.longform.shelf import Look
from glm_tts_api.longform.subtitles import MEDIA_TYPES, Subtitle, subtitle_file

_SOON_S = 1.0  # a file that is made by then is sent with its length
_PATIENCE_S = 25.0  # the longest wait for a file, because clients and proxies wait half a minute
_LOOK_S = 0.1
_BLOCK_BYTES = 2**18
_FROM_THE_START = ("", "bytes=0-")  # the ranges of players that do not need a part


async def send_audio(
    request: Request,
    state: AppState,
    look: Look,
    book_format: BookFormat,
    *,
    lufs: float | None = None,
    chapter: int | None = None,
    preset: str | None = None,
) -> Response:
    """Answers with a job's audio as one file in `book_format`, or with the part of the file that the request
    asks for. The file has the segments that are spoken, from the start of the book up to the first gap.

    If making the file takes longer than 1 s, it is sent while it is made. This needs a client that wants the
    file from its start, and a format other than m4b; any other client waits up to 25 s for the file. `lufs`
    is the loudness of the file in LUFS; None leaves it as it is. `chapter`, from 1, makes the MP3 of this
    chapter alone, with the `preset` acx as the audiobook service ACX takes it. Raises InvalidField,
    JobRefuses, and Loading if the file is not made in 25 s."""
    if not look.made.prefix():
        raise JobRefuses(
            f"The job is {look.state} and its first segment is not spoken yet: ask again in some seconds. "
            "A later segment may be done before it."
        )
    units = _units(look, chapter, preset)
    if units is not None and (book_format != "mp3" or lufs is not None):
        raise InvalidField("A chapter is an MP3: send no other format and no loudness.", param="chapter")
    kind = book_media_type(book_format, look.job.sample_rate)
    name = url_quote(f"{look.job.title or 'book'}.{book_format}", safe="")
    headers = {"Content-Disposition": f"attachment; filename=\"book.{book_format}\"; filename*=UTF-8''{name}"}
    output = state.outputs.of(look, book_format, lufs=lufs, chapter=chapter, for_acx=preset == "acx")
    streams = (
        book_format != "m4b"
        and request.method == "GET"
        and request.headers.get("range", "").replace(" ", "") in _FROM_THE_START
    )
    await asyncio.wait([output.made], timeout=_SOON_S if streams else _PATIENCE_S)
    if output.made.done():
        output.made.result()
        return await ranged(request, output.path, media_type=kind, etag=output.etag, headers=headers)
    if not streams:
        raise Loading(f"The {book_format} is being put together; ask again in some seconds.")
    return StreamingResponse(
        _while_made(output), media_type=kind, headers={**headers, "ETag": f'"{output.etag}"'}
    )


def _units(look: Look, chapter: int | None, preset: str | None) -> range | None:
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


async def send_subtitles(
    request: Request, state: AppState, look: Look, kind: Subtitle, *, chapter: int | None, preset: str | None
) -> Response:
    """Answers with the subtitles of the audio that is made so far, or of the MP3 of one `chapter`, from 1.
    Raises InvalidField and JobRefuses."""
    numbers = _units(look, chapter, preset) or range(look.made.prefix())
    part = "" if chapter is None else f"-{preset or 'chapter'}"
    from_s = ACX.before_s if preset == "acx" else 0.0

    def write() -> bytes:
        return subtitle_file(timed_texts(look, numbers, from_s=from_s), kind).encode()

    text = await state.pools.files.run(write)
    media_type = f"{MEDIA_TYPES[kind]}; charset=utf-8"
    etag = f"{look.job.id}-{numbers.stop}{part}.{kind}"
    return await ranged(request, text, media_type=media_type, etag=etag)
