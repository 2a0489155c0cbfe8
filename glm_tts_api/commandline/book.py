"""The command `glm-tts book`: a server speaks a book as a job, and the command fetches each chapter into a
folder. A command that was interrupted goes on with the same job when it is repeated.

In the folder, `.glm-tts/book.json` names the job. A server that was started for the command keeps the job
itself in `.glm-tts` too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from glm_tts_api.commandline.api import Api, Files, Lost, NotThere, bar, say_aside, server_at
from glm_tts_api.commandline.files import Misused, read_file, write_file
from glm_tts_api.commandline.say import prompt_of, voice_of
from glm_tts_api.errors import Failed, ServiceError
from glm_tts_api.longform.cast import read_cast
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.reading import SUBTITLES, decode, read_book

WORK = ".glm-tts"  # inside the book's folder
_JOBS = "/api/v1/jobs"
_SEED = 42
_LOOK_S = 0.5
_PATIENCE_S, _AGAIN_S = 120.0, 2.0  # how long a server may be gone, for a restart, before the command fails
_MOST_TITLE = 500  # characters that the server takes
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_MOST_BYTES = 120  # the most bytes of a title in a file name
ResultT = TypeVar("ResultT")
AtEnd = Callable[[Api, str, str], None]
"""A function that fetches files of a finished job. It takes the job's path on the server and the title."""


def run(arguments: argparse.Namespace) -> int:
    """Has the book spoken into the folder, or goes on where an earlier command stopped. Returns an exit code.
    Raises Failed or StartupError."""
    return speak(arguments, arguments.output / WORK, partial(_fetch_rest, arguments))


def speak(arguments: argparse.Namespace, work_folder: Path, at_end: AtEnd) -> int:
    """Has a book spoken as `run` does, with its record in `work_folder`. `at_end` is called once all is
    spoken."""
    source, files = read_file(arguments.book), prompt_of(arguments)
    work = JobFolder(work_folder)
    record = work.path / "book.json"
    try:
        asked = _asked(arguments, source, files)
        title = read_book(source, arguments.book.name).title or arguments.book.stem
        work.path.mkdir(parents=True, exist_ok=True)
        with work.locked():
            id = _begun(work, record, asked)
            if id is None and not arguments.timing and arguments.book.suffix.lower() in SUBTITLES:
                say_aside(
                    "The text of the subtitles is spoken one after the other; their times are not kept "
                    "(glm-tts dub keeps them)."
                )
            is_kept_here = id is not None and JobFolder(work.path / id).is_job
            with server_at(arguments.url, arguments.key, jobs=work.path, starts=is_kept_here) as api:
                job = None if id is None else _resumed(api, id)
                if job is None:
                    job = _new(api, arguments, asked, title, {"file": (arguments.book.name, source), **files})
                    write_file(record, json.dumps({"asked": asked, "id": job["id"]}).encode())
                _follow(api, job, arguments, title, at_end)
    except ServiceError as error:
        raise Failed(error.message) from None
    except KeyboardInterrupt:
        say_aside("\nInterrupted; the same command goes on from here.")
        return 130
    except OSError as error:
        raise Failed(
            f"'{arguments.output}' cannot be used ({error.strerror}): choose another folder with -o."
        ) from None
    finally:
        if not record.exists() and not work.is_job:
            work.delete()
    return 0


