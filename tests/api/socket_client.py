"""A client of the WebSocket for text in pieces, by the package `websockets`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.api.running import Running
from tests.api.server_process import Server

Serve = Callable[..., Running]
Start = Callable[..., Server]
DOCS = Path(__file__).parents[2] / "docs"
TONE_BYTES = 24000  # half a second of 16 bit samples
SENTENCES = ["今天的天气真的很好。", "我们一起去公园走走吧！", "你觉得这样怎么样？"]


@contextmanager
def talking(url: str, **options: Any) -> Iterator[ClientConnection]:
    address = f"{url.replace('http', 'ws', 1)}/v1/audio/speech/stream"
    with connect(address, proxy=None, max_size=None, **options) as client:
        yield client


def tell(client: ClientConnection, kind: str, **fields: Any) -> None:
    client.send(json.dumps({"type": kind, **fields}))


def write(client: ClientConnection, text: str) -> None:
    """Piece by piece, as an LLM does."""
    for at in range(0, len(text), 3):
        tell(client, "text", text=text[at : at + 3])


def heard(client: ClientConnection, *until: str) -> tuple[list[dict[str, Any]], bytes]:
    """The messages up to the first of these kinds, and all audio between them."""
    messages: list[dict[str, Any]] = []
    audio = b""
    while not messages or messages[-1]["type"] not in until:
        frame = client.recv(timeout=60)
        if isinstance(frame, bytes):
            audio += frame
        else:
            messages.append(json.loads(frame))
    return messages, audio


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


def closed(client: ClientConnection) -> int:
    """The code with which the server closes, which it does without saying anything more."""
    with pytest.raises(ConnectionClosed) as ended:
        client.recv(timeout=60)
    assert ended.value.rcvd is not None
    return int(ended.value.rcvd.code)


def refused(url: str, **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as error, talking(url, **options):
        pass
    response = error.value.response
    assert response.headers["X-Request-Id"]
    return response.status_code, json.loads(response.body)["error"]
