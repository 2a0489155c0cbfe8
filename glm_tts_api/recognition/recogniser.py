"""The server's side of the recogniser. The recogniser's process starts with the first recording, ends after
some time without one, and starts again when needed. Runs on the event loop; loads no model."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from subprocess import Popen

from glm_tts_api.contracts import Float32
from glm_tts_api.engine.child import Begun
from glm_tts_api.engine.frames import Frames, frame
from glm_tts_api.engine.messages import BrokenMessage, bytes_of
from glm_tts_api.errors import InvalidField, Unavailable
from glm_tts_api.recognition.messages import TO_SERVER, Heard, Listen

logger = logging.getLogger(__name__)
COMMAND = (sys.executable, "-m", "glm_tts_api.recognition.process")
_MODEL = "model.bin"
_AT_ONCE = 2**16
_IDLE_S = 600.0  # loading Whisper again takes a second or two


class Recogniser:
    """Hears recordings one after the other in a process of its own. `folder` has a Whisper model for
    CTranslate2; None if no model is set. The process uses `threads` threads. The process ends after `idle_s`
    seconds without a recording, which frees its memory."""

    def __init__(
        self,
        folder: Path | None,
        *,
        threads: int = 1,
        command: Sequence[str] = COMMAND,
        idle_s: float = _IDLE_S,
    ) -> None:
        self._folder = folder
        self._command = (*command, str(folder), str(threads))
        self._turn = asyncio.Lock()
        self._numbers = count()
        self._idle_s = idle_s
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
        Starts the process if it does not run. Raises Unavailable."""
        async with self._turn:
            try:
                if self._process is None:
                    await self._begin()
                number = next(self._numbers)
                self._writer.write(frame(Listen(number, bytes_of(pcm), sample_rate, said)))
                return await self._answer(number)
            except (OSError, EOFError, BrokenMessage) as error:
                await self.close()
                logger.error("The recogniser's process has ended: %s", error or "the log says why")
                raise Unavailable(
                    "The recogniser of speech does not work; the server's log has the cause."
                ) from None
            finally:
                self._look_when_idle()

    def _look_when_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._rest)

    def _rest(self) -> None:
        """Ends the process, unless it hears a recording just now."""
        if not self._turn.locked() and (process := self._end()) is not None:
            asyncio.get_running_loop().run_in_executor(None, process.wait)

    async def _begin(self) -> None:
        begun = Begun.of(self._command)
        try:
            self._reader, self._writer = await asyncio.open_connection(sock=begun.own)
        except BaseException:
            begun.process.kill()
            raise
        self._process, self._frames = begun.process, Frames(TO_SERVER)

    async def _answer(self, number: int) -> Heard:
        """Waits for the answer with this number. Answers to earlier requests whose callers have left are
        dropped. Raises EOFError if the process has ended."""
        while data := await self._reader.read(_AT_ONCE):
            for heard in self._frames.push(data):
                if heard.number == number:
                    answer: Heard = heard
                    return answer
        raise EOFError

    async def close(self) -> None:
        """Ends the process if it runs."""
        if self._idle is not None:
            self._idle.cancel()
        if (process := self._end()) is not None:
            with suppress(asyncio.CancelledError):
                await asyncio.to_thread(process.wait)

    def _end(self) -> Popen[bytes] | None:
        """Kills the process. Returns it, since the caller has to wait for its end; None if none runs."""
        process, self._process = self._process, None
        if process is not None:
            self._writer.transport.abort()
            process.kill()
        return process
