"""A request that is not done in time: its message names the setting, how far it had come, and what would have
brought audio sooner; in every dialect."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from zai.core import APIResponseError

from tests.api import zhipu_client
from tests.api.dialects import OPENAI, OURS, SAY, SOVITS, ZHIPU
from tests.api.running import Running
from tests.api.socket_client import heard, talking, tell
from tests.api.tone_engine import ToneEngine


def test_it_says_how_far_it_had_come_and_how_to_have_it_streamed(serve: Callable[..., Running]) -> None:
    """After the first event the error is an event, at which Zhipu's package raises."""
    server = serve(ToneEngine(n_segments=3, segment_s=600), short_text_timeout=3)

    def whole(path: str, **fields: Any) -> str:
        with server.client() as client:
            return client.post(path, json={**SAY[path], **fields}).text

    def by_zhipus_package() -> str:
        with zhipu_client.sdk(server) as zhipu, pytest.raises(APIResponseError) as refused:
            list(zhipu_client.streamed(zhipu))
        assert refused.value.json_data["code"] == "1230"  # type: ignore[index]
        return f'"message": "{refused.value.json_data["message"]}"'  # type: ignore[index]

    def sentence() -> str:
        with talking(server.url) as client:
            tell(client, "text", text="hello")
            tell(client, "flush")
            return f'"message": "{heard(client, "error")[0][-1]["message"]}"'

    with ThreadPoolExecutor() as pool:
        streams = [
            pool.submit(whole, OPENAI, stream_format="sse", response_format="pcm"),
            *(pool.submit(by_zhipus_package), pool.submit(sentence)),
        ]
        others = {
            f"With {streamed_by} audio leaves while it is made; a job (POST /api/v1/jobs) has": pool.submit(
                whole, path
            )
            for path, streamed_by in ((OURS, "stream=true"), (SOVITS, "streaming_mode=1"))
        }
        others["With stream=true audio"] = pool.submit(whole, ZHIPU)
    for advice, answer in (*(("", each) for each in streams), *others.items()):
        (message,) = re.findall(r'"message": ?"([^"]*)"', answer.result())
        assert "within 3 s (SHORT_TEXT_TIMEOUT)" in message
        assert f"1 of 3 segments were spoken, 0.5 s of audio.{' ' if advice else ''}{advice}" in message
