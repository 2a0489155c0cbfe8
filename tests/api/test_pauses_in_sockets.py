"""Between the sentences of a WebSocket lie the pauses that the same text has in one request."""

from __future__ import annotations

from tests.api.running import Running
from tests.api.socket_client import heard, talking, tell, write

TEXT = "# 江南的春天来了\n江南的春天来得很早。雨也下得很早。\n\n那里的人们在河边走。"


def test_a_block_is_followed_by_its_pause_and_a_turn_begins_without_one(server: Running) -> None:
    with talking(server.url) as client:
        for _ in range(2):
            write(client, TEXT + "\n")
            tell(client, "flush")
            messages, audio = heard(client, "flushed")
            seconds = [message["seconds"] for message in messages if message["type"] == "segment.end"]
            assert seconds == [0.5, 1.0 + 0.5, 0.5, 0.8 + 0.5]
            assert len(audio) == 2 * 24000 * sum(seconds)
