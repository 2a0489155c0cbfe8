"""One computation for all who ask at once, the last values kept, errors passed on and forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from glm_tts_api.engine.shared_cache import SharedCache


def cache_of(capacity: int, max_bytes: int = 1000) -> SharedCache:
    return SharedCache(capacity, max_bytes=max_bytes, size_of=lambda value: len(str(value)))


def test_a_value_asked_for_at_once_is_computed_once() -> None:
    cache = cache_of(4)
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
    cache = cache_of(2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, lambda: 1)
    assert cache.get("a", lambda: 2) == 1
    assert cache.get("b", lambda: 2) == 2


def test_an_error_is_raised_and_not_kept() -> None:
    cache = cache_of(2)

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get("a", fail)
    assert cache.get("a", lambda: 3) == 3


def test_clear_tells_how_much_was_held() -> None:
    cache = cache_of(3)
    cache.get("a", lambda: "1234")
    cache.get("b", lambda: "12")
    assert cache.clear() == 6
    assert cache.clear() == 0
    assert cache.get("a", lambda: "other") == "other"


def test_so_many_bytes_are_held_and_no_more() -> None:
    cache = cache_of(10, max_bytes=10)
    for key in "abcd":
        cache.get(key, lambda: "1234")
    cache.get("a", lambda: "huge" * 100)
    assert cache.clear() == 0
    for key in "abcab":
        cache.get(key, lambda: "1234")
    assert cache.get("b", lambda: "new") == "1234"
    assert cache.get("c", lambda: "new") == "new"
    assert cache.clear() == 7
