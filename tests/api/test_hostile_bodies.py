"""Bodies that are made to cost: each is refused with its status before it costs, and the server goes on."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from glm_tts_api.voices.decoded import decode_upload
from tests.api.raw_client import connected, is_open
from tests.api.running import Running
from tests.api.server_process import Server
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.recordings import encoded, voice_wav

Serve = Callable[..., Running]
FORM = "application/x-www-form-urlencoded"


def post(server: Running, content: bytes | Iterable[bytes], content_type: str) -> httpx.Response:
    with server.client() as client:
        return client.post("/api/v1/tts", content=content, headers={b"Content-Type": content_type.encode()})


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json()["message"], answer.text
    return answer.status_code, answer.json()["code"]


def nested(depth: int) -> bytes:
    return b'{"input_text": "hello", "index": ' + b'{"a": ' * depth + b"1" + b"}" * (depth + 1)


def test_more_than_1_mb_without_a_file(server: Running) -> None:
    for body, content_type in (
        (b"[" + b"[]," * (2**20 // 3) + b"[]]", "application/json"),
        (b"input_text=" + b"%41" * (2**20 // 3), FORM),
        (b'{"input_text": "' + b"a" * 2**20 + b'"}', "application/vnd.some+json"),
        (b"x" * (2**20 + 1), "text/plain"),
        (b"x" * (2**20 + 1), ""),
    ):
        for sent in (body, (body[at : at + 2**16] for at in range(0, len(body), 2**16))):
            answer = post(server, sent, content_type)
            assert refused(answer) == (413, "body_too_large")
            assert "1 MB" in answer.json()["message"]
    assert server.say().status_code == 200


def test_more_than_1_mb_of_text_beside_a_file_in_many_fields(server: Running) -> None:
    files: dict[str, Any] = {f"field{number}": (None, "a" * 2**17) for number in range(9)}
    with server.client() as client:
        answer = client.post("/api/v1/tts", files={**files, "prompt_audio": ("a.wav", voice_wav(2))})
    assert refused(answer) == (413, "body_too_large")


@pytest.mark.parametrize("character", ["好", "😀"])
def test_the_longest_text_fits_however_it_is_sent(serve: Serve, character: str) -> None:
    server = serve(max_text_length=100_000)
    fields = {"input_text": character * 100_000, "index": "exampleA"}
    with server.client() as client:
        for how in ({"data": fields}, {"json": fields}, {"data": fields, "files": {"x": ("x.txt", b"x")}}):
            answer = client.post("/api/v1/tts", **how)
            assert answer.status_code == (200 if character == "好" else 400), answer.text[:200]


def test_more_fields_or_levels_than_there_may_be_and_a_content_type_that_is_none(server: Running) -> None:
    part = '--x\r\nContent-Disposition: form-data; name="input_text"\r\n\r\n你好\r\n--x--\r\n'.encode()
    parts = "multipart/form-data; boundary"
    for body, content_type in (
        (b"&".join(b"field%d=1" % number for number in range(1001)), FORM),
        (b"{" + b",".join(b'"field%d": 1' % number for number in range(1001)) + b"}", "application/json"),
        *((nested(depth), "application/json") for depth in (33, 970, 100_000)),
        *((part, f"{parts}={boundary}") for boundary in ('"你好', "你好", '"x', "", "x" * 300)),
        *((part, f"{parts}*=utf-8''x%00y"), (part, "application/json; charset=你好")),
    ):
        assert refused(post(server, body, content_type)) == (422, "unparsable_body")


def uploads(server: Running, n: int, recording: bytes) -> list[Future[httpx.Response]]:
    """So many requests at once, each with this recording as its voice."""

    def one() -> httpx.Response:
        with server.client() as client:
            return client.post(
                "/api/v1/tts",
                data={"input_text": "hello", "prompt_text": "what is said"},
                files={"prompt_audio": ("voice.wav", recording)},
            )

    pool = ThreadPoolExecutor(n)
    return [pool.submit(one) for _ in range(n)]


class Gate:
    """Stands before decode_upload: counts who comes, and lets nobody in until it is open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n_came = 0
        self.opened = threading.Event()
        real = decode_upload

        def gated(*args: Any) -> Any:
            self.n_came += 1
            assert self.opened.wait(60)
            return real(*args)

        monkeypatch.setattr("glm_tts_api.speech.service.decode_upload", gated)


