"""Speaks through wyoming_openai, the bridge for Home Assistant, after it has listed the server's voices."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

from heard import TEXT, URL, keep_pcm
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeVoice


async def main(uri: str) -> None:
    client = await connected(uri)
    await client.write_event(Describe().event())
    info = Info.from_event(await client.read_event())
    names = {voice.name for program in info.tts for voice in program.voices}
    assert any("exampleA" in name for name in names), names
    name = next(name for name in names if "exampleA" in name)
    await client.write_event(Synthesize(TEXT, voice=SynthesizeVoice(name=name)).event())
    pcm, rate = b"", 0
    while not AudioStop.is_type((event := await client.read_event()).type):
        if AudioChunk.is_type(event.type):
            chunk = AudioChunk.from_event(event)
            pcm, rate = pcm + chunk.audio, chunk.rate
    await client.disconnect()
    keep_pcm(pcm, rate)


async def connected(uri: str) -> AsyncClient:
    while True:
        client = AsyncClient.from_uri(uri)
        try:
            await client.connect()
            return client
        except OSError:
            await asyncio.sleep(0.2)


with socket.create_server(("127.0.0.1", 0)) as free:
    address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
bridge = subprocess.Popen(
    [
        *(sys.executable, "-m", "wyoming_openai", "--uri", address),
        *("--tts-openai-url", f"{URL}/v1", "--tts-models", "glm-tts"),
    ]
)
try:
    asyncio.run(asyncio.wait_for(main(address), 60))
finally:
    bridge.terminate()
    bridge.wait()
