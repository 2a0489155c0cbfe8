"""Speaks through Zhipu's Python package, and joins the audio of the events of a streamed answer."""

from __future__ import annotations

import base64

from heard import TEXT, URL, keep_pcm
from zai import ZhipuAiClient

with ZhipuAiClient(base_url=f"{URL}/api/paas/v4/", api_key="any") as client:
    events = client.audio.speech(model="glm-tts", input=TEXT, voice="tongtong", stream=True)
    keep_pcm(b"".join(base64.b64decode(event.choices[0].delta.content or "") for event in events))
