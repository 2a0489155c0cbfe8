"""One process of an engine as the server has it: begun, told, heard, ended. Runs on the event loop; loads no
model.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from glm_tts_api.contracts import Progress, SpeechRequest, Voice
from glm_tts_api.engine import messages
from glm_tts_api.engine.frames import TO_SERVER, Frames, frame
from glm_tts_api.engine.messages import Message, bytes_of

COMMAND = (sys.executable, "-m", "glm_tts_api.engine.process")
# OpenMP's threads wait for the next operator for some 0.4 ms, a tenth of that where there are more of them
# than cores, and sleep then. The stages share the cores: left to spin, their threads were seen to make a flow
# step 20 times slower. One that sleeps at once is late for each operator: with PASSIVE, that is where there
# are more threads than cores, a flow step on two cores took a third longer.
THREADS_WAIT = {"OMP_WAIT_POLICY": "ACTIVE", "GOMP_SPINCOUNT": "10000"}
_KEPT_RECORDINGS = 64  # as many as the engine keeps features of
_LOOK_AT_MOST_S = 1.0  # after a longer time between two looks this process was stopped too
_LAST_WORDS_S = 2.0  # for what a process still says before it is killed
_AT_ONCE = 2**20


class EngineDied(Exception):
    """The engine's process ended in the middle; the cause in one sentence. `is_ours`: of the engine's own, or
    of what it was doing, and not by somebody's hand."""

    def __init__(self, cause: str, *, is_ours: bool = True) -> None:
        super().__init__(cause)
        self.is_ours = is_ours


class Begun(NamedTuple):
    """An engine's process that waits to be told what to load, and the server's end of the sockets to it."""

    process: subprocess.Popen[bytes]
    own: socket.socket

    @classmethod
    def of(cls, command: Sequence[str]) -> Begun:
        """It ends with the thread that this is called on. Raises OSError."""
        own, its = socket.socketpair()
        with its:
            try:
                process = subprocess.Popen(
                    [*command, str(its.fileno())],
                    pass_fds=[its.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={**THREADS_WAIT, **os.environ},
                )
            except OSError:
                own.close()
                raise
        return cls(process, own)


class Child:
    """`cause`: why it ends, where this side knows it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.pid = process.pid
        self.cause = ""
        self._process, self._reader, self._writer = process, reader, writer
        self._recordings: OrderedDict[str, None] = OrderedDict()  # those that it has
        self._silent_s = self._step_s = 0.0
        self._looked_at = time.monotonic()
        self._n_out_of_memory = _n_out_of_memory()

    @classmethod
    async def heard_from(cls, begun: Begun) -> Child:
        """Connects this event loop to it."""
        return cls(begun.process, *await asyncio.open_connection(sock=begun.own))

    # -- told and heard

    def send(self, message: Message) -> None:
        self._writer.write(frame(message))

    def speak(self, number: int, asked: SpeechRequest, progress: Progress) -> None:
        """Sends the recordings that it does not have, then the request, which names them."""
        assert isinstance(asked.voice, Voice)
        others = {name: self._named(voice) for name, voice in asked.others.items()}
        named = replace(asked, voice=self._named(asked.voice), others=others)
        self.send(messages.Speak(number, named, progress))
        while len(self._recordings) > _KEPT_RECORDINGS:
            self.send(messages.Forget(self._recordings.popitem(last=False)[0]))

    def _named(self, voice: Voice) -> Voice:
        """The voice without its samples, which the process has from here on."""
        digest, recording = voice.digest, voice.recording
        if digest not in self._recordings:
            self.send(messages.Heard(digest, recording.sample_rate, bytes_of(recording.samples)))
            self._recordings[digest] = None
        self._recordings.move_to_end(digest)
        return Voice(replace(recording, samples=messages.NO_SAMPLES), voice.transcript, digest, voice.name)

    async def said(self) -> AsyncIterator[messages.ToServer]:
        """Its messages, until it says no more. Raises BrokenMessage."""
        frames = Frames(TO_SERVER)
        with suppress(ConnectionError):
            while data := await self._reader.read(_AT_ONCE):
                for message in frames.push(data):
                    yield message

    # -- watched

    def gets_on(self, step_s: float = 0.0) -> None:
        """It has just said something; its present step takes so long so far."""
        self._silent_s, self._step_s = 0.0, step_s

    def stuck_s(self) -> float:
        """Seconds that it has not got on, to be asked for again and again. A time in which this process stood
        still too does not count."""
        now = time.monotonic()
        self._silent_s += min(now - self._looked_at, _LOOK_AT_MOST_S)
        self._looked_at = now
        return max(self._silent_s, self._step_s)

    # -- ended

    def leave(self, cause: str) -> None:
        """Hears it no more; it ends when it finds that out."""
        self.cause = cause
        self._writer.transport.abort()

    def abort(self, cause: str) -> None:
        """It writes into the log what each of its threads does, also where it was stopped, and ends."""
        self.cause = cause
        self._process.send_signal(signal.SIGABRT)
        self._process.send_signal(signal.SIGCONT)
        asyncio.get_running_loop().call_later(_LAST_WORDS_S, self._process.kill)

    async def ended(self, *, within_s: float = _LAST_WORDS_S) -> EngineDied:
        """Kills it if it has not ended by then; why it ended."""
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
    """How often the kernel has ended a process for want of memory."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
