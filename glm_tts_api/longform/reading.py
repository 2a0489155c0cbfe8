"""Reads the bytes of a file, of one of BOOKS, into a Book. The books that clients send are each read
in a process of its own: a file that is made to take time or memory then ends that process, and the server
goes on. Knows no HTTP and no disk."""

from __future__ import annotations

import asyncio
import codecs
import html
import logging
import re
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import accumulate, pairwise
from pathlib import PurePath

import msgspec
import pysubs2
from msgspec import Struct

from glm_tts_api import errors
from glm_tts_api.errors import (
    InternalFault,
    InvalidField,
    NothingToSay,
    ServiceError,
    TextTooLong,
    UnparsableBody,
    of_text,
    quote,
)
from glm_tts_api.logs import without_text
from glm_tts_api.longform.cast import give_voices, names_speaker
from glm_tts_api.longform.epub import read_epub
from glm_tts_api.longform.markdown import is_markdown, read_markdown
from glm_tts_api.longform.script import Block, Book, Chapter, Cue, book_of
from speech_text import TextError
from speech_text.blocks import join_lines, paragraphs

logger = logging.getLogger(__name__)
MAX_CHARACTERS = 2_000_000
MAX_BLOCKS = 200_000  # each of ten characters, if the book has the most characters
SUBTITLES = (".srt", ".vtt", ".ass")
BOOKS = ".txt, .md, .epub, .srt, .vtt or .ass"
_KINDS = ("", ".txt", ".text", ".md", ".markdown", ".epub", *SUBTITLES)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LEAST_COMMON = 0.4  # the least share of GB 2312 in the characters of a Chinese text that are not ASCII
_MOST_ACCENTS = 0.05  # the highest share of characters that are not ASCII in a text of Windows-1252
# A text of 2,000,000 characters in lines of three takes 7 s and 264 MB (AMD EPYC).
_LIMITS = ((resource.RLIMIT_CPU, 30), (resource.RLIMIT_AS, 2**30), (resource.RLIMIT_CORE, 0))
_TOO_MUCH = (
    "The book takes more time or memory to read than any book needs: cut it into parts, or send it as .txt."
)
_LONGEST_FILM_S = 86400
_LIKE_TIMES = re.compile(r"[ \t]*\d[\d:.,]*[ \t]*-->")
_SRT_TIMES = re.compile(r"[ \t]*\d{1,2}:\d{1,2}:\d{1,2}[.,]\d{1,3}[ \t]*-->")
_VTT_SPEAKER = re.compile(r"<v(?:\.[^ <>]{0,100})? +([^<>]{1,100})>")
_TAGS = {
    ".srt": re.compile(r"</?[a-z]{1,9}(?:[ .=][^<>]{0,100})?>|\{(?:\\|[a-z]:)[^{}]{0,50}\}", re.I),
    ".vtt": re.compile(r"<[^<>]{0,100}>"),
    ".ass": re.compile(r"\{[^{}]*\}"),
}


def read_book(data: bytes | str, name: str, cast: Mapping[str, str] | None = None) -> Book:
    """Reads a file into a Book, divided into chapters. The suffix of `name` says which kind of file `data`
    is. Without a suffix or with .txt, `data` is read as Markdown if it has a Markdown heading, and else as
    plain text. The voices of `cast` are given to the blocks.

    Raises InvalidField (`file`) for another kind, UnparsableBody for a file that cannot be read, NothingToSay
    for one without a letter or digit, and TextTooLong above 2,000,000 characters or 200,000 blocks.
    """
    kind = PurePath(name).suffix.lower()
    if kind not in _KINDS:
        raise InvalidField(f"A {quote(kind)} is no book: send a {BOOKS}.", param="file")
    if kind == ".epub":
        if isinstance(data, str):
            raise InvalidField("An .epub is a file: send it as one, not as text.", param="file")
        book = read_epub(data, MAX_CHARACTERS)
    else:
        book = _read_text(decode(data) if isinstance(data, bytes) else data, kind, cast or {})
    if not any(
        char.isalnum() for chapter in book.chapters for block in chapter.blocks for char in block.text
    ):
        raise NothingToSay(
            f"{quote(name) or 'The text'} has nothing to say: no letter, no digit and no Hanzi."
        )
    if sum(len(chapter.blocks) for chapter in book.chapters) > MAX_BLOCKS:
        raise TextTooLong(f"The book has more than {MAX_BLOCKS} paragraphs: cut it into parts.")
    return book if cast is None else give_voices(book, cast)


def decode(data: bytes) -> str:
    """Decodes text in UTF-8, UTF-16 with its byte order mark, GB18030 (GBK, GB 2312) or Windows-1252. Raises
    UnparsableBody if `data` seems to be none of these."""
    marked = [encoding for bom, encoding in _BOMS if data.startswith(bom)]
    if b"\0" in data and not marked:
        raise UnparsableBody(
            f"The file is no text (a book is a {BOOKS}), or it is in UTF-16 without its mark: save a text as "
            "UTF-8.",
            param="file",
        )
    for encoding in marked or ("utf-8", "gb18030", "cp1252"):
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if _is_likely(text[:20_000], encoding):
                return text
    raise UnparsableBody("The file is no text in UTF-8, UTF-16 or GB18030: save it as UTF-8.", param="file")


def _is_likely(text: str, encoding: str) -> bool:
    """Whether `text` has the characters of a text in this encoding."""
    signs = [char for char in text if not char.isascii()]
    if encoding == "gb18030":
        return sum(bool(char.encode("gb2312", "ignore")) for char in signs) >= _LEAST_COMMON * len(signs)
    return encoding != "cp1252" or len(signs) <= _MOST_ACCENTS * len(text)


