"""What an engine's process does with what it hears: what is no message ends it, with a word in the log."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from glm_tts_api.engine import messages
from glm_tts_api.engine.frames import TO_SERVER, ChildSide, frame
from glm_tts_api.engine.messages import Message
from glm_tts_api.errors import InternalFault
from tests.engine import echo_process, tiny, tiny_process
from tests.engine.test_messages import BROKEN

MessageT = TypeVar("MessageT", bound=Message)


@dataclasses.dataclass
class OtherSide:
    """The server's end, as a test holds it. `process`: the engine's."""

    own: socket.socket
    process: subprocess.Popen[bytes]
    log: Path

    def __post_init__(self) -> None:
        self._heard = iter(ChildSide(self.own, TO_SERVER))

    def say(self, *said: Message) -> None:
        self.own.sendall(b"".join(map(bytes, map(frame, said))))

    def hear(self, kind: type[MessageT]) -> MessageT:
        """The next of its kind."""
        for message in self._heard:
            if isinstance(message, kind):
                return message
        raise AssertionError(f"it ended before it said {kind.__name__}")


Start = Callable[[tuple[str, ...]], OtherSide]
VOICE = tiny.voice()
LOAD, HEARD = tiny_process.load_of(Path()), messages.PutRecording(VOICE.digest, VOICE.recording)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an engine's process; it ends with the test."""
    with ExitStack() as ends:

        def start(command: tuple[str, ...]) -> OtherSide:
            own, its = socket.socketpair()
            with its, (tmp_path / "log").open("wb") as log:
                process = subprocess.Popen(
                    [*command, str(its.fileno())],
                    pass_fds=[its.fileno()],
                    stderr=log,
                    cwd=Path(__file__).parents[2],
                )
            ends.callback(process.wait)
            ends.callback(process.kill)
            return OtherSide(ends.enter_context(own), process, tmp_path / "log")

        yield start


def speak(text: str) -> Message:
    return messages.Speak(1, tiny.asked(text, voice=VOICE))


@pytest.mark.parametrize(
    "said",
    [
        bytes(frame(messages.Cancel(1))),
        bytes(frame(LOAD)) + BROKEN["an unknown message"],
        bytes(frame(LOAD)) * 2,
        bytes(frame(LOAD)) + bytes(frame(speak("a recording that it does not have"))),
        bytes(frame(LOAD)) + bytes(frame(HEARD)) + bytes(frame(speak("fails"))),
    ],
    ids=["something before Load", "an unknown message", "a second Load", "no recording", "a fault"],
)
def test_what_an_engine_does_not_understand_ends_its_process_and_is_in_the_log(
    start: Start, said: bytes
) -> None:
    side = start(echo_process.COMMAND)
    side.own.sendall(said)
    assert side.process.wait(60) == 70
    assert "it could not carry out a message" in side.log.read_text()


def test_a_broken_message_ends_a_process_whose_threads_are_at_work(start: Start) -> None:
    side = start(tiny_process.COMMAND)
    side.say(LOAD)
    while side.hear(messages.Heartbeat).state.status != "ready":
        pass
    side.say(HEARD, speak(tiny.ENDLESS_TEXT))
    side.hear(messages.StageChanged)
    side.own.sendall(BROKEN["an unknown message"])
    assert side.process.wait(60) == 70


def test_caches_that_cannot_be_cleared_are_an_answer_and_a_server_that_says_no_more_is_no_error(
    start: Start,
) -> None:
    side = start(echo_process.COMMAND)
    side.say(LOAD, messages.ClearCache(5))
    answer = side.hear(messages.Answer)
    assert frame(answer) == frame(messages.Answer(5, fault=messages.fault_of(InternalFault())))
    assert "The caches could not be cleared" in side.log.read_text()
    side.own.shutdown(socket.SHUT_WR)
    assert side.process.wait(60) == 0
