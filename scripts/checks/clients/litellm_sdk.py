"""Speaks through the Python package of LiteLLM, by the server's OpenAI-compatible routes."""

from __future__ import annotations

from heard import FILE, TEXT, URL
from litellm import speech

speech(
    model="openai/glm-tts", voice="exampleA", input=TEXT, api_base=f"{URL}/v1", api_key="any"
).stream_to_file(FILE)