def _asked(arguments: argparse.Namespace, source: bytes, files: Files) -> dict[str, Any]:
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
        "timing": arguments.timing,
    }


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _begun(work: JobFolder, record: Path, asked: Mapping[str, Any]) -> str | None:
    """Returns the id of the job that an earlier command began for the folder; None if there is none. Raises
    Misused if that job is for another book or other options than `asked`, and Failed if the file that names
    it is damaged."""
    anew, folder = f"delete {work.path} to begin anew", work.path.parent
    if work.is_job:
        raise Misused(f"'{folder}' was begun by an older version: finish it with that version, or {anew}.")
    try:
        found = json.loads(record.read_bytes())
        before, id = found["asked"], str(found["id"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise Failed(f"{record} is damaged: choose another folder with -o, or {anew}.") from None
    if other := [name for name, value in asked.items() if before.get(name) != value]:
        raise Misused(
            f"'{folder}' was begun with another {other[0].removeprefix('the ')}: choose another folder with "
            f"-o, or {anew}."
        )
    return id


def _resumed(api: Api, id: str) -> dict[str, Any] | None:
    """Resumes the job, which also has damaged audio spoken again. Returns the job as the server shows it;
    None if the server does not have it. Raises Failed."""
    try:
        job = api.post(f"{_JOBS}/{id}/resume", {})
    except NotThere:
        say_aside("The server does not have what was spoken of this book: it begins anew.")
        return None
    if job["segments_done"] < job["segments"]:
        say_aside(f"{job['segments_done']} of {job['segments']} segments are there: going on.")
    return job


def _new(
    api: Api, arguments: argparse.Namespace, asked: Mapping[str, Any], title: str, files: Files
) -> dict[str, Any]:
    """Begins a job and returns it as the server shows it. Raises Failed."""
    voice = None if arguments.prompt else voice_of(arguments, api)
    given = {"index": voice, "prompt_text": arguments.prompt_text, "speed": arguments.speed}
    given |= {"seed": asked["--seed"], "verify": asked["--verify"], "title": title[:_MOST_TITLE]}
    given |= {"cast": json.dumps(asked["--cast"]) if asked["--cast"] else None, "verbatim": "read"}
    given["timing"] = arguments.timing
    return api.post(_JOBS, {name: str(value) for name, value in given.items() if value is not None}, files)


def _follow(api: Api, job: dict[str, Any], arguments: argparse.Namespace, title: str, at_end: AtEnd) -> None:
    """Waits until the job is done, with a progress bar, and fetches its files: each chapter once it is
    spoken, and the rest by `at_end`. Ctrl-C pauses the job. Raises Failed and OSError."""
    path, n_fetched = f"{_JOBS}/{job['id']}", 0
    out, preset = arguments.output, arguments.preset
    try:
        with bar(" segments", job["segments"], job["segments_done"]) as shown:
            while True:
                shown.total = job["segments"]
                shown.update(job["segments_done"] - shown.n)
                chapters = [] if arguments.timing or arguments.m4b else job["chapters"]
                for chapter in chapters[n_fetched:]:
                    if chapter["segments_done"] < chapter["segments"]:
                        break
                    n_fetched += 1
                    number = f"{n_fetched:0{max(2, len(str(len(chapters))))}d}"
                    query = f"chapter={n_fetched}{f'&preset={preset}' if preset else ''}"
                    name = file_name(f"{number} {chapter['title'] or title}")
                    _fetch(api, f"{path}/{{}}?{query}", out / f"{name}.mp3")
                if job["state"] not in ("queued", "running"):
                    break
                time.sleep(_LOOK_S)
                job = patiently(api, partial(api.get, path))
        if job["state"] != "done":
            raise Failed(job["message"] or f"The job is {job['state']}.")
        at_end(api, path, title)
    except KeyboardInterrupt:
        with suppress(Failed):
            api.post(f"{path}/pause", {})
        raise
    except Failed as error:
        raise Failed(f"{error} What was spoken stays: the same command goes on from here.") from None


def _fetch_rest(arguments: argparse.Namespace, api: Api, path: str, title: str) -> None:
    if arguments.m4b:
        _fetch(api, f"{path}/{{}}?format=m4b", arguments.output / f"{file_name(title)}.m4b")
    if arguments.verify:
        write_verdicts(api.get(f"{path}/verified"), arguments.output / "verified.json")


def _fetch(api: Api, path: str, file: Path) -> None:
    """Writes the audio of a job to `file`, and its subtitles beside it. Prints the name of `file`. `path` has
    a place for what is fetched."""
    for what, new in (("subtitles.srt", file.with_name(f"{file.stem}.srt")), ("audio", file)):
        patiently(api, partial(api.download, path.format(what), new))
    tqdm.write(str(file))  # on stdout, above the bar


def patiently(api: Api, act: Callable[[], ResultT]) -> ResultT:
    """Returns the result of `act`. While the server does not answer, `act` is repeated for two minutes.
    Raises Failed."""
    until, told = time.monotonic() + _PATIENCE_S, False
    while True:
        try:
            return act()
        except Lost as lost:
            api.require_server()
            if time.monotonic() > until:
                raise
            if not told:
                told = True
                say_aside(f"{lost} It is waited for, for {_PATIENCE_S:.0f} seconds.")
            time.sleep(_AGAIN_S)


def write_verdicts(verdicts: Mapping[str, Any], path: Path) -> None:
    """Writes the recogniser's verdicts to the file `path`, and prints their counts on stderr."""
    told = {name: verdicts[name] for name in ("count", "doubtful")}
    write_file(path, json.dumps(told, ensure_ascii=False, indent=2).encode() + b"\n")
    counts = ", ".join(f"{n} {verdict}" for verdict, n in told["count"].items())
    say_aside(f"VERIFIED: {counts} ({path} has the texts).")


def file_name(title: str) -> str:
    """Returns the title as a file name of at most 120 bytes that every file system accepts; "book" if nothing
    of the title is left."""
    flat = " ".join(_NOT_IN_NAMES.sub(" ", title).split()).strip(". ")
    return flat.encode()[:_MOST_BYTES].decode(errors="ignore").strip() or "book"
