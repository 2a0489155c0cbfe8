"""Figures of all workers in one folder: sums, dead workers, restarts of a worker and of the service."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from glm_tts_api.stats.lane_counts import LaneCounts
from glm_tts_api.stats.shared import SharedStats


def hold_a_record(folder: Path, service: int, pipe: Connection) -> None:
    """A worker process: two requests done, one going on."""
    own = SharedStats(folder, service=service).claim()
    for counter in ("total", "total", "total", "completed", "completed", "active", "waiting"):
        own.lanes["short_text"].add(counter)
    pipe.send(own.number)
    pipe.recv()


class Worker:
    """A process that holds a record until it is killed."""

    def __init__(self, folder: Path, service: int = 7) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=hold_a_record, args=(folder, service, theirs), daemon=True)
        self._process.start()
        self.number: int = self._pipe.recv()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._process.join()


BUSY = LaneCounts(active=1, waiting=1, total=3, completed=2)
DONE = LaneCounts(total=3, completed=2)


def test_each_worker_has_its_own_record_and_everyone_reads_all(tmp_path: Path) -> None:
    workers = [Worker(tmp_path) for _ in range(3)]
    assert [worker.number for worker in workers] == [0, 1, 2]
    records = SharedStats(tmp_path, service=7).read()
    assert [(record.number, record.pid, record.alive) for record in records] == [
        (worker.number, worker.pid, True) for worker in workers
    ]
    assert all(record.lanes["short_text"] == BUSY for record in records)
    assert all(record.lanes["long_text"] == LaneCounts() for record in records)
    for worker in workers:
        worker.kill()


def test_a_count_of_watchdog_exits_outlives_the_worker_and_the_service(tmp_path: Path) -> None:
    for service in (7, 7, 8):
        record = SharedStats(tmp_path, service=service).claim()
        record.count_watchdog_exit()
        record.release()
    (read,) = SharedStats(tmp_path, service=8).read()
    assert (read.watchdog_exits, read.lanes["short_text"]) == (3, LaneCounts())


def test_a_killed_worker_keeps_its_totals_and_has_nothing_going_on(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    other = Worker(tmp_path)
    worker.kill()
    dead, alive = SharedStats(tmp_path, service=7).read()
    assert (dead.alive, dead.lanes["short_text"]) == (False, DONE)
    assert (alive.alive, alive.lanes["short_text"]) == (True, BUSY)
    other.kill()


def test_the_next_worker_with_a_number_goes_on_from_its_totals(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.kill()
    successor = Worker(tmp_path)
    (record,) = SharedStats(tmp_path, service=7).read()
    assert (successor.number, record.alive) == (0, True)
    assert record.lanes["short_text"] == LaneCounts(active=1, waiting=1, total=6, completed=4)
    successor.kill()


def test_a_worker_is_ready_from_its_own_word_until_it_dies(tmp_path: Path) -> None:
    stats = SharedStats(tmp_path, service=7)
    own = stats.claim()
    assert not stats.read()[0].ready
    own.tell("ready")
    assert stats.read()[0].ready
    own.release()
    assert not stats.read()[0].ready
    successor = stats.claim()
    assert not stats.read()[0].ready
    successor.release()


def test_while_all_load_one_listens_and_the_ready_ones_wait_for_it(tmp_path: Path) -> None:
    stats = SharedStats(tmp_path, service=7)
    first, second, third = (stats.claim() for _ in range(3))
    assert [stats.may_listen(own) for own in (second, first, third)] == [True, False, False]
    first.tell("ready")
    assert not stats.may_listen(first)  # callers still hear from the second that it is loading
    second.tell("ready")
    assert stats.may_listen(first)
    assert not stats.may_listen(third)
    third.tell("ready")
    assert stats.may_listen(third)
    assert [record.listens for record in stats.read()] == [True, True, True]
    for own in (first, second, third):
        own.release()


def test_a_worker_that_cannot_load_listens_only_where_nobody_else_does(tmp_path: Path) -> None:
    stats = SharedStats(tmp_path, service=7)
    first, second = stats.claim(), stats.claim()
    assert stats.may_listen(first)
    first.tell("failed")
    second.tell("failed")
    assert not stats.may_listen(second)
    second.tell("ready")
    assert stats.may_listen(second)  # the one that failed is not waited for
    successor = stats.claim()
    successor.tell("failed")
    assert not stats.may_listen(successor)
    for own in (first, second):
        own.release()
    assert stats.may_listen(successor)
    successor.release()


def test_a_connection_is_for_who_has_least_to_do_of_those_that_take_any(tmp_path: Path) -> None:
    stats = SharedStats(tmp_path, service=7)
    first, second, third = (stats.claim() for _ in range(3))
    earlier = SharedStats(tmp_path, service=6).claim()
    earlier.listens = first.listens = second.listens = True
    for own, weight in ((second, 3), (third, 0), (earlier, 0)):  # the third does not listen
        own.weigh(weight)
    assert stats.is_lightest(first, 3)
    assert not stats.is_lightest(first, 4)
    second.release()
    assert stats.is_lightest(first, 4)
    for own in (first, third, earlier):
        own.release()


def test_a_connection_is_for_who_can_speak(tmp_path: Path) -> None:
    """One that cannot has the least to do: it refuses at once."""
    stats = SharedStats(tmp_path, service=7)
    first, second = stats.claim(), stats.claim()
    first.listens = second.listens = True
    first.tell("stalled")
    second.tell("ready")
    assert stats.is_lightest(second, 100)
    assert not stats.is_lightest(first, 0)
    assert stats.is_lightest(second, 100)
    second.tell("failed")
    assert not stats.is_lightest(second, 100)
    for own in (first, second):
        own.release()


def test_the_last_that_leaves_has_nobody_to_leave_to(tmp_path: Path) -> None:
    stats = SharedStats(tmp_path, service=7)
    first, second = stats.claim(), stats.claim()
    first.listens = second.listens = True
    first.tell("ready")
    assert not stats.leave_to_others(first)  # the second cannot speak
    second.tell("ready")
    assert stats.leave_to_others(first)
    assert not stats.leave_to_others(second)
    assert not stats.leave_to_others(first)
    for own in (first, second):
        own.release()


def test_a_new_start_of_the_service_begins_at_zero(tmp_path: Path) -> None:
    worker = Worker(tmp_path, service=7)
    worker.kill()
    own = SharedStats(tmp_path, service=8).claim()
    (record,) = SharedStats(tmp_path, service=8).read()
    assert record.lanes["short_text"] == LaneCounts()
    own.release()


def test_a_left_over_worker_of_an_earlier_start_is_passed_over(tmp_path: Path) -> None:
    orphan = Worker(tmp_path, service=7)
    own = SharedStats(tmp_path, service=8).claim()
    assert own.number == 1
    assert [record.number for record in SharedStats(tmp_path, service=8).read()] == [1]
    own.release()
    orphan.kill()


# In a mount namespace of its own, so that nobody else sees the full disk.
OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")
FILL_AND_CLAIM = """
mount -t tmpfs -o size=64k tmpfs "$1" && ! cat /dev/zero >"$1/fill" 2>/dev/null || exit 99
exec "$2" -c "
from pathlib import Path
from glm_tts_api.stats.shared import SharedStats
try:
    SharedStats(Path('$1/run'), service=1).claim()
except OSError as error:
    print(error.strerror)
"
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare (util-linux)")
def test_a_full_disk_is_an_error_that_can_be_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [*OWN_MOUNTS, "bash", "-c", FILL_AND_CLAIM, "-", str(tmp_path), sys.executable],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    if done.returncode in (1, 99):
        pytest.skip(f"a disk of its own is not allowed here: {done.stderr}")
    assert (done.returncode, done.stdout) == (0, "No space left on device\n")