def _read_text(text: str, kind: str, cast: Mapping[str, str]) -> Book:
    if len(text) > MAX_CHARACTERS:
        raise TextTooLong(
            f"The text has {len(text)} characters; at most {MAX_CHARACTERS} are possible: cut it into parts."
        )
    if kind in (".md", ".markdown") or (kind in ("", ".txt") and is_markdown(text)):
        return read_markdown(text)
    if kind in SUBTITLES:
        return Book((Chapter("", tuple(_subtitles(text, kind, cast))),))
    return book_of(Block(block.text, block.kind, block.rank) for block in paragraphs(text))


def _subtitles(text: str, kind: str, cast: Mapping[str, str]) -> Iterator[Block]:
    """Yields the text of each subtitle, joined into one line, in the order of the times. Where several
    speakers of a subtitle are known, each has a block, and of the time as much as of the text. Subtitles
    without a letter or digit are left out. Raises UnparsableBody."""
    text = "\n".join(text.splitlines())
    if kind == ".vtt":  # a comment, a style or a cue's name would become text
        text = "\n".join(f"{part}\n" for part in _vtt_cues(text))
    for line in text.split("\n") if kind == ".srt" else ():
        if _LIKE_TIMES.match(line) and not _SRT_TIMES.match(line):
            raise UnparsableBody(
                f"The times {quote(line)} cannot be read: write them as 00:00:01,000 --> 00:00:03,000. They "
                "may go up to 24 hours.",
                param="file",
            )
    found = pysubs2.SSAFile()
    with suppress(ValueError, LookupError, TypeError, AttributeError, pysubs2.exceptions.Pysubs2Error):
        found = pysubs2.SSAFile.from_string(f"{text}\n\n0\n", kind[1:], keep_html_tags=True)
    if not len(found):
        raise UnparsableBody(f"The file is no {kind}: save the subtitles anew.", param="file")
    numbered = ((number, event) for number, event in enumerate(found, 1) if not event.is_comment)
    for number, event in sorted(numbered, key=lambda each: each[1].start):
        if event.start > 1000 * _LONGEST_FILM_S:
            raise UnparsableBody(f"Subtitle {number} begins after 24 hours: cut the film.", param="file")
        start, end = max(0, event.start), max(0, event.start, event.end)
        turns = [] if event.is_drawing else list(_turns(event.text, kind, event.name, cast))
        sizes = [*accumulate(len(said) for _, said in turns)]
        times = [start, *(start + (end - start) * size // sizes[-1] for size in sizes)]
        for (speaker, said), (begins, ends) in zip(turns, pairwise(times), strict=True):
            cue = Cue(number, begins / 1000, ends / 1000, speaker)
            yield Block(said if kind == ".ass" else html.unescape(said), cue=cue)


def _turns(text: str, kind: str, name: str, cast: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yields the speakers of a subtitle, and what each says. A speaker is that of WebVTT's tag or of the
    field Name; a line that begins with a name of the cast begins a turn too, and keeps that name."""
    first, *more = _VTT_SPEAKER.split(text) if kind == ".vtt" else [text]
    for speaker, part in [(name[:100], first), *zip(more[::2], more[1::2], strict=True)]:
        turns = [list[str]()]
        for line in re.split(r"\\[Nn]|\n", _TAGS[kind].sub("", part.replace(r"\h", " "))):
            bare = line.lstrip(" -–—")
            if not speaker and names_speaker(bare, cast):
                turns.append([bare])
            elif any(map(str.isalnum, line)):
                turns[-1].append(line)
        yield from ((speaker.strip(), join_lines(lines)) for lines in turns if lines)


def _vtt_cues(text: str) -> Iterator[str]:
    """Yields the cues of a WebVTT file, each from the line with its times on."""
    for part in re.split(r"\n[ \t]*\n", text):
        lines = part.split("\n")
        if at := [number for number, line in enumerate(lines) if "-->" in line]:
            yield "\n".join(lines[at[0] :])


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
    error: tuple[str, str, str | None] = ("", "", None)


async def read_apart(
    data: bytes | str, name: str, *, is_ssml: bool = False, cast: Mapping[str, str] | None = None
) -> tuple[Book, list[str]]:
    """Reads `data` as `read_book` does, in a process of its own. Text in SSML (`is_ssml`) is turned into text
    with marks first, and the voices of `cast` are given to the blocks. Returns the book, and warnings. Ends
    the process when the task is cancelled. Raises read_book's errors, and UnparsableBody for a book that
    needs more than 30 s of CPU time or 1 GiB of memory."""
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
        kind, *said = answer.error
        raise getattr(errors, kind)(*said)
    return answer.book, answer.warnings


def _read(asked: _Asked) -> _Answer:
    warnings = list[str]()
    error: ServiceError
    try:
        data = asked.data.decode() if asked.is_text else asked.data
        if asked.is_ssml and isinstance(data, str):
            # The import takes longer than the reading of most books.
            from speech_text import with_marks

            data, warnings = with_marks(data)
        return _Answer(read_book(data, asked.name, asked.cast), warnings)
    except MemoryError:
        error = UnparsableBody(_TOO_MUCH, param="file")
    except TextError as fault:
        error = of_text(fault)
    except ServiceError as fault:
        error = fault
    return _Answer(error=(type(error).__name__, error.message, error.param))


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
