"""A user's text that an answer, a header or a log line repeats: 80 characters of it, whatever was sent."""

from __future__ import annotations

import logging
import re
from typing import Any

import httpx
import pytest

from tests.api.running import Running
from tests.recordings import voice_wav

LONG = "x" * 5000
TAGS = "".join(f"<t{number}-{LONG[:60]}/>" for number in range(250))
SPOKEN = {"input_text": f"<speak>hello{TAGS}</speak>", "index": "exampleA", "input_type": "ssml"}


def longest_echo(answer: httpx.Response) -> int:
    said = answer.text + "".join(answer.headers.values())
    return max(map(len, re.findall("x+", said)), default=0)


def test_a_header_of_warnings_has_2_kb_and_counts_what_it_leaves_out(server: Running) -> None:
    said = {"index": "exampleA", "response_format": "wav"}
    names = {f"{n}{'语' * 39}": 1 for n in range(8)}  # 240 bytes each, as a header has to have them
    with server.client() as client:
        tags = client.post("/api/v1/tts", json={**SPOKEN, **said}).headers["X-Warnings"]
        fields = client.post("/api/v1/tts", json={"input_text": "hello", **said, **names}).headers[
            "X-Warnings"
        ]
        warnings = client.post("/api/v1/tts", json=SPOKEN).json()["warnings"]
    assert max(len(tags), len(fields)) <= 2048
    assert "240 more tags are not known here." in tags
    assert (fields.count("ignored"), fields.endswith(" And 1 more.")) == (7, True)
    assert (len(warnings), warnings[-1]) == (11, "240 more tags are not known here.")


WAV = ("file.wav", voice_wav(1.5))
CONSENT = {"name": LONG, "language": LONG, "voice_name": LONG}
ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/v1/tts", {"json": {"input_text": "hello", "index": LONG}}),
    ("POST", "/api/v1/tts", {"json": {"input_text": "hello", "index": "exampleA", LONG: LONG}}),
    ("POST", "/api/v1/tts", {"json": {"input_text": f"[[word|{LONG[:150]}]]", "index": "exampleA"}}),
    ("POST", "/api/v1/tts", {"json": {"input_text": f"[[voice {LONG[:150]}]]", "index": "exampleA"}}),
    ("PUT", "/api/v1/lexicon/word", {"json": {"reading": LONG[:200]}}),
    ("PUT", "/api/v1/lexicon/" + LONG, {"json": {"replacement": "word"}}),
    ("GET", "/api/v1/lexicon/" + LONG, {}),
    ("GET", "/api/v1/prompts/" + LONG, {}),
    ("PUT", "/api/v1/prompts/exampleA", {"json": {"index": LONG, "prompt_text": "text"}}),
    ("POST", "/api/v1/prompts", {"json": {"index": LONG, "prompt_text": "t", "prompt_audio_path": LONG}}),
    ("GET", "/" + LONG, {}),
    (LONG.upper(), "/api/v1/tts", {}),
    ("GET", "/v1/models/" + LONG, {}),
    ("POST", "/v1/audio/speech", {"json": {"input": "hello", "voice": LONG}}),
    ("POST", "/v1/audio/voice_consents", {"data": CONSENT, "files": {"recording": WAV}}),
    ("DELETE", "/v1/audio/voice_consents/" + LONG, {}),
    ("DELETE", "/v1/audio/voices/" + LONG, {}),
    ("POST", "/api/paas/v4/audio/speech", {"json": {"model": "x" * 900_000, "input": "a", "stream": True}}),
    ("POST", "/api/paas/v4/files", {"data": {"purpose": LONG}, "files": {"file": (LONG, voice_wav(1.5))}}),
    ("POST", "/api/paas/v4/voice/delete", {"json": {"voice": LONG}}),
    ("POST", "/api/paas/v4/voice/clone", {"json": {**CONSENT, "text": "t", "file_id": LONG, "input": "i"}}),
    ("GET", "/api/paas/v4/files/" + LONG + "/content", {}),
    ("POST", "/tts", {"json": {"text": "hello", "ref_audio_path": LONG}}),
]


def test_no_answer_and_no_log_line_repeats_more(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), server.client() as client:
        for method, path, body in ASKED:
            answer = client.request(method, path, **body)
            assert longest_echo(answer) <= 80, answer.text
            assert "X" * 81 not in answer.text
        file_id = client.post("/api/paas/v4/files", files={"file": WAV}).json()["id"]
        wanted = {"voice_name": "mine", "text": "t", "file_id": file_id, "input": "i", "request_id": LONG}
        answer = client.post("/api/paas/v4/voice/clone", json=wanted)
    assert (answer.status_code, longest_echo(answer)) == (200, 79)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("glm_tts_api")]
    assert all(len(line) < 300 for line in ours)
