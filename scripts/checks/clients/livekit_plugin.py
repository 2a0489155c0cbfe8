"""Speaks through LiveKit's OpenAI plugin.

The plugin asks for server-sent events with its default model, and for plain audio with the model tts-1.
"""

from __future__ import annotations

import asyncio

from heard import FILE, TEXT, URL, keep_pcm
from livekit.plugins import openai


async def main() -> None:
    model = "tts-1" if "tts-1" in FILE else "gpt-4o-mini-tts"
    tts = openai.TTS(base_url=f"{URL}/v1", api_key="any", model=model, voice="exampleA")
    frames = [event.frame async for event in tts.synthesize(TEXT)]
    await tts.aclose()
    keep_pcm(b"".join(bytes(frame.data) for frame in frames), frames[0].sample_rate)


asyncio.run(main())
