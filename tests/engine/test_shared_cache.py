"""One computation for all who ask at once, the last values kept, errors passed on and forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from glm_tts_api.engine.shared_cache import SharedCache


def test_a_value_asked_for_at_once_is_computed_once() -> None:
    cache = SharedCache(4)
    computed: list[int] = []
    all_asked = threading.Barrier(5)
    released = threading.Event()

    def compute() -> str:
        computed.append(1)
        released.wait(5)
        return "value"

    def ask() -> str:
        all_asked.wait(5)
        return cache.get("key", compute)

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(ask) for _ in range(4)]
        all_asked.wait(5)
        released.set()
        assert [answer.result(5) for answer in answers] == ["value"] * 4
    assert len(computed) == 1


def test_the_least_recently_used_value_goes_first() -> None:
    cache = SharedCache(2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, lambda: 1)
    assert cache.get("a", lambda: 2) == 1
    assert cache.get("b", lambda: 2) == 2


def test_an_error_is_raised_and_not_kept() -> None:
    cache = SharedCache(2)

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get("a", fail)
    assert cache.get("a", lambda: 3) == 3


def test_clear_returns_what_was_held() -> None:
    cache = SharedCache(3)
    cache.get("a", lambda: 1)
    cache.get("b", lambda: 2)
    assert sorted(cache.clear()) == [1, 2]
    assert cache.clear() == []
