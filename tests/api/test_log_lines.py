"""What stands in the log: nothing that a terminal would obey, no user's text; texts and JSON if asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.api.running import Running
from tests.api.server_process import Server
from tests.api.socket_client import closed, heard, talking, tell
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.recordings import voice_wav

Start = Callable[..., Server]
MARKER = "Rhinozeros犀牛"


def test_control_characters_of_a_path_are_shown_as_escapes(start: Start) -> None:
    server = start()
    server.client.get("/api/v1/%1b[31mred%07%c2%9b2J%e2%80%aetxt%0aINFO forged")
    wait_until(lambda: "refused: 404" in server.log.read_text())
    log = server.log.read_text()
    (line,) = (line for line in log.splitlines() if "refused: 404" in line)
    assert "/api/v1/\\x1b[31mred\\x07\\x9b2J\\u202etxt INFO forged refused: 404" in line
    assert all(character.isprintable() or character == "\n" for character in log)


def say_by_every_api(client: httpx.Client) -> None:
    """The marker as a text, as a transcript and where it is refused."""
    said = {"input_text": MARKER, "index": "exampleA"}
    sovits = {"text": MARKER, "text_lang": "zh", "ref_audio_path": "exampleA.wav", "prompt_lang": "zh"}
    recording = ("a.wav", voice_wav(2.0))
    own_voice = {"input_text": MARKER, "prompt_text": MARKER}
    answers = [
        client.post("/api/v1/tts", data=said),
        client.post("/api/v1/tts", json=said | {"stream": True, "response_format": "mp3"}),
        client.get("/api/v1/tts", params=said),
        client.post("/api/v1/tts", data=own_voice, files={"prompt_audio": recording}),
        client.post("/v1/audio/speech", json={"input": MARKER, "voice": "alloy"}),
        client.get("/tts", params=sovits),
        client.post("/tts", json=sovits | {"streaming_mode": True}),
        client.post("/api/paas/v4/audio/speech", json={"input": MARKER, "voice": "tongtong"}),
        client.post("/api/v1/prompts", data=own_voice | {"index": "mine"}, files={"prompt_audio": recording}),
    ]
    assert [answer.status_code // 100 for answer in answers] == [2] * len(answers), answers
    refused = [
        client.post("/api/v1/tts", data=said | {"input_text": 2000 * MARKER}),
        client.post("/api/v1/tts", data=said | {"seed": MARKER}),
        client.post("/api/v1/tts", content=MARKER, headers={"Content-Type": "application/json"}),
        client.post("/v1/audio/speech", json={"input": "!", "voice": MARKER}),
        client.get("/tts", params=sovits | {"media_type": MARKER}),
        client.post("/api/paas/v4/audio/speech", json={"input": [MARKER]}),
    ]
    assert [answer.status_code // 100 for answer in refused] == [4] * len(refused), refused


def records(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.log.read_text().splitlines()]


def test_no_api_s_texts_are_in_the_log_whose_lines_are_all_json(start: Start) -> None:
    server = start(log_format="json")
    say_by_every_api(server.client)
    with talking(str(server.client.base_url)) as client:
        tell(client, "text", text=f"{MARKER}. ")
        tell(client, "flush")
        heard(client, "flushed")
    wait_until(lambda: server.log.read_text().count("outcome=completed") == 9)
    of_requests = [record for record in records(server) if record["logger"] == "glm_tts_api.request"]
    outcomes = [record["message"].rpartition("outcome=")[2] for record in of_requests]
    assert "text_too_long" in outcomes
    assert [record["outcome"] for record in of_requests] == outcomes
    assert all(record["total_s"] >= record["decode_s"] >= 0 for record in of_requests)
    for part in ("Rhino", "犀", "\\u7280", "%E7%8A%80"):
        assert part not in server.log.read_text()
    for record in records(server):
        assert record["time"].endswith("Z")
        assert record["level"] in ("INFO", "WARNING")
    accepted = [record for record in records(server) if record["message"].endswith(" accepted")]
    assert accepted[0]["request_id"] != "-"


def test_texts_that_are_asked_for_are_in_the_log_a_line_each(start: Start) -> None:
    server = start(log_text=1)
    said = {"input_text": f"{MARKER}\nzwei", "index": "exampleA"}
    server.client.post("/api/v1/tts", data=said, headers={"X-Request-Id": "mine"})
    (line,) = (line for line in server.log.read_text().splitlines() if "says" in line)
    assert "[mine]" in line
    assert json.loads(line.partition("says ")[2]) == f"{MARKER}\nzwei"


def test_a_fault_that_quotes_a_text_is_logged_without_it(
    serve: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    error = RuntimeError(MARKER)
    error.__cause__ = ValueError(MARKER)
    server = serve(ToneEngine(fault=error))
    assert server.say(MARKER).status_code == 500
    wait_until(lambda: "failed" in caplog.text)
    for part in ("RuntimeError; LOG_TEXT=1 shows its message", "ValueError; LOG_TEXT=1", "in speak"):
        assert part in caplog.text
    assert MARKER not in caplog.text


def test_a_websockets_handshake_is_one_line_without_its_query(start: Start) -> None:
    server = start()
    n_before = len(server.log.read_text().splitlines())
    speech = "/v1/audio/speech/stream"
    for path, origin in ((speech, None), (speech, Origin("http://evil.example")), ("/nowhere", None)):
        address = f"ws://127.0.0.1:{server.port}{path}?api_key=sk-secret"
        with suppress(InvalidStatus), connect(address, proxy=None, origin=origin):
            pass
    server.process.terminate()
    server.process.wait(20)
    log = server.log.read_text()
    assert "sk-secret" not in log
    lines = [line for line in log.splitlines()[n_before:] if "uvicorn:" not in line and "SIGTERM" not in line]
    wanted = [f"{speech} accepted", f"{speech} refused: 403", "/nowhere refused: 403"]
    assert [line.partition("WebSocket ")[2] for line in lines] == wanted
    assert " ERROR " not in log


def test_a_client_whose_text_is_not_utf_8_makes_no_error_of_ours(start: Start) -> None:
    server = start()
    with connect(f"ws://127.0.0.1:{server.port}/v1/audio/speech/stream", proxy=None) as client:
        client.socket.sendall(Frame(Opcode.TEXT, b"\xff").serialize(mask=True))
        assert closed(client) == 1007
    assert " ERROR " not in server.log.read_text()
