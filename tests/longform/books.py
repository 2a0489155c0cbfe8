"""Books for the tests of jobs, and the job folders of them."""

from __future__ import annotations

from pathlib import Path

from glm_tts_api.longform.folder import Draft, JobFolder
from glm_tts_api.longform.job import Job, plan
from glm_tts_api.longform.script import Block, Book, Chapter
from speech_text import Pauses

PAUSES = Pauses(heading=1.0, paragraph=0.5, chapter=2.0)


def book_of(n_chapters: int, n_paragraphs: int) -> Book:
    def chapter(number: int) -> Chapter:
        paragraphs = (
            Block(f"这是第{number}章的第{at}段，说的是江南的春天和那里的人们。") for at in range(n_paragraphs)
        )
        return Chapter(f"第{number}章", (Block(f"第{number}章", "heading"), *paragraphs))

    return Book(tuple(chapter(number) for number in range(1, n_chapters + 1)), title="江南", author="某人")


def new_job(path: Path, book: Book, *, seed: int = 42, is_put_off: bool = False) -> JobFolder:
    """`is_put_off`: its units are counted later."""
    job = Job(
        id=path.name,
        state="queued",
        created_at=0.0,
        n_units=0,
        chapters=(),
        sample_rate=24000,
        title=book.title,
        author=book.author,
    )
    folder = JobFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    if is_put_off:
        folder.put_off(job, Draft(book, seed, PAUSES))
    else:
        folder.write(folder.write_plan(job, book, plan(book, seed=seed, pauses=PAUSES)))
    return folder
