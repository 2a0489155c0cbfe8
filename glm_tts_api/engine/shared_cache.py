"""An LRU cache for threads: a value that several ask for at once is computed once. Knows no tensors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

ValueT = TypeVar("ValueT")


class SharedCache:
    """The last `capacity` values by key. A key asked for while it is being computed is waited for."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Future[Any]] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], ValueT]) -> ValueT:
        """The value for `key`; errors of `compute` reach everyone who waits for it and are not kept."""
        with self._lock:
            future = self._values.get(key)
            owner = future is None
            if future is None:
                future = self._values[key] = Future()
                while len(self._values) > self._capacity:
                    self._values.popitem(last=False)
            self._values.move_to_end(key)
        if owner:
            self._fill(key, future, compute)
        return cast(ValueT, future.result())

    def _fill(self, key: Hashable, future: Future[Any], compute: Callable[[], Any]) -> None:
        try:
            future.set_result(compute())
        except BaseException as error:
            with self._lock:
                if self._values.get(key) is future:
                    del self._values[key]
            future.set_exception(error)

    def clear(self) -> list[Any]:
        """Forgets everything; returns the values that were there."""
        with self._lock:
            futures = [future for future in self._values.values() if future.done()]
            self._values.clear()
        return [future.result() for future in futures if future.exception() is None]
