"""Input that is too long or too large has its status, its code and its sentence; over real HTTP.
tests/frozen has the other faults of a request."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.api.running import Running
from tests.recordings import voice_wav


def with_transcript(server: Running, transcript: str) -> httpx.Response:
    fields, files = (
        {"input_text": "hello", "prompt_text": transcript},
        {"prompt_audio": ("a.wav", voice_wav(2))},
    )
    with server.client() as client:
        return client.post("/api/v1/tts", data=fields, files=files)


@pytest.mark.parametrize(
    ("transcript", "length"), [("a\u0301\u0316" * 200_000, "600000"), ("\ufdfa" * 30, "540")]
)
def test_a_transcript_is_as_long_as_it_is_written_out(server: Running, transcript: str, length: str) -> None:
    refused = with_transcript(server, transcript)
    assert (refused.status_code, refused.json()["code"]) == (413, "text_too_long")
    assert f"prompt_text has {length}" in refused.json()["message"]


@pytest.mark.parametrize(("max_s", "most"), [(5, 500), (60, 1000)])
def test_the_longest_text_and_transcript_that_are_allowed_pass(
    serve: Callable[..., Running], max_s: int, most: int
) -> None:
    server = serve(prompt_max_seconds=max_s, max_text_length=10)
    for n_beyond, status in ((0, 200), (1, 413)):
        assert with_transcript(server, f" {'好' * (most + n_beyond)} ").status_code == status
        assert server.say("好" * (10 + n_beyond)).status_code == status


def curl(server: Running, folder: Path, *options: str) -> tuple[int, str]:
    """The status and the body that curl gets for a POST to /tts."""
    answer = folder / "answer"
    command = ["curl", "-sS", "--noproxy", "*", "-o", str(answer), "-w", "%{http_code}", *options]
    done = subprocess.run(
        [*command, f"{server.url}/api/v1/tts"], capture_output=True, text=True, timeout=60, check=False
    )
    return int(done.stdout), answer.read_text()


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    path = tmp_path / "60MB.wav"
    with path.open("wb") as file:
        file.truncate(60 * 2**20)
    return path


@pytest.mark.parametrize(
    "how",
    [
        [],
        ["-H", "Transfer-Encoding: chunked"],
        ["-H", "Expect:"],
        ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"],
    ],
    ids=["plain", "chunked", "plain, not asking first", "chunked, not asking first"],
)
def test_60_mb_upload_by_curl(server: Running, tmp_path: Path, big_file: Path, how: list[str]) -> None:
    form = ["-F", "input_text=hello", "-F", "prompt_text=hello", "-F", f"prompt_audio=@{big_file}"]
    status, body = curl(server, tmp_path, *how, *form)
    assert status == 413
    assert '"code":"body_too_large"' in body
    assert "20 MB" in body
    assert server.say().status_code == 200
