"""One process of an engine or of the recogniser, as the server handles it: starts the process, exchanges
messages with it, watches it and ends it. Runs on the event loop; loads no model.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import msgpack

from glm_tts_api.engine.frames import LENGTH, TO_SERVER, frame
from glm_tts_api.engine.messages import BrokenMessage, Message
from glm_tts_api.model.allocator import allocator_variables
from glm_tts_api.processes import number_in

COMMAND = (sys.executable, "-m", "glm_tts_api.engine.process")
# With these values an idle OpenMP thread spins for some 0.4 ms before it sleeps, or for a tenth of that where
# there are more threads than cores. The stages share the cores: threads that spin without a limit were seen
# to make a flow step 20 times slower. A thread that sleeps at once (PASSIVE) starts late at each operator:
# with more threads than cores, a flow step on two cores took a third longer.
_THREADS_WAIT = {"OMP_WAIT_POLICY": "ACTIVE", "GOMP_SPINCOUNT": "10000"}
# Makes PyTorch ask for memory pages of 2 MB for large tensors, so that weights are read and loaded faster.
ENVIRONMENT = {**_THREADS_WAIT, "THP_MEM_ALLOC_ENABLE": "1"}
CHECK = "--check"  # on the command line; the checkpoint's folder, device and dtype follow
EXIT_REFUSED = 2
PASSED = b"\n"  # the process sends this if its checkpoint can be served
_LOOK_AT_MOST_S = 1.0  # a longer time between two looks means that the server itself was stopped
_LAST_WORDS_S = 2.0  # time for a process to end by itself, and to write to the log, before it is killed
_LONGEST = 2**28  # bytes of a message


class EngineDied(Exception):
    """The engine's process ended before its work was done. The message is the cause in one sentence.
    `is_ours` says that the engine itself or its work caused the end; False means that somebody killed the
    process."""

    def __init__(self, cause: str, *, is_ours: bool = True) -> None:
        super().__init__(cause)
        self.is_ours = is_ours


class Spawned(NamedTuple):
    """A new process, which waits for its first message. `own` is the server's end of the socket pair between
    the server and the process."""

    process: subprocess.Popen[bytes]
    own: socket.socket

    @classmethod
    def of(cls, command: Sequence[str]) -> Spawned:
        """Starts `command` as a process that is joined to the server by a new socket pair. The process gets
        the file descriptor of its end of the pair as its last argument. The process ends when the thread that
        called this method ends. Raises OSError if the process cannot be started."""
        own, its = socket.socketpair()
        with its:
            try:
                process = subprocess.Popen(
                    [*command, str(its.fileno())],
                    pass_fds=[its.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={**ENVIRONMENT, **os.environ, **allocator_variables(os.environ)},
                )
            except OSError:
                own.close()
                raise
        return cls(process, own)

    def refuses(self) -> bool:
        """Waits until the process, which was started with CHECK, has checked its checkpoint or has ended.
        Returns True if the process has refused the checkpoint: it has then printed the reason and ended.
        Returns False if the checkpoint has passed, and also if the process has ended in another way."""
        return not self.own.recv(len(PASSED)) and self.process.wait() == EXIT_REFUSED


class ProcessHandle:
    """A process that is connected to the event loop. `its` decodes the messages of the process. `cause` is
    the reason for which the server ends the process; an empty `cause` means that there is none."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        its: msgpack.Decoder[Any],
    ) -> None:
        self.pid = process.pid
        self.cause = ""
        self._process, self._reader, self._writer, self._decoder = process, reader, writer, its
        self._silent_s = self._step_s = 0.0
        self._looked_at = time.monotonic()
        self._n_out_of_memory = _n_out_of_memory()

    @classmethod
    async def connect(cls, spawned: Spawned, its: msgpack.Decoder[Any] = TO_SERVER) -> ProcessHandle:
        """Connects the running event loop to the process `spawned`."""
        return cls(spawned.process, *await asyncio.open_connection(sock=spawned.own), its)

    # -- messages to and from the process

    def send(self, message: Message) -> None:
        self._writer.write(frame(message))

    async def messages(self) -> AsyncIterator[Any]:
        """Yields the process's messages until the connection ends. Raises BrokenMessage if the process sends
        an invalid message, or one of more than 256 MiB."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
                if length > _LONGEST:
                    raise BrokenMessage(f"a message of {length} bytes")
                raw = await self._reader.readexactly(length)
                try:
                    message = self._decoder.decode(raw)
                except ValueError as error:  # not MessagePack, or not one of the expected messages
                    raise BrokenMessage(str(error)) from None
                yield message

    # -- watching the process

    def gets_on(self, step_s: float = 0.0) -> None:
        """Notes that the process has just shown that it works. `step_s` is the time that its current step has
        taken so far, in seconds."""
        self._silent_s, self._step_s = 0.0, step_s

    def stuck_s(self) -> float:
        """Returns for how many seconds the process has made no progress: the time since its last sign of
        life, or the last reported time of its current step if that is longer. Call this at least once a
        second: a longer time between two calls counts as one second, since the server itself stood still
        then."""
        now = time.monotonic()
        self._silent_s += min(now - self._looked_at, _LOOK_AT_MOST_S)
        self._looked_at = now
        return max(self._silent_s, self._step_s)

    # -- ending the process

    def leave(self, cause: str) -> None:
        """Closes the connection to the process and notes the `cause`. The process ends when it notices that
        the connection is closed."""
        self.cause = cause
        self._writer.transport.abort()

    def abort(self, cause: str) -> None:
        """Ends the process with SIGABRT, on which the process writes to the log what each of its threads
        does. A stopped process ends too. Notes the `cause` and returns at once. A process that still runs two
        seconds later is killed."""
        self.cause = cause
        self._process.send_signal(signal.SIGABRT)
        self._process.send_signal(signal.SIGCONT)
        asyncio.get_running_loop().call_later(_LAST_WORDS_S, self._process.kill)

    async def ended(self, *, within_s: float = _LAST_WORDS_S) -> EngineDied:
        """Closes the connection to the process and waits until the process has ended. Kills the process after
        `within_s` seconds. Returns the reason for its end."""
        self._writer.transport.abort()
        status = await asyncio.to_thread(self._wait, within_s)
        if self.cause:
            return EngineDied(self.cause)
        if status >= 0:
            return EngineDied(f"its process ended with exit code {status}")
        by = signal.Signals(-status).name
        if by == "SIGKILL" and _n_out_of_memory() > self._n_out_of_memory:
            return EngineDied("the kernel ended its process, since memory ran out")
        return EngineDied(f"its process was ended by {by}", is_ours=by not in ("SIGKILL", "SIGTERM"))

    def _wait(self, within_s: float) -> int:
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(within_s)
        self._process.kill()
        return self._process.wait()


def _n_out_of_memory() -> int:
    """Returns how many processes the kernel has killed because memory ran out, since the machine started. 0
    where the system does not say."""
    return number_in(Path("/proc/vmstat"), "oom_kill")
