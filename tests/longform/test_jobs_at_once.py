"""What is asked of jobs in the same moment, and what a server does whose folder cannot be read."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import numpy as np
import pytest

from glm_tts_api.errors import UnknownJob
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.job import Job, Speak, Spoken, Unit
from glm_tts_api.longform.jobs import Jobs
from glm_tts_api.longform.shelf import JobsConfig
from tests.longform.books import book_of, new_job

ID = "a" * 32


async def silent(unit: Unit) -> Spoken:
    return Spoken(np.zeros(1, np.float32), 24000)


def speaking(folder: JobFolder, job: Job) -> Speak:
    return silent


def test_a_job_that_is_stopped_before_it_began_goes_on_later(tmp_path: Path) -> None:
    new_job(tmp_path / ID, book_of(1, 1))

    async def pause_and_resume() -> str:
        jobs = Jobs(JobsConfig(tmp_path), speaking)
        look = await jobs.get(ID, None)
        jobs._begin_queued()  # and in the same moment:
        await jobs.change(ID, None, "paused")
        assert look.state == "paused"
        await jobs.change(ID, None, "queued")
        going = asyncio.create_task(jobs.keep_going(lambda: look.state == "done"))
        await asyncio.wait_for(going, 30)
        return look.state

    assert asyncio.run(pause_and_resume()) == "done"


def test_a_job_that_is_deleted_twice_is_unknown_the_second_time(tmp_path: Path) -> None:
    new_job(tmp_path / ID, book_of(1, 1))

    async def delete_twice() -> list[BaseException | None]:
        jobs = Jobs(JobsConfig(tmp_path), speaking)
        await jobs.get(ID, None)
        return await asyncio.gather(*[jobs.delete(ID, None) for _ in range(2)], return_exceptions=True)

    first, second = asyncio.run(delete_twice())
    assert first is None
    assert isinstance(second, UnknownJob)


def test_a_folder_of_jobs_that_cannot_be_read_is_told_once_and_looked_for_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glm_tts_api.longform.jobs._LOOK_EVERY_S", 0.01)
    folder = tmp_path / "jobs"
    folder.touch()

    def mend() -> None:
        folder.unlink()
        new_job(folder / ID, book_of(1, 1))

    async def until_it_is_done() -> None:
        jobs = Jobs(JobsConfig(folder), speaking)
        asyncio.get_running_loop().call_later(0.1, mend)
        await asyncio.wait_for(jobs.keep_going(lambda: jobs.states()["done"] == 1), 30)

    with caplog.at_level(logging.ERROR):
        asyncio.run(until_it_is_done())
    assert len(caplog.records) == 1
