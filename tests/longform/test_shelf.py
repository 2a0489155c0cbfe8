"""What becomes of jobs that rest, and of folders that never became one."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from glm_tts_api.contracts import JobState
from glm_tts_api.errors import StorageFull
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.shelf import JobsConfig, Shelf
from tests.longform.books import book_of, new_job

DAY_S = 86400


def job_of(folder: Path, id: str, state: JobState, *, age_s: float) -> None:
    job = new_job(folder / id, book_of(1, 1))
    job.write(msgspec.structs.replace(job.read(), state=state))
    then = time.time() - age_s
    os.utime(job.path / "job.json", (then, then))


def test_what_rested_too_long_goes_and_what_runs_stays(tmp_path: Path) -> None:
    job_of(tmp_path, "a" * 32, "done", age_s=31 * DAY_S)
    job_of(tmp_path, "b" * 32, "done", age_s=29 * DAY_S)
    job_of(tmp_path, "c" * 32, "queued", age_s=31 * DAY_S)
    job_of(tmp_path, "d" * 32, "paused", age_s=31 * DAY_S)
    (tmp_path / "mine").mkdir()
    unfinished = tmp_path / ("e" * 32)
    unfinished.mkdir()
    growing = tmp_path / ("b" * 32) / "outputs" / "1.mp3.99.new"  # of a server that was killed
    growing.parent.mkdir()
    growing.touch()
    for old in (unfinished, growing):
        os.utime(old, (time.time() - DAY_S, time.time() - DAY_S))

    for keep_s, left in ((0, "abcd"), (30 * DAY_S, "bc")):
        shelf = Shelf(JobsConfig(tmp_path, keep_s=keep_s))
        shelf.refresh()
        shelf.remove_old()
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
            [*(each * 32 for each in left), "mine", ".swept"]
        )
        assert {look.job.id for look in shelf.looks} == {each * 32 for each in left}
    assert not growing.exists()


def test_a_folder_that_cannot_be_read_hides_no_other_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job_of(tmp_path, "a" * 32, "done", age_s=0)
    job_of(tmp_path, "b" * 32, "done", age_s=0)
    (tmp_path / ("b" * 32) / "job.json").write_text("{")
    shelf = Shelf(JobsConfig(tmp_path))
    shelf.refresh()
    shelf.refresh()
    assert [look.job.id for look in shelf.looks] == ["a" * 32]
    assert len(caplog.records) == 1


def test_texts_and_files_for_download_count_too(tmp_path: Path) -> None:
    """Else a client could fill the disk with books of which nothing is spoken yet."""
    job_of(tmp_path, "a" * 32, "queued", age_s=0)
    n_bytes = (tmp_path / ("a" * 32) / "plan.jsonl").stat().st_size
    for max_bytes, is_full in ((n_bytes, False), (n_bytes - 1, True)):
        shelf = Shelf(JobsConfig(tmp_path, max_bytes=max_bytes))
        shelf.refresh()
        with pytest.raises(StorageFull) if is_full else nullcontext():
            shelf.require_room("")
    (tmp_path / ("a" * 32) / "outputs").mkdir()
    (tmp_path / ("a" * 32) / "outputs" / "1.mp3").write_bytes(bytes(10_000))
    shelf = Shelf(JobsConfig(tmp_path, max_bytes=10_000))
    shelf.refresh()
    shelf.look_again()
    with pytest.raises(StorageFull):
        shelf.require_room("")


def test_what_expires_goes_unless_somebody_resumed_it(tmp_path: Path) -> None:
    for id in ("a" * 32, "b" * 32):
        job_of(tmp_path, id, "paused", age_s=0)
        folder = JobFolder(tmp_path / id)
        folder.write(msgspec.structs.replace(folder.read(), expires_at=1.0))
    shelf = Shelf(JobsConfig(tmp_path, keep_s=0))
    shelf.found("b" * 32).write("queued", "")
    shelf.found("b" * 32).write("paused", "")
    shelf.refresh()
    shelf.remove_old()
    assert [look.job.id for look in shelf.looks] == ["b" * 32]


def test_a_clock_that_is_set_ahead_ends_the_rest_of_no_job(tmp_path: Path) -> None:
    """The files are set back instead."""
    Shelf(JobsConfig(jobs := tmp_path / "jobs")).remove_old()  # before there is a job
    rested_s, ahead_s = {"a" * 32: 20 * DAY_S, "b" * 32: 29.9 * DAY_S}, 31 * DAY_S
    for id, age_s in rested_s.items():
        job_of(jobs, id, "done", age_s=age_s + ahead_s)
    os.utime(jobs / ".swept", 2 * (time.time() - ahead_s,))
    for _ in range(2):
        shelf = Shelf(JobsConfig(jobs))
        shelf.refresh()
        shelf.remove_old()
    assert {look.job.id for look in shelf.looks} == set(rested_s)
    for id, age_s in rested_s.items():
        assert time.time() - JobFolder(jobs / id).changed_at == pytest.approx(age_s, abs=60)
    os.utime(jobs / ("b" * 32) / "job.json", (time.time() - ahead_s, time.time() - ahead_s))
    shelf.remove_old()
    assert {look.job.id for look in shelf.looks} == {"a" * 32}
