"""Reads the books that clients send, each in a process of its own. A file that is made to take time or memory
then ends that process, and the server goes on. Knows no HTTP."""

from __future__ import annotations

import asyncio
import logging
import resource
import sys
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from glm_tts_api import errors
from glm_tts_api.errors import InternalFault, ServiceError, UnparsableBody, of_text
from glm_tts_api.logs import without_text
from glm_tts_api.longform.cast import give_voices
from glm_tts_api.longform.reading import read_book
from glm_tts_api.longform.script import Book
from speech_text import TextError

logger = logging.getLogger(__name__)
# A text of 2,000,000 characters in lines of three takes 7 s and 264 MB (AMD EPYC).
_LIMITS = ((resource.RLIMIT_CPU, 30), (resource.RLIMIT_AS, 2**30), (resource.RLIMIT_CORE, 0))
_TOO_MUCH = (
    "The book takes more time or memory to read than any book needs: cut it into parts, or send it as .txt."
)


class _Asked(Struct):
    data: bytes
    is_text: bool  # `data` was text, which is sent in UTF-8
    name: str
    is_ssml: bool
    cast: Mapping[str, str] | None


class _Answer(Struct):
    """A book and warnings, or the class, message and field of an error."""

    book: Book | None = None
    warnings: list[str] = []
    error: str = ""
    message: str = ""
    param: str | None = None


async def read_apart(
    data: bytes | str, name: str, *, is_ssml: bool = False, cast: Mapping[str, str] | None = None
) -> tuple[Book, list[str]]:
    """Reads `data` as `read_book` does. Text in SSML (`is_ssml`) is turned into text with marks first, and
    the voices of `cast` are given to the blocks. Returns the book, and warnings. Ends the process when the
    task is cancelled. Raises read_book's errors, and UnparsableBody for a book that needs more than 30 s of
    CPU time or 1 GiB of memory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C ends the server, which then ends this process
    )
    try:
        sent = data.encode() if isinstance(data, str) else data
        asked = _Asked(sent, isinstance(data, str), name, is_ssml, cast)
        out, _ = await process.communicate(msgspec.msgpack.encode(asked))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        logger.error("The process that reads a book ended with status %d", process.returncode)
        raise InternalFault if process.returncode > 0 else UnparsableBody(_TOO_MUCH, param="file")
    answer = msgspec.msgpack.decode(out, type=_Answer)
    if answer.book is None:
        raise getattr(errors, answer.error)(answer.message, answer.param)
    return answer.book, answer.warnings


def _read(asked: _Asked) -> _Answer:
    warnings = list[str]()
    try:
        data = asked.data.decode() if asked.is_text else asked.data
        if asked.is_ssml and isinstance(data, str):
            # The import takes longer than the reading of most books.
            from speech_text import with_marks

            data, warnings = with_marks(data)
        book = read_book(data, asked.name)
        return _Answer(book if asked.cast is None else give_voices(book, asked.cast), warnings)
    except MemoryError:
        return _Answer(error=UnparsableBody.__name__, message=_TOO_MUCH, param="file")
    except TextError as error:
        return _Answer(error=type(of_text(error)).__name__, message=str(error))
    except ServiceError as error:
        return _Answer(error=type(error).__name__, message=error.message, param=error.param)


def main() -> None:
    for kind, most in _LIMITS:
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    try:
        asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Asked)
        sys.stdout.buffer.write(msgspec.msgpack.encode(_read(asked)))
    except Exception as error:
        raise without_text(error) from None


if __name__ == "__main__":
    main()
