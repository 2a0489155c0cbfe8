"""Thread pools for blocking work, a small one for each kind of work, so that no kind waits for another.

Requests for health and metrics use the default threads of the event loop, which this work never fills.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Pool:
    """A pool of threads that runs at most `n_threads` calls at once. More calls wait in its queue."""

    def __init__(self, name: str, n_threads: int) -> None:
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `call` in a thread of the pool and returns its result. If the awaiting task is cancelled
        before the call has begun, the call never runs."""
        context = contextvars.copy_context()  # has the request's id, which the log lines of the call show
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(context.run, call, *args, **kwargs)
        )

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class Pools:
    """The server's thread pools. `decode` is for uploaded recordings, `encode` for answers, and `files` for
    voices on the disk. `background` is for long work that is not speech, such as adding voices."""

    def __init__(self) -> None:
        self.decode = Pool("decode-upload", 2)  # a recording is up to 100 MB of samples while it is decoded
        self.encode = Pool("encode", 2)
        self.files = Pool("files", 4)
        self.background = Pool("background", 2)

    def close(self) -> None:
        for pool in (self.decode, self.encode, self.files, self.background):
            pool.close()
