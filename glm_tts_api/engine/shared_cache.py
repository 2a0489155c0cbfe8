"""An LRU cache for several threads. A value that several threads ask for at once is computed once. Knows no
tensors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

ValueT = TypeVar("ValueT")


class SharedCache:
    """Keeps the `capacity` values that were used last, with `max_bytes` in all at most. `size_of` returns the
    bytes of a value. A thread that asks for a value while another thread computes it waits for the value.
    A value above `max_bytes` is returned but not kept, and drops all others."""

    def __init__(self, capacity: int, *, max_bytes: int, size_of: Callable[[Any], int]) -> None:
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}  # the bytes of each value that has been computed

    def get(self, key: Hashable, compute: Callable[[], ValueT]) -> ValueT:
        """Returns the value for `key`, which `compute` makes if it is not cached. An error of `compute` is
        raised in each thread that waits for the value. The error is not cached."""
        with self._lock:
            future = self._values.get(key)
            owner = future is None
            if future is None:
                future = self._values[key] = Future()
                self._shrink()
            self._values.move_to_end(key)
        if owner:
            self._fill(key, future, compute)
        return cast(ValueT, future.result())

    def clear(self) -> int:
        """Drops all values. Returns the number of bytes that the values took."""
        with self._lock:
            freed = sum(self._sizes.values())
            self._values.clear()
            self._sizes.clear()
        return freed

    def _fill(self, key: Hashable, future: Future[Any], compute: Callable[[], Any]) -> None:
        try:
            value = compute()
            with self._lock:
                if self._values.get(key) is future:
                    self._sizes[key] = self._size_of(value)
                    self._shrink()
            future.set_result(value)
        except BaseException as error:
            with self._lock:
                if self._values.get(key) is future:
                    del self._values[key]
            future.set_exception(error)

    def _shrink(self) -> None:
        while self._values and (
            len(self._values) > self._capacity or sum(self._sizes.values()) > self._max_bytes
        ):
            key, _ = self._values.popitem(last=False)
            self._sizes.pop(key, None)
