"""Speaks through the voice part of OpenAI's Agents SDK."""

from __future__ import annotations

import asyncio

import openai
from agents.voice import OpenAITTSModel, TTSModelSettings
from heard import TEXT, URL, keep_pcm


async def main() -> None:
    async with openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key="any") as client:
        model = OpenAITTSModel("gpt-4o-mini-tts", client)
        keep_pcm(b"".join([chunk async for chunk in model.run(TEXT, TTSModelSettings())]))


asyncio.run(main())
