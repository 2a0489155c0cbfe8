"""The server's side of the recogniser. The recogniser's process starts with the first recording, ends after
some time without one, and starts again when needed, also after it died or hung. Runs on the event loop; loads
no model."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen, TimeoutExpired

from glm_tts_api.contracts import Float32
from glm_tts_api.engine.child import Begun
from glm_tts_api.engine.frames import Frames, frame
from glm_tts_api.engine.messages import BrokenMessage, bytes_of
from glm_tts_api.errors import InvalidField, Unavailable
from glm_tts_api.processes import cpu_ticks
from glm_tts_api.recognition.messages import TO_SERVER, Heard, Listen

logger = logging.getLogger(__name__)
COMMAND = (sys.executable, "-m", "glm_tts_api.recognition.process")
_MODEL = "model.bin"
_AT_ONCE = 2**16
_IDLE_S = 600.0  # loading Whisper again takes a second or two
# A process hangs if it uses no processor time for three looks, or takes `_MOST_S` and `_A_SECOND` for each
# second of the recording. That time includes the load of the model.
_LOOK_EVERY_S, _STILL_LOOKS = 5.0, 3
_MOST_S, _A_SECOND = 120.0, 10.0
_FAULTS = 3  # deaths and hangs without an answer between them, after which the recogniser is given up
_GIVEN_UP_S = 300.0  # time until a recogniser that was given up is tried again
_END_S = 2.0  # the longest wait for the end of a killed process


class Recogniser:
    """Hears recordings one after the other in a process of its own. `folder` has a Whisper model for
    CTranslate2; None if no model is set. The process uses `threads` threads. The process ends after `idle_s`
    seconds without a recording, which frees its memory. `fault` says why the last recording was not heard; it
    is empty if the last recording was heard."""

    def __init__(
        self,
        folder: Path | None,
        *,
        threads: int = 1,
        command: Sequence[str] = COMMAND,
        idle_s: float = _IDLE_S,
        look_every_s: float = _LOOK_EVERY_S,
        most_s: float = _MOST_S,
    ) -> None:
        self.fault = ""
        self._folder = folder
        self._command = (*command, str(folder), str(threads))
        self._turn = asyncio.Lock()
        self._idle_s, self._look_every_s, self._most_s = idle_s, look_every_s, most_s
        self._n_faults = 0  # since the last answer
        self._failed_at = 0.0
        self._hearing: asyncio.Task[Heard] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._process: Popen[bytes] | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._frames: Frames

    @property
    def is_there(self) -> bool:
        return not self._missing()

    def require(self, field: str, use: str) -> None:
        """Raises InvalidField for the request's `field` if there is no recogniser; the message says how to
        install one. `use` is the subject of the message: the feature that needs the recogniser."""
        if missing := self._missing():
            raise InvalidField(f"{use} needs a recogniser of speech: {missing} (docs/voices.md).", field)

    def _missing(self) -> str:
        if find_spec("faster_whisper") is None:
            return "install the extra asr (pip install 'glm-tts-api[asr]') and set ASR_MODEL_DIR"
        if self._folder is None:
            return "set ASR_MODEL_DIR to the folder of a Whisper model for CTranslate2"
        if not (self._folder / _MODEL).is_file():
            return f"ASR_MODEL_DIR has no {_MODEL}; it must be the folder of a Whisper model for CTranslate2"
        return ""

    async def hear(self, pcm: Float32, sample_rate: int, said: str | None = None) -> Heard:
        """Returns the words in the mono float32 samples `pcm` [n], with a verdict on how well they match
        `said`. `said` is the text that should be said; None if it is unknown, and the verdict is "ok" then.
        Starts the process if it does not run. Raises Unavailable if the process hangs or
        dies twice, or if it was given up."""
        await self._turn.acquire()
        most_s = self._most_s + _A_SECOND * len(pcm) / sample_rate
        hearing = self._heard(Listen(bytes_of(pcm), sample_rate, said), most_s)
        self._hearing = asyncio.create_task(hearing)
        self._hearing.add_done_callback(self._has_heard)
        return await asyncio.shield(self._hearing)  # a caller that leaves does not end the watch for a hang

    def _has_heard(self, hearing: asyncio.Task[Heard]) -> None:
        self._turn.release()
        if not hearing.cancelled():
            hearing.exception()  # else asyncio logs it where the caller has left

    async def _heard(self, asked: Listen, most_s: float) -> Heard:
        for _ in range(2):  # the process may have died of something else than the recording
            if self._n_faults >= _FAULTS and self._now() < self._failed_at + _GIVEN_UP_S:
                break
            try:
                if self._process is None:
                    await self._begin()
                self._writer.write(frame(asked))
                heard = await self._answer(most_s)
            except TimeoutError:
                self._fail("hung")
                break
            except (OSError, EOFError, BrokenMessage) as error:
                self._fail(f"died ({error})" if str(error) else "died")
            else:
                self._n_faults, self.fault = 0, ""
                self._look_when_idle()
                return heard
        raise Unavailable("The recogniser of speech does not work; the server's log has the cause.")

    def _fail(self, what: str) -> None:
        self._end()
        self._n_faults += 1
        self._failed_at = self._now()
        self.fault = f"The recogniser of speech {what}: fault {self._n_faults} since its last answer."
        if self._n_faults >= _FAULTS:
            self.fault += f" It is tried again every {_GIVEN_UP_S:.0f} s."
        logger.error("%s", self.fault)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _look_when_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._rest)

    def _rest(self) -> None:
        """Ends the process, unless it hears a recording just now."""
        if not self._turn.locked():
            self._end()

    async def _begin(self) -> None:
        begun = Begun.of(self._command)
        try:
            self._reader, self._writer = await asyncio.open_connection(sock=begun.own)
        except BaseException:
            begun.process.kill()
            raise
        self._process, self._frames = begun.process, Frames(TO_SERVER)

    async def _answer(self, most_s: float) -> Heard:
        """Waits for the answer. Raises EOFError if the process has ended, and TimeoutError if it hangs."""
        assert self._process is not None
        until, ticks, n_still = self._now() + most_s, 0, 0
        while True:
            try:
                async with asyncio.timeout(self._look_every_s):
                    data = await self._reader.read(_AT_ONCE)
            except TimeoutError:
                before, ticks = ticks, cpu_ticks(self._process.pid)
                n_still = n_still + 1 if ticks == before else 0
                if n_still == _STILL_LOOKS or self._now() > until:
                    raise
                continue
            if not data:
                raise EOFError
            for heard in self._frames.push(data):
                answer: Heard = heard
                return answer

    async def close(self) -> None:
        """Ends the process if it runs."""
        if self._idle is not None:
            self._idle.cancel()
        if self._hearing is not None:
            self._hearing.cancel()
        if (process := self._end()) is not None:
            with suppress(asyncio.CancelledError, TimeoutExpired):
                await asyncio.to_thread(process.wait, _END_S)

    def _end(self) -> Popen[bytes] | None:
        """Kills the process. Returns it; None if none runs."""
        process, self._process = self._process, None
        if process is not None:
            self._writer.transport.abort()
            process.kill()
            asyncio.get_running_loop().call_later(_END_S, process.poll)  # takes its exit status
        return process
