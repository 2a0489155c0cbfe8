"""The command `glm-tts book`: speaks a book into audio files in a folder. A command that was interrupted goes
on in the same folder when it is repeated."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from glm_tts_api.commandline.api import Api, Files, say_aside
from glm_tts_api.commandline.book_files import BookFiles, Writing
from glm_tts_api.commandline.failing import Misused
from glm_tts_api.commandline.files import read_file
from glm_tts_api.commandline.progress import bar, print_above
from glm_tts_api.commandline.say import prompt_of, voice_of
from glm_tts_api.commandline.server import Where, server_at
from glm_tts_api.commandline.speaker import Speaker
from glm_tts_api.contracts import SAMPLE_RATE
from glm_tts_api.errors import Failed, ServiceError
from glm_tts_api.longform.cast import give_voices, read_cast
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.job import Job, Spoken, Unit
from glm_tts_api.longform.plan import plan
from glm_tts_api.longform.reading import decode, read_book
from glm_tts_api.longform.runner import run_job
from glm_tts_api.longform.script import Book
from speech_text.cut.block_pauses import Pauses

WORK = ".glm-tts"  # the job's folder, inside the book's folder
_SEED = 42
_AT_ONCE = 4  # units that are spoken at a time; a server needs places for other clients too

logging.getLogger("glm_tts_api").addHandler(logging.NullHandler())  # the progress bar is shown instead


def run(arguments: argparse.Namespace) -> int:
    """Speaks the book into the folder, or goes on where an earlier command stopped. Returns an exit code.
    Raises Failed or StartupError."""
    source, files = read_file(arguments.book), prompt_of(arguments)
    folder = JobFolder(arguments.output / WORK)
    try:
        asked = _asked(arguments, source, files)
        folder.path.mkdir(parents=True, exist_ok=True)
        with folder.locked(), _nothing_left(folder):
            job = _begun(folder, asked)
            book = read_book(source, arguments.book.name) if job is None else None
            if book and arguments.book.suffix.lower() == ".srt":
                say_aside(
                    "The text of the subtitles is spoken one after the other; their times are not kept."
                )
            if job is None or folder.made(job.n_units).n_units < job.n_units:
                with server_at(Where.of(arguments.url, arguments.key)) as api:
                    job = _begin(api, folder, arguments, book, asked) if book else job
                    assert job is not None
                    _finish(folder, job, arguments, api, files)
            else:
                _finish(folder, job, arguments)
    except ServiceError as error:
        goes_on = " What was spoken stays: the same command goes on from here." if folder.is_job else ""
        raise Failed(f"{error.message}{goes_on}") from None
    except KeyboardInterrupt:
        say_aside("\nInterrupted; the same command goes on from here.")
        return 130
    except OSError as error:
        raise Failed(
            f"'{arguments.output}' cannot be used ({error.strerror}): choose another folder with -o."
        ) from None
    return 0


@contextmanager
def _nothing_left(folder: JobFolder) -> Iterator[None]:
    """Deletes `folder` if the `with` block raises before a job was written there."""
    try:
        yield
    except BaseException:
        if not folder.is_job:
            folder.delete()
        raise


def _asked(arguments: argparse.Namespace, source: bytes, files: Files | None) -> dict[str, Any]:
    """Returns everything that the book's audio depends on, so that a later run can tell whether it continues
    the same work."""
    cast = read_cast(decode(read_file(arguments.cast))) if arguments.cast else {}
    return {
        "the book": _digest(source),
        "--voice": arguments.voice,
        "--mood": arguments.mood,
        "--prompt": _digest(files["prompt_audio"][1]) if files else None,
        "--prompt-text": arguments.prompt_text,
        "--cast": cast,
        "--seed": _SEED if arguments.seed is None else arguments.seed,
        "--speed": arguments.speed,
        "--verify": arguments.verify or None,
    }


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _begun(folder: JobFolder, asked: dict[str, Any]) -> Job | None:
    """Returns the job that an earlier command began in the folder; None if there is none. Raises Misused if
    that job is for another book or other options than `asked`, and Failed if the folder is damaged."""
    if not folder.is_job:
        return None
    try:
        job = folder.read()
        before = job.options["asked"]
    except (msgspec.MsgspecError, KeyError):
        raise Failed(f"{folder.path} is damaged: delete it, or choose another folder with -o.") from None
    if other := [name for name, value in asked.items() if before.get(name) != value]:
        raise Misused(
            f"'{folder.path.parent}' was begun with another {other[0].removeprefix('the ')}: choose another "
            f"folder with -o, or delete {folder.path} to begin anew."
        )
    return job


def _begin(
    api: Api, folder: JobFolder, arguments: argparse.Namespace, book: Book, asked: dict[str, Any]
) -> Job:
    """Checks that the server has the voices, cuts the book into units and writes the plan into the folder.
    Returns the job. Raises Failed and StorageFull."""
    cast: dict[str, str] = asked["--cast"]
    voice = None if arguments.prompt else voice_of(arguments, api)
    for name in {*filter(None, [voice]), *cast.values()}:
        api.require_voice(name)
    job = Job(
        id=_digest(msgspec.json.encode(asked)),
        state="queued",
        created_at=time.time(),
        n_units=0,
        chapters=(),
        sample_rate=SAMPLE_RATE,
        title=book.title or arguments.book.stem,
        author=book.author,
        options={"asked": asked, "voice": voice},
    )
    book = give_voices(book, cast) if cast else book
    return folder.create(job, book, plan(book, seed=asked["--seed"], pauses=Pauses()))


def _finish(
    folder: JobFolder,
    job: Job,
    arguments: argparse.Namespace,
    api: Api | None = None,
    files: Files | None = None,
) -> None:
    """Speaks the missing units with `api`, which may be None if none is missing, and writes the files: each
    chapter once it is spoken, or the whole book as M4B at the end. Raises ServiceError, Failed and
    OSError."""
    made, units = folder.made(job.n_units), list(folder.units())
    out = BookFiles(arguments.output, folder, job, made, units, for_acx=arguments.preset == "acx")
    with Writing(out) as writing:
        if not arguments.m4b:
            writing.begin()
        if api is not None:
            _speak_all(api, out, files, writing.look)
    if arguments.m4b:
        print_above(str(out.write_m4b()))
    if arguments.verify:
        out.write_verdicts()


def _speak_all(api: Api, out: BookFiles, files: Files | None, look: Callable[[Unit], None]) -> None:
    """Speaks the missing units, with a progress bar. `look` is called after each unit. Raises ServiceError,
    Failed and OSError."""
    job, made, units = out.job, out.made, out.units
    if made.n_units:
        say_aside(f"{made.n_units} of {job.n_units} segments are there: going on.")
    asked = job.options["asked"]
    given = {"index": job.options["voice"], "prompt_text": asked["--prompt-text"], "speed": asked["--speed"]}
    given["verify"] = asked.get("--verify")
    fields = {name: str(value) for name, value in given.items() if value is not None}
    n_done = sum(len(unit.text) for unit in units if made.has(unit.index))
    with bar(" characters", sum(len(unit.text) for unit in units), n_done) as shown:

        def progress(unit: Unit, spoken: Spoken) -> None:
            shown.update(len(unit.text))
            look(unit)

        async def speak() -> None:
            async with Speaker(api.options, fields, files, api.require_server) as speaker:
                await run_job(out.folder, job, speaker.speak, made=made, at_once=_AT_ONCE, progress=progress)

        asyncio.run(speak())
