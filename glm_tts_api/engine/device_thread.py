"""A thread that runs one stage on the device: the thread makes the calls that are posted to it and, between
these calls, the stage's steps."""

from __future__ import annotations

import ctypes
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TypeVar

import torch

from glm_tts_api.engine.faults import ran_out_of_memory

logger = logging.getLogger(__name__)

_JOIN_S = 10.0
_OMP_PAUSE_SOFT = 1  # omp.h
T = TypeVar("T")


class DeviceThread:
    """A thread that makes posted calls in order. Between these calls it calls `step` again and again until
    `step` returns False; then it waits for the next posted call.

    `n_threads` is the number of torch's intra-op threads for this thread. `niceness` is how much the thread's
    CPU priority is lowered. `set_up` is called first on the thread. `on_fault` is called with each exception
    that a call or step raises.
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
        """Starts the thread and waits until `set_up` has returned. Raises the error that prevents this."""
        self._thread.start()
        self._begun.result()

    def post(self, call: Callable[..., object], *args: object) -> None:
        self._inbox.put(partial(call, *args))

    def ask(self, call: Callable[[], T]) -> Future[T]:
        """Posts a call, which the thread makes later. The future gets the call's result or its error."""
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
        """Makes an idle thread call `step` again."""
        self._inbox.put(lambda: None)

    @property
    def step_s(self) -> float:
        """The seconds that the thread has spent in its current call or step so far; 0 while it is idle."""
        began_at = self._began_at
        return 0.0 if began_at is None else time.monotonic() - began_at

    def close(self) -> None:
        """Ends the thread after its current call or step and waits for its end, ten seconds at most. A thread
        that still runs then (in a long load, for example) does not keep the process alive."""
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
                end_helpers()
                self._guard(self._inbox.get())
            while not self._inbox.empty() and not self._closed:
                self._guard(self._inbox.get())
            busy = not self._closed and bool(self._guard(self._step))

    def _stand_back(self) -> None:
        """Lowers the thread's CPU priority: adds `niceness` to the process's own niceness. A fixed niceness
        could be below the process's own niceness, and setting it would then need privileges."""
        if not self._niceness or sys.platform != "linux":  # on other systems it is set for the whole process
            return
        thread = threading.get_native_id()
        try:
            niceness = os.getpriority(os.PRIO_PROCESS, thread) + self._niceness
            os.setpriority(os.PRIO_PROCESS, thread, niceness)
        except OSError as error:
            logger.warning("The priority of the %s thread cannot be changed: %s", self._thread.name, error)

    def _guard(self, call: Callable[[], object]) -> object:
        """Makes a call and returns its result. An exception does not end the thread: the exception is logged
        and given to `on_fault`, and None is returned. A stage itself catches the faults that belong to a
        request."""
        self._began_at = time.monotonic()
        try:
            return call()
        except BaseException as error:
            logger.exception("A fault on the %s thread that belongs to no request", self._thread.name)
            self._on_fault(error)
            return None
        finally:
            self._began_at = None


def limit_threads(n_threads: int) -> None:
    """Sets the number of torch's intra-op threads for the calling thread."""
    if n_threads != torch.get_num_threads():
        torch.set_num_threads(n_threads)


def end_helpers() -> None:
    """Ends the OpenMP threads that help the calling thread. The thread's next parallel operator starts new
    ones. Does nothing where OpenMP is not GNU's.

    Sleeping helper threads count too when OpenMP compares its threads with the machine's cores. With more
    threads than cores, each thread spins only a tenth as long before it sleeps. This spinning is then shorter
    than the single-threaded operators of a decode step.
    """
    pause = getattr(ctypes.CDLL(None), "omp_pause_resource_all", None)
    if pause is not None:
        pause(_OMP_PAUSE_SOFT)


def use_own_stream(device: torch.device, *, urgent: bool = False) -> None:
    """Gives the calling thread its own CUDA stream, so that its work from now on runs at the same time as the
    work of other threads. Does nothing if `device` is a CPU.

    The work begins after everything that was put on the thread's old stream. Where `urgent` work and other
    work both wait for the GPU, the urgent work runs first."""
    if device.type == "cuda":
        before = torch.cuda.current_stream(device)
        stream = torch.cuda.Stream(device, priority=-1 if urgent else 0)
        stream.wait_stream(before)
        torch.cuda.set_stream(stream)  # until the thread ends; also makes `device` current


def drop_memory(error: Exception) -> Exception:
    """Returns `error`. If the error says that a device ran out of memory, also removes its traceback, whose
    frames hold tensors, and gives the CUDA allocator's cached memory back to the GPU."""
    if ran_out_of_memory(error):
        error.with_traceback(None)
        release_cached_memory()
    return error


def release_cached_memory() -> int:
    """Gives the memory that the CUDA allocator keeps for reuse back to the GPU. Returns the bytes freed (0
    without CUDA)."""
    if not torch.cuda.is_available():
        return 0
    before = torch.cuda.memory_reserved()
    with suppress(RuntimeError):  # PyTorch before 2.12 refuses after a capture that failed
        torch.cuda.empty_cache()
    return before - torch.cuda.memory_reserved()
