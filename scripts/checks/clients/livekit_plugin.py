"""Speaks through LiveKit's OpenAI plugin; if FILE ends in 8khz.wav, through its plugin for ElevenLabs.

OpenAI's plugin asks for server-sent events with its default model, and for plain audio with the model tts-1.
"""

from __future__ import annotations

import asyncio

import aiohttp
from heard import FILE, TEXT, URL, keep_pcm
from livekit.plugins import elevenlabs, openai

SERVER = {"base_url": f"{URL}/v1", "api_key": "any"}


async def main() -> None:
    model = "tts-1" if "tts-1" in FILE else "gpt-4o-mini-tts"
    async with aiohttp.ClientSession() as session:
        if "8khz" in FILE:
            session_of = {"http_session": session}
            tts = elevenlabs.TTS(**SERVER, **session_of, voice_id="exampleA", encoding="pcm_8000")
        else:
            tts = openai.TTS(**SERVER, model=model, voice="exampleA")
        frames = [event.frame async for event in tts.synthesize(TEXT)]
        await tts.aclose()
    keep_pcm(b"".join(bytes(frame.data) for frame in frames), frames[0].sample_rate)


asyncio.run(main())
