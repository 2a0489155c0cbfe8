"""Figures of memory and threads in the soak of scripts/checks/torture.sh."""

from __future__ import annotations

import math
import mmap
import os

from scripts.checks.torture.inside import look
from scripts.checks.torture.judging import Rest, judge_rest
from scripts.checks.torture.mappings import mapped
from scripts.checks.torture.verdict import Verdict
from scripts.checks.torture.watching import Held, Sample, cpu_per_audio, cpu_per_request
from speech_text.cut.split import _known_syllables


def test_anonymous_memory_is_told_from_heap_and_files() -> None:
    before = mapped(os.getpid())
    with mmap.mmap(-1, 2**25, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.write(b"x" * 2**25)
        now = mapped(os.getpid())
    assert now["anonymous"] - before["anonymous"] >= 30
    assert max(now["largest"].values()) >= 30
    assert now["files"] - before["files"] < 10


def test_a_process_tells_its_heaps_threads_and_full_caches() -> None:
    _known_syllables("something")
    seen = look()
    assert seen["heaps_mb"] >= seen["used_mb"] > 0
    assert "MainThread" in seen["threads"]
    assert seen["caches"]["speech_text.cut.split._known_syllables"] > 0


def test_a_thread_of_a_pool_may_be_new_at_rest_and_no_other() -> None:
    def judged(*names: str) -> bool:
        verdict = Verdict("soak")
        then, now = (Held(100, 100, n_threads, 9, 1) for n_threads in (2, 2 + len(names)))
        before = {"server": Rest(then, frozenset({"MainThread"}))}
        judge_rest(before, {"server": Rest(now, frozenset({"MainThread", *names}))}, verdict)
        return verdict.holds

    assert [judged(), judged("book_0", "asyncio_3"), judged("book_0", "Thread-7")] == [True, True, False]


def test_a_window_without_a_request_has_no_cost() -> None:
    """A soak of a minute ended with a division by zero."""
    held = Held(100, 100, 2, 9, 1)
    samples = [Sample(at_s, held, held, 7, 3.0, {}) for at_s in (0, 5)]
    assert math.isnan(cpu_per_request(samples))
    assert math.isnan(cpu_per_audio(samples))
