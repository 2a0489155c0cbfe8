"""What a server and an engine's process say to each other: every message comes through whole, and what is no
message ends the engine's process and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, get_args

import msgspec
import numpy as np
import pytest

from glm_tts_api.contracts import AudioChunk, Recording, SamplingOptions, SpeechRequest
from glm_tts_api.engine import messages
from glm_tts_api.engine.child import EngineDied, ProcessHandle, Spawned
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.frames import TO_SERVER, decoder, frame
from glm_tts_api.engine.messages import Message
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.engine.stream_pace import Pace, forecast
from glm_tts_api.errors import InternalFault, NothingToSay, UnknownVoice
from speech_text import LexiconEntry, ReadingOptions, TextFrontend, Written, WrittenWord
from tests.engine import echo_process, tiny, tiny_process

WRITTEN = Written("It's 3.", [WrittenWord(0, 4, 0.5, pause=False), WrittenWord(5, 6, 1.0, pause=True)], 2)


def request() -> SpeechRequest:
    """With something in every field; the samples of its voices go by themselves."""
    return SpeechRequest(
        "id",
        "ab <cd>",
        tiny.voice(1),
        SamplingOptions("topk", top_k=7, beam_size=2, seed=2**63 + 1),
        sample_rate=32000,
        use_cache=False,
        streams=True,
        others={"Ann": tiny.voice(2)},
        timestamps="word",
        reading=ReadingOptions(
            True,
            "short",
            [LexiconEntry("行", reading="hang2", context="银行"), LexiconEntry("a", replacement="b")],
        ),
        audio_format="opus",
        speed=1.5,
        volume=0.5,
        warnings=["a field"],
    )


def to_engine() -> list[Message]:
    return [
        tiny_process.load_of(Path("/models"), EngineConfig(prefill_chunk=3, stream_chunks=(1, 2))),
        messages.PutRecording("d1", Recording(tiny.voice().recording.samples[::2], 16000)),
        messages.DropRecording("d1"),
        messages.Speak(1, request(), {0: [1, 2], 2: []}, 2, True),
        messages.Credit(1, 0.25),
        messages.Cancel(1),
        messages.Read(2, "ab", ReadingOptions(True, lexicon=[LexiconEntry("ab", replacement="cd")])),
        messages.ClearCache(3),
    ]


def to_server(tmp_path: Path) -> list[Message]:
    frontend = TextFrontend(cache_dir=tmp_path)
    reading = frontend.read("你好，2 kg <break time='1s'/> OK.", ReadingOptions(use_phoneme=True)).shown()
    streaming = forecast(Pace(0.1, 0.01, 0.1, 0.001, 0.001), (4, 8))
    return [
        messages.Heartbeat(EngineState("ready"), 0.5, EngineUsage(1, 2, 3, 4, (5, 6))),
        messages.Heartbeat(EngineState("failed", "why"), 0.0, None),
        messages.Loaded(EngineInfo("tiny", "cuda:0", "bfloat16", ("slow",), 64, 16, streaming, "triton", 2)),
        messages.Segments(1, 3),
        messages.StageChanged(1, "flow", -1),
        messages.Decoded(1, 2, [3, 4]),
        messages.Chunk(1, AudioChunk(np.ones(5, np.float32), 24000, 2, True, None, 0.5)),
        messages.Guarded(3, 0, 2, {"run_on": "end"}),
        messages.Chunk(2, AudioChunk(np.ones(1, np.float32), 24000, 0, True, 1.0, 0.0, WRITTEN)),
        messages.Ended(1, None),
        messages.Ended(1, ("NothingToSay", "only digits")),
        messages.Released(1),
        messages.Answer(2, reading),
        messages.Answer(3, 7),
        messages.Answer(4, fault=("BadRequest", "no")),
    ]


async def heard(its: msgspec.msgpack.Decoder[Any], sent: bytes, cut: int = 0) -> list[Any]:
    """The messages in what is `sent`, whose first `cut` bytes come before the others."""
    reader, soon = asyncio.StreamReader(), asyncio.get_running_loop().call_soon
    handle = ProcessHandle(cast(Any, SimpleNamespace(pid=0)), reader, cast(Any, None), its)
    reader.feed_data(sent[:cut])
    soon(reader.feed_data, sent[cut:])
    soon(reader.feed_eof)
    return [message async for message in handle.messages()]


async def test_every_message_comes_through_whole_also_in_two_pieces(tmp_path: Path) -> None:
    voices = {voice.digest: voice.recording for voice in map(tiny.voice, (1, 2))}
    said = (decoder(messages.ToEngine, voices), to_engine()), (TO_SERVER, to_server(tmp_path))
    kinds = get_args(messages.ToEngine | messages.ToServer)
    assert {type(one) for _, each in said for one in each} == {*kinds}
    for its, each in said:
        sent = b"".join(map(bytes, map(frame, each)))
        for cut in (1, 7, 4096, len(sent)):
            assert list(map(frame, await heard(its, sent, cut))) == list(map(frame, each))


def test_an_error_keeps_its_class_and_its_sentence() -> None:
    for error in (NothingToSay("only digits"), UnknownVoice("no such voice"), InternalFault()):
        again = messages.error_of(messages.fault_of(error))
        assert (type(again), again.message) == (type(error), error.message)
    assert type(messages.error_of(("OfANewerVersion", "no"))) is InternalFault


def framed(raw: bytes) -> bytes:
    return struct.pack("<I", len(raw)) + raw


def encoded(*fields: Any) -> bytes:
    return framed(msgspec.msgpack.encode(fields))


BROKEN = {
    "no MessagePack": framed(b"\xc1\xc1"),
    "an unknown message": encoded("Sing", 1),
    "a field of another type": encoded("Released", "one"),
    "too few fields": encoded("Chunk", 1),
    "too long": struct.pack("<I", 2**31),
    "half a sample": encoded("Chunk", 1, {"pcm": b"abc", "sample_rate": 24000, "segment": 0}),
    "no stage": encoded("StageChanged", 1, "singing", 1),
    "a message for the other side": bytes(frame(messages.DropRecording("d"))),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(messages.BrokenMessage):
        await heard(TO_SERVER, raw)


async def test_what_is_no_message_ends_the_engine_that_said_it_and_not_the_server(tmp_path: Path) -> None:
    """A process that had begun is the first and not the second."""
    spawned, load = Spawned.of(echo_process.COMMAND), tiny_process.load_of(tmp_path)
    client = EngineClient(load, watchdog_s=60, command=echo_process.COMMAND, first=spawned)
    client.start()
    for number, what in enumerate(("an unknown message", "too long")):
        await tiny_process.is_ready(client)
        assert (client.n_restarts, client.pid == spawned.process.pid) == (number, number == 0)
        with pytest.raises(EngineDied, match="it said what is no message"):
            await tiny_process.say(client, f"raw:{BROKEN[what].hex()}")
    await client.close()


async def test_a_voices_samples_cross_once_until_64_others_were_heard(tmp_path: Path) -> None:
    """An echo's segment is the number of recordings that have crossed."""
    async with tiny_process.running(tmp_path, command=echo_process.COMMAND) as client:

        async def n_crossed(number: int, *others: int) -> int:
            named = {str(other): tiny.voice(other, seconds=0.01) for other in others}
            voice = tiny.voice(number, seconds=0.01)
            asked = dataclasses.replace(tiny.asked("ab", voice=voice), others=named)
            heard = tiny.Heard(lambda: None)
            client.speak(heard, asked, {}, 0)
            chunks = [chunk async for chunk in heard]
            for chunk, said in zip(chunks, (voice, *named.values()), strict=True):
                np.testing.assert_array_equal(chunk.pcm, said.recording.samples)
            return int(chunks[-1].segment)

        assert [await n_crossed(0) for _ in range(3)] == [1, 1, 1]
        assert [await n_crossed(number) for number in range(64)] == list(range(1, 65))
        assert await n_crossed(0) == 64  # which makes it the last to go
        assert await n_crossed(64) == 65  # 1 goes
        assert await n_crossed(0, 2, 3, 64) == 65
        assert await n_crossed(1) == 66
        assert await n_crossed(100, *range(101, 171)) == 66 + 71  # more than are kept
        assert await n_crossed(101) == 66 + 72
        client.unload()
        client.wake()
        await tiny_process.is_ready(client)
        assert await n_crossed(170) == 1  # the next process has none
