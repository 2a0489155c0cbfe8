"""Threads for what blocks, a few for each kind of work, so that none waits behind another.

Looking at the service (health, figures) uses the event loop's own threads, which none of this fills.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from glm_tts_api.errors import ClientGone
from glm_tts_api.text.cut.pieces import Check

P = ParamSpec("P")
T = TypeVar("T")


class Pool:
    """A pool of at most `n_threads` calls at once; the others wait in a queue."""

    def __init__(self, name: str, n_threads: int) -> None:
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `call` in a thread and returns its result. A call whose caller is cancelled before its turn
        never runs."""
        context = contextvars.copy_context()  # the request id, for what the call logs
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(context.run, call, *args, **kwargs)
        )

    async def run_while_wanted(self, call: Callable[[Check], T]) -> T:
        """Like `run`. `call` gets a Check, which raises ClientGone once the caller was cancelled."""
        left = threading.Event()

        def check() -> None:
            if left.is_set():
                raise ClientGone

        try:
            return await self.run(call, check)
        finally:
            left.set()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class Pools:
    """`decode`: uploaded recordings; `encode`: answers; `files`: voices on disk; `beside`: what takes long
    and is no speech, a thread for each place of its lanes."""

    def __init__(self) -> None:
        self.decode = Pool("decode-upload", 2)  # a recording is up to 100 MB of samples while it is decoded
        self.encode = Pool("encode", 2)
        self.files = Pool("files", 4)
        self.beside = Pool("beside", 2)

    def close(self) -> None:
        for pool in (self.decode, self.encode, self.files, self.beside):
            pool.close()
