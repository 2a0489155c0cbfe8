"""Books that are read in a process of their own, which has limits."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from glm_tts_api.errors import InvalidField, NothingToSay, TextTooLong, UnparsableBody
from glm_tts_api.longform.reading import read_apart
from glm_tts_api.longform.script import Book
from tests.longform.test_epub import packed
from tests.longform.test_reading import kinds

READ = """
import asyncio, sys
from glm_tts_api.errors import UnparsableBody
from glm_tts_api.longform.reading import read_apart
try:
    asyncio.run(read_apart(sys.stdin.buffer.read(), "a.epub"))
except UnparsableBody as error:
    print(error.message)
"""


def read(*args: Any, **options: Any) -> tuple[Book, list[str]]:
    return asyncio.run(read_apart(*args, **options))


def test_a_book_is_the_same_and_the_cast_has_its_lines() -> None:
    book, warnings = read("# 一\n\n小王：你好。\n".encode(), "a.md", cast={"小王": "exampleB"})
    assert kinds(book) == [("heading", "一"), ("paragraph", "你好。")]
    assert [block.voice for block in book.chapters[0].blocks] == [None, "exampleB"]
    assert not warnings
    book, warnings = read("<speak>好<audio src='x'/></speak>", "", is_ssml=True)
    assert kinds(book) == [("paragraph", "好")]
    assert "audio" in warnings[0]


@pytest.mark.parametrize(
    ("data", "name", "error"),
    [
        (b"text", "a.pdf", InvalidField),
        (b"PK", "a.epub", UnparsableBody),
        ("…", "", NothingToSay),
        ("字" * 2_000_001, "", TextTooLong),
    ],
)
def test_errors_come_through(data: bytes | str, name: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        read(data, name)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("limit", "page"),
    [("-t 2", "<p>" * 10**6 + "a"), ("-v 100000", "<!--" + "a" * 39 * 10**6)],
    ids=["time", "memory"],
)
def test_a_book_that_takes_too_much_ends_its_process_alone(limit: str, page: str) -> None:
    """The limits of the shell that begins the reader are lower than its own, for the test to be short."""
    ended = subprocess.run(
        ["bash", "-c", f'ulimit {limit}; exec "$@"', "bash", sys.executable, "-c", READ],
        input=packed(**{"OEBPS/text/b.xhtml": page}),
        capture_output=True,
        check=True,
    )
    assert b"more time or memory" in ended.stdout
