"""What a client can write into the log: nothing that a terminal would obey."""

from __future__ import annotations

from collections.abc import Callable

from server_process import Server
from waiting import wait_until

Start = Callable[..., Server]


def test_control_characters_of_a_path_are_shown_as_escapes(start: Start) -> None:
    server = start()
    server.client.get("/api/v1/%1b[31mred%07%c2%9b2J%e2%80%aetxt%0aINFO forged")
    wait_until(lambda: "refused: 404" in server.log.read_text())
    log = server.log.read_text()
    (line,) = (line for line in log.splitlines() if "refused: 404" in line)
    assert "/api/v1/\\x1b[31mred\\x07\\x9b2J\\u202etxt INFO forged refused: 404" in line
    assert all(character.isprintable() or character == "\n" for character in log)
