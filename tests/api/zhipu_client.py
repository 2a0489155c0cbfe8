"""Zhipu's own package, as a client of a server of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
from zai import ZhipuAiClient
from zai.core import StreamResponse
from zai.core._legacy_binary_response import HttpxBinaryResponseContent

from tests.api.running import Running


def sdk(server: Running, key: str = "any", **options: Any) -> ZhipuAiClient:
    http = httpx.Client(trust_env=False, timeout=60, headers=options.pop("headers", None))
    return ZhipuAiClient(base_url=f"{server.url}/api/paas/v4/", api_key=key, http_client=http, **options)


def uploaded(client: ZhipuAiClient, recording: bytes) -> str:
    """The file's id."""
    file_id = client.files.create(file=("me.wav", recording), purpose="voice-clone-input").id
    assert file_id is not None
    return file_id


def said(client: ZhipuAiClient, **options: Any) -> HttpxBinaryResponseContent:
    answer = client.audio.speech(**{"model": "glm-tts", "input": "hello", **options})
    assert isinstance(answer, HttpxBinaryResponseContent)
    return answer


def streamed(client: ZhipuAiClient, **options: Any) -> Iterator[Any]:
    answer = client.audio.speech(model="glm-tts", input="hello", stream=True, **options)
    assert isinstance(answer, StreamResponse)
    return iter(answer)


def samples(pcm: bytes) -> Any:
    return np.frombuffer(pcm, "<i2")