def test_a_recording_is_decoded_only_once_its_request_has_a_place(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    server = serve(ToneEngine(), short_text_concurrency=1)
    answers = uploads(server, 4, voice_wav(2))
    server.wait_for_lane(active=1, waiting=3)
    wait_until(lambda: gate.n_came == 1)
    gate.opened.set()
    assert {answer.result().status_code for answer in answers} == {200}
    assert gate.n_came == 4


def test_whoever_decodes_keeps_nobody_else_waiting(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    server = serve(ToneEngine())
    answers = uploads(server, 10, voice_wav(2))
    wait_until(lambda: gate.n_came >= 2)  # as many as are decoded at once
    with server.client() as client:
        assert client.get("/api/v1/health").status_code == 200
        assert client.get("/api/v1/stats/concurrency").status_code == 200
        assert client.get("/api/v1/prompts/exampleA/audio").status_code == 200
    assert server.say().status_code == 200  # a registered voice
    assert not any(answer.done() for answer in answers)
    gate.opened.set()
    assert {answer.result().status_code for answer in answers} == {200}


def temporary_files() -> set[int]:
    """Inodes of the nameless files that this process, which is the server's, has open."""
    inodes = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            if str(link.readlink()).endswith("(deleted)"):
                inodes.add(link.stat().st_ino)
    return inodes


def test_uploads_leave_no_file_behind(server: Running) -> None:
    """Those over 1 MB lie on the disk meanwhile."""
    before = temporary_files()
    big = encoded(np.zeros(2_000_000, np.float32), 96_000, "WAV")
    for recording in (big, big[:-1000], b"RIFF" + big[4:]):
        (answer,) = uploads(server, 1, recording)
        assert answer.result().status_code in (200, 400, 415)
    address = server.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as client:
        head = b"POST /api/v1/tts HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n"
        client.sendall(head + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n")
        part = b'--x\r\nContent-Disposition: form-data; name="prompt_audio"; filename="a"\r\n\r\n'
        client.sendall(part + bytes(3_000_000))
        wait_until(lambda: temporary_files() > before)
    wait_until(lambda: temporary_files() <= before)


def test_a_server_without_room_for_uploads_says_so(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", lambda max_size: Full())
    (answer,) = uploads(server, 1, voice_wav(2))
    assert refused(answer.result()) == (503, "unavailable")
    monkeypatch.undo()
    (answer,) = uploads(server, 1, voice_wav(2))
    assert answer.result().status_code == 200


HALF = "\ud83d"  # of an emoji, as JSON.stringify writes it where a text was cut in its middle


def test_half_a_character_deep_in_json(server: Running) -> None:
    own, headers = {"input_text": "hello", "index": "exampleA"}, {"Content-Type": "application/json"}
    entries = [{HALF: "hello", "replacement": "a"}]
    with server.client() as client:
        for path, fields in (
            ("/v1/audio/speech", {"input": "hello", "voice": {"id": HALF}}),
            ("/v1/audio/speech", {"input": "hello", "more": {f"speaker{HALF}": "a"}}),
            *(("/api/v1/tts", {**own, "lexicon": sent}) for sent in (entries, json.dumps(entries))),
            ("/api/v1/tts", {**own, "lexicon": [{"word": "hello", "reading": HALF}]}),
        ):
            assert client.post(path, content=json.dumps(fields), headers=headers).status_code == 400


def test_half_a_character_in_a_lexicon_is_no_text_for_the_engine(server: Running) -> None:
    lexicon = [{"word": "hello", "replacement": f"a{HALF}"}]
    with server.client() as client:
        for sent in (lexicon, json.dumps(lexicon)):
            body = json.dumps({"input_text": "hello", "index": "exampleA", "lexicon": sent})
            answer = client.post("/api/v1/tts", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 200
    for request in server.engine.requests:
        (entry,) = request.reading.lexicon
        assert (entry.replacement or "").encode()


def begin_body(client: socket.socket) -> None:
    client.sendall(b"POST /api/v1/tts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
    client.sendall(b"Content-Length: 99999\r\n\r\n" + b" " * 9000)


def test_bodies_that_do_not_end_have_so_much_memory_together(start: Callable[..., Server]) -> None:
    """There is room for three. The one that stands still longest goes; a new one, where all are new."""
    server = start(limits={"arriving_bytes": 30_000})
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(server.port)) for _ in range(5)]
        for client in clients[:3]:
            begin_body(client)
        time.sleep(1.5)
        begin_body(clients[3])
        wait_until(lambda: not is_open(clients[0]))
        assert [is_open(client) for client in clients] == [False, True, True, True, True]
        begin_body(clients[4])
        wait_until(lambda: sum(map(is_open, clients)) == 3)
        assert server.say().status_code == 200
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(server.port)) for _ in range(4)]
        for client in clients:
            begin_body(client)
        wait_until(lambda: sum(map(is_open, clients)) == 3)
        assert server.say().status_code == 200
