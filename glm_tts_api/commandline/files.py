"""Reads and writes the files of the commands, and reads the text that is given to a command: an argument,
standard input, or a .txt file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from glm_tts_api.durable import replace_file
from glm_tts_api.errors import Failed

_OF_A_BOOK = (".md", ".epub", ".srt", ".vtt", ".ass")


class Misused(Failed):
    """The command's arguments do not fit together, or name something that does not exist. Exit code 2."""


def read_file(path: Path) -> bytes:
    """Returns the file's content. Raises Misused if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misused(f"'{path}' cannot be read ({error.strerror}).") from None


def write_file(path: Path, data: bytes) -> None:
    """Replaces the file `path` in one step, or writes into it if it is a device or a pipe. Raises Failed."""
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            replace_file(path, data)
    except OSError as error:
        raise Failed(f"'{path}' cannot be written ({error.strerror}).") from None


def given_text(argument: str | None, command: str) -> str:
    """Returns the text that `argument` means: standard input for `-` or None, the content of a .txt file, or
    the argument itself. `command` is the command's name for error messages. Raises Misused if there is no
    text or no such .txt file, for text that is not UTF-8, and for the file of a book."""
    if argument in (None, "-"):
        return _from_stdin(argument, command)
    assert argument is not None
    path = Path(argument)
    kind = path.suffix.lower()
    if kind in (".txt", *_OF_A_BOOK) and os.path.isfile(path):  # a text may be too long for Path.is_file
        if kind in _OF_A_BOOK:
            raise Misused(
                f"'{path.name}' has chapters or times of its own: glm-tts book {argument} -o FOLDER"
            )
        return _decoded(path.read_bytes(), f"'{path.name}'", f"{argument} > utf8.txt")
    if kind in (".txt", *_OF_A_BOOK) and len(argument.split()) == 1:
        raise Misused(f"There is no file '{argument}'.")
    if not argument.strip():
        raise Misused(_no_text(command))
    return argument


def _from_stdin(argument: str | None, command: str) -> str:
    written = b""
    if sys.stdin is not None and (argument == "-" or not sys.stdin.isatty()):
        written = sys.stdin.buffer.read()
    if not written.strip():
        raise Misused(_no_text(command))
    return _decoded(written, "Standard input", f"FILE | glm-tts {command}")


def _no_text(command: str) -> str:
    return (
        f'There is no text. Give it: glm-tts {command} "Hello." or: echo Hello. | glm-tts {command} '
        f"or: glm-tts {command} FILE.txt"
    )


def _decoded(written: bytes, where: str, then: str) -> str:
    try:
        return written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misused(
            f"{where} is not UTF-8 text (byte {error.start}). Convert it first, for instance: "
            f"iconv -f gb18030 -t utf-8 {then}"
        ) from None
