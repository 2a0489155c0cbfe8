"""A thread that owns a stage on the device: it runs calls posted to it and, between them, steps."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import torch

from glm_tts_api.engine.faults import ran_out_of_memory

logger = logging.getLogger(__name__)

_JOIN_S = 10.0
T = TypeVar("T")


class DeviceThread:
    """Runs posted calls in order, and `step` in between for as long as that returns True.

    `n_threads`: intra-op threads of torch on this thread. `niceness`: how far it stands back for others where
    cores are few. `set_up` is called first on the thread. `on_fault` is told what no stage has caught.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        n_threads: int,
        on_fault: Callable[[BaseException], None],
        niceness: int = 0,
        set_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._step = step
        self._n_threads = n_threads
        self._on_fault = on_fault
        self._niceness = niceness
        self._set_up = set_up
        self._begun: Future[None] = Future()
        self._inbox: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._closed = False
        self._began_at: float | None = None

    def start(self) -> None:
        """Returns once the thread is set up; raises what kept it from that."""
        self._thread.start()
        self._begun.result()

    def post(self, call: Callable[[], object]) -> None:
        self._inbox.put(call)

    def ask(self, call: Callable[[], T]) -> Future[T]:
        """Posts a call, and gives its result or error."""
        answer: Future[T] = Future()

        def answered() -> None:
            try:
                answer.set_result(call())
            except Exception as error:
                answer.set_exception(error)
                raise

        self.post(answered)
        return answer

    def wake(self) -> None:
        """Makes an idle thread step once."""
        self._inbox.put(_nothing)

    @property
    def step_s(self) -> float:
        """Seconds that it has been in its present call or step; 0 while it waits for one."""
        began_at = self._began_at
        return 0.0 if began_at is None else time.monotonic() - began_at

    def close(self) -> None:
        """Ends the thread after the call or step it is in, and waits for it; for a load that takes long, not
        to its end: the thread does not keep the process alive."""
        self._closed = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    @torch.inference_mode()
    def _run(self) -> None:
        try:
            limit_threads(self._n_threads)
            self._stand_back()
            self._set_up()
        except BaseException as error:
            self._begun.set_exception(error)
            return
        self._begun.set_result(None)
        busy = False
        while not self._closed:
            if not busy:
                self._guard(self._inbox.get())
            while not self._inbox.empty() and not self._closed:
                self._guard(self._inbox.get())
            busy = not self._closed and bool(self._guard(self._step))

    def _stand_back(self) -> None:
        """Adds to the process's own niceness: an absolute value below it would need privileges."""
        if not self._niceness or sys.platform != "linux":  # elsewhere niceness is the whole process's
            return
        thread = threading.get_native_id()
        try:
            niceness = os.getpriority(os.PRIO_PROCESS, thread) + self._niceness
            os.setpriority(os.PRIO_PROCESS, thread, niceness)
        except OSError as error:
            logger.warning("The %s thread keeps its priority: %s", self._thread.name, error)

    def _guard(self, call: Callable[[], object]) -> object:
        """Keeps a fault from ending the thread. A stage itself ends the requests that a fault belongs to; the
        rest arrives here."""
        self._began_at = time.monotonic()
        try:
            return call()
        except BaseException as error:
            logger.exception("A fault that no request was ended for, on the %s thread", self._thread.name)
            self._on_fault(error)
            return None
        finally:
            self._began_at = None


def limit_threads(n_threads: int) -> None:
    """Bounds torch's intra-op threads for calls from this thread."""
    if n_threads != torch.get_num_threads():
        torch.set_num_threads(n_threads)


def use_own_stream(device: torch.device, *, urgent: bool = False) -> None:
    """On a GPU, what the calling thread does from now on runs beside what other threads do there.

    It begins after what was put on the thread's stream before. Between `urgent` work and other work that both
    wait for the device, the urgent goes first.
    """
    if device.type == "cuda":
        before = torch.cuda.current_stream(device)
        stream = torch.cuda.Stream(device, priority=-1 if urgent else 0)
        stream.wait_stream(before)
        torch.cuda.set_stream(stream)  # for as long as the thread lives; makes the device its current one


def settle(device: torch.device) -> None:
    """Gives the decode thread its stream, once the weights are where the other threads may read them."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        use_own_stream(device, urgent=True)
        release_cached_memory()  # memory that loading needed beside the weights


def drop_memory(error: Exception) -> Exception:
    """The error; one of a GPU without memory lets go of the calls it came through, which hold what they had
    made, and the allocator's reserve goes back to the device."""
    if ran_out_of_memory(error):
        error.with_traceback(None)
        release_cached_memory()
    return error


def release_cached_memory() -> int:
    """Hands what the CUDA allocator keeps for reuse back to the device; the bytes freed (0 without CUDA)."""
    if not torch.cuda.is_available():
        return 0
    before = torch.cuda.memory_reserved()
    torch.cuda.empty_cache()
    return before - torch.cuda.memory_reserved()


def _nothing() -> None:
    return None
