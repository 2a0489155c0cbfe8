"""What an engine's process does with what it hears: what is no message ends it, with a word in the log."""

from __future__ import annotations

import dataclasses
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from glm_tts_api.contracts import NO_PROGRESS
from glm_tts_api.engine import messages
from glm_tts_api.engine.child import Begun
from glm_tts_api.engine.frames import TO_SERVER, Frames, frame
from glm_tts_api.engine.messages import Message
from glm_tts_api.errors import InternalFault
from tests.engine import echo_process, tiny, tiny_process
from tests.engine.test_messages import encoded, framed, heard, plain, request, without_samples

MessageT = TypeVar("MessageT", bound=Message)


class OtherSide:
    """The server's end, as a test holds it. `process`: the engine's."""

    def __init__(self, command: tuple[str, ...], load: messages.Load | None, log: Path) -> None:
        self.log = log
        self.own, its = socket.socketpair()
        with its, log.open("wb") as written:
            self.process = subprocess.Popen(
                [*command, str(its.fileno())],
                pass_fds=[its.fileno()],
                stderr=written,
                cwd=Path(__file__).parents[2],
            )
        self._frames = Frames(TO_SERVER)
        if load is not None:
            self.say(load)

    def say(self, *said: Message) -> None:
        self.own.sendall(b"".join(map(bytes, map(frame, said))))

    def hear(self, kind: type[MessageT]) -> MessageT:
        """The next of its kind."""
        while data := self.own.recv(2**16):
            for message in self._frames.push(data):
                if isinstance(message, kind):
                    return message
        raise AssertionError(f"it ended before it said {kind.__name__}")


@contextmanager
def other_side(command: tuple[str, ...], load: messages.Load | None, log: Path) -> Iterator[OtherSide]:
    side = OtherSide(command, load, log)
    try:
        yield side
    finally:
        side.own.close()
        side.process.kill()
        side.process.wait()


FAILING = dataclasses.replace(tiny.asked("fails"), voice=without_samples(tiny.voice()))
BROKEN_TO_ENGINE = {
    "no MessagePack": framed(b"\xc1\xc1"),
    "an unknown message": encoded("Sing", 1),
    "a message for the other side": bytes(frame(messages.Freed(1))),
    "a field of another type": encoded("Leave", "one"),
    "too long": struct.pack("<I", 2**31),
    "half a sample": encoded("Heard", "d", 16000, b"abc"),
    "a second Load": bytes(frame(tiny_process.load_of(Path()))),
    "a recording that it does not have": bytes(frame(messages.Speak(1, request(), NO_PROGRESS))),
    "a fault in what it does": heard(tiny.voice()) + bytes(frame(messages.Speak(1, FAILING, NO_PROGRESS))),
}


@pytest.mark.parametrize("what", [*BROKEN_TO_ENGINE, "something before Load"])
def test_what_an_engine_does_not_understand_ends_its_process_and_is_in_the_log(
    what: str, tmp_path: Path
) -> None:
    load = None if what == "something before Load" else tiny_process.load_of(tmp_path)
    with other_side(echo_process.COMMAND, load, tmp_path / "log") as side:
        side.own.sendall(BROKEN_TO_ENGINE.get(what, bytes(frame(messages.Leave(1)))))
        assert side.process.wait(60) == 70
    assert "it could not carry out a message" in side.log.read_text()


def test_a_broken_message_ends_a_process_whose_threads_are_at_work(tmp_path: Path) -> None:
    voice = tiny.voice()
    endless = dataclasses.replace(tiny.asked(tiny.ENDLESS_TEXT), voice=without_samples(voice))
    with other_side(tiny_process.COMMAND, tiny_process.load_of(tmp_path), tmp_path / "log") as side:
        while side.hear(messages.Beat).state.status != "ready":
            pass
        side.own.sendall(heard(voice))
        side.say(messages.Speak(1, endless, NO_PROGRESS))
        side.hear(messages.StageChanged)
        side.own.sendall(BROKEN_TO_ENGINE["an unknown message"])
        assert side.process.wait(60) == 70


def test_a_process_whose_server_says_no_more_ends_without_an_error(tmp_path: Path) -> None:
    with other_side(echo_process.COMMAND, tiny_process.load_of(tmp_path), tmp_path / "log") as side:
        side.hear(messages.Beat)
        side.own.shutdown(socket.SHUT_WR)
        assert side.process.wait(60) == 0


def test_caches_that_cannot_be_cleared_are_an_answer(tmp_path: Path) -> None:
    with other_side(echo_process.COMMAND, tiny_process.load_of(tmp_path), tmp_path / "log") as side:
        side.say(messages.ClearCache(5))
        answer = side.hear(messages.Answer)
    assert plain(answer) == plain(messages.Answer(5, fault=messages.fault_of(InternalFault())))
    assert "The caches could not be cleared" in side.log.read_text()


def test_it_asks_for_large_pages_unless_the_servers_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = []
    tell = "import os, sys; os.write(int(sys.argv[1]), os.environ['THP_MEM_ALLOC_ENABLE'].encode())"
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE", raising=False)
    for _ in range(2):
        begun = Begun.of((sys.executable, "-S", "-c", tell))
        with begun.own as own:
            said.append(own.recv(10))
        begun.process.wait()
        monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    assert said == [b"1", b"0"]
