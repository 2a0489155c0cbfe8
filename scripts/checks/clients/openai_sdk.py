"""Speaks through OpenAI's Python package, and streams the answer to FILE."""

from __future__ import annotations

import openai
from heard import FILE, TEXT, URL

with (
    openai.OpenAI(base_url=f"{URL}/v1", api_key="any") as client,
    client.audio.speech.with_streaming_response.create(
        model="glm-tts", voice="exampleA", input=TEXT, response_format="mp3"
    ) as answer,
):
    answer.stream_to_file(FILE)
