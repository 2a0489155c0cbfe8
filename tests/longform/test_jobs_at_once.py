"""Requests for jobs in the same moment, and a server whose disk fails."""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from glm_tts_api.contracts import JobState, Recording, Voice
from glm_tts_api.errors import JobRuns, StorageFull, UnknownJob
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.job import BOOK, Job, Speak, Spoken, Unit
from glm_tts_api.longform.jobs import Jobs
from glm_tts_api.longform.shelf import MOST_AT_WORK, JobsConfig, Look
from tests.api.waiting import wait_until
from tests.longform.books import book_of, new_job

ID = "a" * 32


def every(owner: str) -> bool:
    return True


async def silent(unit: Unit) -> Spoken:
    return Spoken(np.zeros(1, np.float32), 24000)


def speaking(folder: JobFolder, job: Job) -> Speak:
    return silent


async def until_done(jobs: Jobs, n_jobs: int) -> None:
    await asyncio.wait_for(jobs.keep_going(lambda: jobs.states()["done"] == n_jobs), 30)


def jobs_of_two(path: Path, n_jobs: int, *, is_put_off: bool = False) -> None:
    """Of which the last alone is of the owner b."""
    for number in range(n_jobs):
        folder = new_job(path / f"{number:032x}", book_of(1, 1), is_put_off=is_put_off)
        owner = "b" if number == n_jobs - 1 else "a"
        folder.write(msgspec.structs.replace(folder.read(), owner=owner, created_at=float(number)))


def test_a_job_that_is_deleted_twice_is_unknown_the_second_time(tmp_path: Path) -> None:
    new_job(tmp_path / ID, book_of(1, 1))

    async def delete_twice() -> list[BaseException | None]:
        jobs = Jobs(JobsConfig(tmp_path), speaking)
        await jobs.get(ID, every)
        return await asyncio.gather(*[jobs.delete(ID, every) for _ in range(2)], return_exceptions=True)

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
        await until_done(jobs, 1)

    with caplog.at_level(logging.ERROR):
        asyncio.run(until_it_is_done())
    assert len(caplog.records) == 1


def test_some_jobs_are_at_work_and_each_owner_has_a_turn(tmp_path: Path) -> None:
    jobs_of_two(tmp_path, MOST_AT_WORK + 4)
    begun, most, at_work = [], 0, set[str]()

    async def work() -> None:
        await until_done(Jobs(JobsConfig(tmp_path), begin), MOST_AT_WORK + 4)

    def begin(folder: JobFolder, job: Job) -> Speak:
        begun.append(job.owner)

        async def speak(unit: Unit) -> Spoken:
            nonlocal most
            at_work.add(job.id)
            most = max(most, len(at_work))
            await asyncio.sleep(0.02)
            if unit.index == job.n_units - 1:
                at_work.discard(job.id)
            return await silent(unit)

        return speak

    asyncio.run(work())
    assert most <= MOST_AT_WORK
    assert "b" in begun[:MOST_AT_WORK], "its owner waits behind no one who has many"


def test_the_texts_of_one_owner_wait_behind_few_of_another(tmp_path: Path) -> None:
    jobs_of_two(tmp_path, 12, is_put_off=True)
    begun = []

    def begin(folder: JobFolder, job: Job) -> Speak:
        begun.append(job.owner)
        return silent

    async def work() -> None:
        await until_done(Jobs(JobsConfig(tmp_path), begin), 12)

    asyncio.run(work())
    assert "b" in begun[:3]


def test_what_one_server_is_told_reaches_the_one_that_runs_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glm_tts_api.longform.jobs._LOOK_EVERY_S", 0.01)
    new_job(tmp_path / ID, book_of(1, 1))

    def begin(folder: JobFolder, job: Job) -> Speak:
        async def speak(unit: Unit) -> Spoken:
            await asyncio.sleep(60)
            return await silent(unit)

        return speak

    async def until(look: Look, state: JobState) -> None:
        await asyncio.to_thread(wait_until, lambda: look.state == state)

    async def tell() -> None:
        first, second = (Jobs(JobsConfig(tmp_path), begin) for _ in range(2))
        running = asyncio.create_task(first.keep_going(lambda: False))
        here = await first.get(ID, every)
        await until(here, "running")
        other = asyncio.create_task(second.keep_going(lambda: False))
        there = await second.get(ID, every)
        await until(there, "running")
        assert (await second.change(ID, every, "paused")).state == "paused"
        await until(here, "paused")
        await first.change(ID, every, "queued")
        await until(there, "running")
        await second.delete(ID, every)
        assert await first.all(every) == []
        for task in (running, other):
            task.cancel()

    asyncio.run(tell())
    assert not (tmp_path / ID).exists()


def test_a_job_that_nobody_lets_go_of_is_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glm_tts_api.longform.jobs.PATIENCE_S", 0.1)
    folder = new_job(tmp_path / ID, book_of(1, 1))
    with folder.locked(), pytest.raises(JobRuns):
        asyncio.run(Jobs(JobsConfig(tmp_path), speaking).change(ID, every, "paused"))
    assert folder.read().state == "queued"


def spoken(folder: JobFolder) -> dict[str, bytes]:
    async def speak() -> None:
        await until_done(Jobs(JobsConfig(folder.path.parent), speaking), 1)

    asyncio.run(speak())
    return {
        path.name: path.read_bytes() for path in (*folder.path.glob("*.json*"), *folder.path.glob("audio/*"))
    }


def test_units_that_are_counted_later_are_the_same_also_after_a_kill_between(tmp_path: Path) -> None:
    book = book_of(2, 3)
    wanted = spoken(new_job(tmp_path / "at once" / ID, book))
    assert spoken(new_job(tmp_path / "later" / ID, book, is_put_off=True)) == wanted
    killed = new_job(tmp_path / "killed" / ID, book, is_put_off=True)
    (killed.path / "plan.jsonl").write_bytes(b'{"index":0,"cha')
    assert spoken(killed) == wanted


@contextmanager
def full_disk() -> Iterator[None]:
    """A file may have 10 bytes, as on a disk with little room."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_refuses_a_new_job_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    voice = Voice(Recording(np.zeros(100_000, np.float32), 24000), "a", "0")

    def write(folder: JobFolder) -> None:
        folder.keep_voices({BOOK: voice})

    job = new_job(tmp_path / "other" / ID, book_of(1, 1)).read()
    with full_disk(), pytest.raises(StorageFull):
        asyncio.run(Jobs(JobsConfig(tmp_path / "jobs"), speaking).create(job, write))
    assert list((tmp_path / "jobs").iterdir()) == []
