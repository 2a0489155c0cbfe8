"""An engine's process without models: `python -m tests.engine.echo_process DESCRIPTOR`.

It says the recordings that it is given: a chunk for each voice of a request, its segment the number of
recordings that came over the sockets so far. A text `raw:` and hexadecimal digits goes to the server as these
bytes; `fails` is a fault in what the process does; a text that ends with `^` ends the process at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from glm_tts_api.contracts import AudioChunk, Recording, Voice
from glm_tts_api.engine import messages
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.process import main
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.errors import ServiceError
from speech_text import ShownReading

COMMAND = (sys.executable, "-m", "tests.engine.echo_process")


class EchoEngine:
    state, info = EngineState("ready"), EngineInfo("echo", "cpu", "float32")
    step_s = 0.0

    def __init__(self) -> None:
        self._came: list[Recording] = []

    def start(self) -> None:
        pass

    def wake(self) -> None:
        pass

    def speak(self, message: messages.Speak, sink: EventSink) -> None:
        asked = message.request
        if asked.text.startswith("raw:"):
            os.write(int(sys.argv[1]), bytes.fromhex(asked.text.removeprefix("raw:")))
        if asked.text.endswith("^"):
            os._exit(3)
        if asked.text == "fails":
            raise RuntimeError("worn out")
        for voice in (asked.voice, *asked.others.values()):
            assert isinstance(voice, Voice)
            if not any(voice.recording is one for one in self._came):
                self._came.append(voice.recording)
            recording = voice.recording
            sink.chunk_ready(AudioChunk(recording.samples, recording.sample_rate, len(self._came)))
        sink.request_ended(None)
        sink.request_freed()

    def read(
        self,
        message: messages.Read,
        *,
        check: Callable[[], None],
        done: Callable[[ShownReading | ServiceError | None], None],
    ) -> None:
        done(None)

    def clear_cache(self) -> int:
        raise RuntimeError("worn out")

    def usage(self) -> EngineUsage | None:
        return None


def build(load: messages.Load, on_lost: Callable[[EngineLost], None]) -> Any:
    return EchoEngine()


if __name__ == "__main__":
    main(build)
