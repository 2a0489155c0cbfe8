"""The server's side of the recogniser. The recogniser's process starts with the first recording, ends after
some time without one, and starts again when needed, also after it died or hung. Runs on the event loop; loads
no model."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from glm_tts_api.contracts import VERDICTS, Float32, Recording, Verdict, Verified
from glm_tts_api.engine.child import ProcessHandle, Spawned
from glm_tts_api.engine.frames import decoder
from glm_tts_api.engine.messages import BrokenMessage, Message
from glm_tts_api.errors import InvalidField, Unavailable
from glm_tts_api.processes import cpu_seconds

logger = logging.getLogger(__name__)
COMMAND = (sys.executable, "-m", "glm_tts_api.recognition.process")
_MODEL = "model.bin"
_IDLE_S = 600.0  # loading Whisper again takes a second or two
# A process hangs if it uses no processor time for three looks, or takes `_MOST_S` and `_A_SECOND` for each
# second of the recording. That time includes the load of the model.
_LOOK_EVERY_S, _STILL_LOOKS = 5.0, 3
_MOST_S, _A_SECOND = 120.0, 10.0
_FAULTS = 3  # deaths and hangs without an answer between them, after which the recogniser is given up
_GIVEN_UP_S = 300.0  # time until a recogniser that was given up is tried again


class Listen(Message, frozen=True):
    """Asks the recogniser's process for the words in a recording. `said` is the text that should be said
    there, with figures written out; None if it is unknown. The process answers with Transcript."""

    recording: Recording
    said: str | None


class Transcript(Message, frozen=True):
    """The words `text` that were heard in a recording. `distance` says how far they are from the words that
    should be said: the weight of the longest wrong run (comparison.py). If those words are unknown, the
    verdict is "ok"."""

    text: str
    verdict: Verdict
    distance: float


def listed(found: Mapping[int, Verified]) -> list[dict[str, Any]]:
    """Returns the verdicts in the order of the segments, as dictionaries with the segment's number and the
    fields of Verified. `found` has the verdicts by the segment's number."""
    return [{"segment": segment, **asdict(each)} for segment, each in sorted(found.items())]


def told(found: Mapping[int, Verified]) -> dict[str, Any]:
    """Returns how many units have each verdict, and the list of the units whose verdict is not ok."""
    counts = Counter(each.verdict for each in found.values())
    doubtful = {unit: each for unit, each in found.items() if each.verdict != "ok"}
    return {"count": {verdict: counts[verdict] for verdict in VERDICTS}, "doubtful": listed(doubtful)}


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
        self._argv = (*command, str(folder), str(threads))
        self._turn = asyncio.Lock()
        self._idle_s, self._look_every_s, self._most_s = idle_s, look_every_s, most_s
        self._n_faults = 0  # since the last answer
        self._failed_at = 0.0
        self._hearing: asyncio.Task[Transcript] | None = None
        self._idle: asyncio.Task[None] | None = None
        self._handle: ProcessHandle | None = None

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

    async def hear(self, pcm: Float32, sample_rate: int, said: str | None = None) -> Transcript:
        """Returns the words in the mono float32 samples `pcm` [n], with a verdict on how well they match
        `said`. `said` is the text that should be said; None if it is unknown, and the verdict is "ok" then.
        Starts the process if it does not run. Raises Unavailable if the process hangs or dies twice, or if it
        was given up."""
        recording = Recording(pcm, sample_rate)
        async with self._turn:
            if self._hearing is not None:  # its caller may have left: the watch for a hang goes on
                await asyncio.wait({self._hearing})
            hearing = self._checked(Listen(recording, said), self._most_s + _A_SECOND * recording.seconds)
            self._hearing = asyncio.create_task(hearing)
            self._hearing.add_done_callback(lambda done: done.cancelled() or done.exception())  # is seen
            return await asyncio.shield(self._hearing)

    async def _checked(self, asked: Listen, most_s: float) -> Transcript:
        if self._idle is not None:
            self._idle.cancel()
        for _ in range(2):  # the process may have died of something else than the recording
            if self._n_faults >= _FAULTS and self._now() < self._failed_at + _GIVEN_UP_S:
                break
            try:
                if self._handle is None:
                    self._handle = await ProcessHandle.connect(Spawned.of(self._argv), decoder(Transcript))
                transcript = await self._answer(self._handle, asked, most_s)
            except TimeoutError:
                await self._fail("hung")
                break
            except (OSError, EOFError, BrokenMessage) as error:
                await self._fail(f"died ({error})" if str(error) else "died")
            else:
                self._n_faults, self.fault = 0, ""
                self._idle = asyncio.create_task(self._end_when_idle())
                return transcript
        raise Unavailable("The recogniser of speech does not work; the server's log has the cause.")

    async def _answer(self, handle: ProcessHandle, asked: Listen, most_s: float) -> Transcript:
        """Waits for the answer. Raises EOFError if the process has ended, and TimeoutError if it hung."""
        watch = asyncio.create_task(self._watch(handle, most_s))
        handle.send(asked)
        try:
            async for transcript in handle.messages():
                return cast(Transcript, transcript)
        finally:
            watch.cancel()
        raise TimeoutError if handle.cause else EOFError

    async def _watch(self, handle: ProcessHandle, most_s: float) -> None:
        """Leaves the process once it hangs."""
        until, spent_s, n_still = self._now() + most_s, 0.0, 0
        while n_still < _STILL_LOOKS and self._now() <= until:
            await asyncio.sleep(self._look_every_s)
            before, spent_s = spent_s, cpu_seconds(handle.pid)
            n_still = n_still + 1 if spent_s == before else 0
        handle.leave("it hung")

    async def _fail(self, what: str) -> None:
        self._n_faults, self._failed_at = self._n_faults + 1, self._now()
        self.fault = f"The recogniser of speech {what}: fault {self._n_faults} since its last answer."
        if self._n_faults >= _FAULTS:
            self.fault += f" It is tried again every {_GIVEN_UP_S:.0f} s."
        logger.error("%s", self.fault)
        await self._end()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._idle_s)
        await self._end()

    async def _end(self) -> None:
        """Kills the process if it runs, and waits for its end."""
        handle, self._handle = self._handle, None
        if handle is not None:
            await handle.ended(within_s=0)

    async def close(self) -> None:
        for task in (self._idle, self._hearing):
            if task is not None:
                task.cancel()
        await self._end()
