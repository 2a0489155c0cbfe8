"""Every way in which a request can be wrong has its status, its code and its sentence; over real HTTP."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.api.running import Running
from tests.recordings import encoded, png, voice, voice_wav

PROMPT = {"input_text": "hello", "prompt_text": "what is said"}


def assert_error(response: httpx.Response, status: int, code: str, *words: str) -> None:
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert body["success"] is False
    assert body["message"] == body["error"] == body["detail"]
    assert body["request_id"] == response.headers["X-Request-Id"]
    for word in words:
        assert word in body["message"]


def post(server: Running, data: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
    with server.client() as client:
        return client.post("/api/v1/tts", data=data, **options)


def with_prompt(server: Running, recording: bytes, name: str = "voice.wav") -> httpx.Response:
    return post(server, PROMPT, files={"prompt_audio": (name, recording)})


@pytest.mark.parametrize("text", ["", " ", "\t\r\n", "\u3000"])
def test_blank_text(server: Running, text: str) -> None:
    assert_error(post(server, {"input_text": text, "index": "exampleA"}), 400, "nothing_to_say", "blank")


def test_no_input_text(server: Running) -> None:
    assert_error(post(server, {"index": "exampleA"}), 400, "invalid_field", "input_text is missing")


def test_no_body_at_all(server: Running) -> None:
    assert_error(post(server), 400, "invalid_field", "input_text is missing")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sample_rate", "16000", ["24000 or 32000", "16000"]),
        ("sample_rate", "fast", ["24000 or 32000"]),
        ("seed", "-1", ["0 to 9223372036854775807"]),
        ("seed", str(2**63), ["0 to 9223372036854775807"]),
        ("seed", "1.5", ["whole number"]),
        ("sampling", "0", ["1 to 100"]),
        ("sampling", "101", ["1 to 100"]),
        ("beam_size", "9", ["1 to 5"]),
        ("beam_size", "0", ["1 to 5"]),
        ("use_cache", "perhaps", ["true or false"]),
        ("use_phoneme", "2", ["true or false"]),
        ("sample_method", "greedy", ["ras or topk"]),
        ("response_format", "mp4", ["json, wav, flac, mp3, opus, aac or pcm"]),
        ("stream", "true", ["stream=true needs an audio format"]),
        ("speed", "0.2", ["a number from 0.25 to 4"]),
        ("speed", "9", ["0.25 to 4"]),
        ("speed", "nan", ["speed"]),
    ],
)
def test_a_value_out_of_its_range(server: Running, field: str, value: str, words: list[str]) -> None:
    assert_error(server.say(**{field: value}), 400, "invalid_field", field, *words)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"seed": True}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"input_text": 5}, "input_text"),
        ({"input_text": ["a"]}, "input_text"),
        ({"use_cache": "perhaps"}, "use_cache"),
        ({"index": {"a": 1}}, "index"),
    ],
)
def test_json_of_the_wrong_type(server: Running, fields: dict[str, Any], word: str) -> None:
    response = post(server, json={"input_text": "hello", "index": "exampleA", **fields})
    assert_error(response, 400, "invalid_field", word)


def test_a_long_value_is_quoted_in_part(server: Running) -> None:
    response = server.say(sample_method="x" * 5000)
    assert_error(response, 400, "invalid_field")
    assert len(response.json()["message"]) < 160


def test_unknown_voice(server: Running) -> None:
    assert_error(server.say(index="nobody"), 404, "unknown_voice", "nobody")


@pytest.mark.parametrize("index", ["../exampleA", "a\x00b", "x" * 300, "你好"])
def test_no_voice_has_such_a_name(server: Running, index: str) -> None:
    assert_error(server.say(index=index), 404, "unknown_voice")


def test_both_prompt_sources(server: Running) -> None:
    files = {"prompt_audio": ("voice.wav", voice_wav(2))}
    response = post(server, {**PROMPT, "index": "exampleA"}, files=files)
    assert_error(response, 400, "invalid_field", "either index")


def test_no_prompt_source(server: Running) -> None:
    assert_error(post(server, {"input_text": "hello"}), 400, "invalid_field", "index", "prompt_audio")


def test_a_recording_without_its_transcript(server: Running) -> None:
    response = post(server, {"input_text": "a"}, files={"prompt_audio": ("a.wav", voice_wav(2))})
    assert_error(response, 400, "invalid_field", "prompt_text")


def test_a_transcript_without_its_recording(server: Running) -> None:
    assert_error(post(server, PROMPT), 400, "invalid_field", "prompt_audio")


def test_text_in_place_of_the_recording(server: Running) -> None:
    response = post(server, {**PROMPT, "prompt_audio": "voice.wav"})
    assert_error(response, 400, "invalid_field", "-F prompt_audio=@")


def test_a_file_in_place_of_the_text(server: Running) -> None:
    response = post(server, {"index": "exampleA"}, files={"input_text": ("text.txt", b"hello")})
    assert_error(response, 400, "invalid_field", "input_text must be text")


def test_prompt_too_short(server: Running) -> None:
    assert_error(with_prompt(server, voice_wav(0.2)), 400, "prompt_rejected", "0.20 s", "at least 1 s")


def test_prompt_of_ten_minutes(server: Running) -> None:
    recording = encoded(np.tile(voice(10.0, 8000), 60), 8000, "FLAC")
    assert_error(with_prompt(server, recording), 400, "prompt_rejected", "600.00 s", "at most 30 s")


def test_silence_as_prompt(server: Running) -> None:
    recording = encoded(np.zeros(48000, np.float32), 24000, "WAV")
    assert_error(with_prompt(server, recording), 400, "prompt_rejected", "silent")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
def test_truncated_mp3(server: Running, share: float) -> None:
    whole = encoded(voice(3.0), 24000, "MP3")
    response = with_prompt(server, whole[: int(len(whole) * share)], "voice.mp3")
    assert_error(response, 400, "prompt_rejected", "cut off")


def test_empty_prompt_file(server: Running) -> None:
    assert_error(with_prompt(server, b""), 400, "prompt_rejected", "empty")


def test_a_png_named_wav(server: Running) -> None:
    assert_error(with_prompt(server, png(), "voice.wav"), 415, "not_audio", "wav")


def test_text_named_wav(server: Running) -> None:
    assert_error(with_prompt(server, "不是录音。".encode() * 50), 415, "not_audio")


def test_text_too_long(serve: Callable[..., Running]) -> None:
    server = serve(max_text_length=10)
    assert server.say("好" * 10).status_code == 200
    assert_error(server.say("好" * 11), 413, "text_too_long", "11", "MAX_TEXT_LENGTH")


@pytest.mark.parametrize(
    ("transcript", "length"),
    [("好" * 501, "501"), ("a\u0301\u0316" * 200_000, "600000"), ("\ufdfa" * 30, "540")],
    ids=["a little", "far", "once its signs are written out"],
)
def test_transcript_too_long(server: Running, transcript: str, length: str) -> None:
    fields = {"input_text": "hello", "prompt_text": transcript}
    response = post(server, fields, files={"prompt_audio": ("voice.wav", voice_wav(2))})
    assert_error(response, 413, "text_too_long", f"prompt_text has {length}", "500", "PROMPT_MAX_CHARACTERS")


def test_the_longest_transcript_that_is_allowed_passes(serve: Callable[..., Running]) -> None:
    server = serve(prompt_max_characters=20)
    for n_chars, status in ((20, 200), (21, 413)):
        fields = {"input_text": "hello", "prompt_text": f" {'好' * n_chars} "}
        response = post(server, fields, files={"prompt_audio": ("voice.wav", voice_wav(2))})
        assert response.status_code == status


def test_text_of_a_form_with_files_that_is_far_too_long(server: Running) -> None:
    response = post(server, {"index": "exampleA"}, files={"input_text": (None, "好" * 2_000_000)})
    assert_error(response, 413, "body_too_large", "1 MB")


def test_the_longest_text_that_is_allowed_passes(serve: Callable[..., Running]) -> None:
    server = serve(max_text_length=600_000)
    response = post(server, {"index": "exampleA"}, files={"input_text": (None, "好" * 600_000)})
    assert response.status_code == 200, response.text[:200]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"\xff\xfe"),
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"not a form"),
        ("application/x-www-form-urlencoded", b"input_text=%C4%E3%BA%C3"),
        ("application/x-www-form-urlencoded", "input_text=你好".encode("gbk")),
        ("text/plain", b"hello"),
    ],
)
def test_a_body_that_is_not_what_it_says(server: Running, content_type: str, body: bytes) -> None:
    response = post(server, content=body, headers={"Content-Type": content_type})
    assert_error(response, 422, "unparsable_body")


def test_a_form_in_gbk_is_refused_rather_than_spoken_as_gibberish(server: Running) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="input_text"\r\n\r\n'
        + "你好".encode("gbk")
        + b"\r\n--x--\r\n"
    )
    response = post(server, content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert_error(response, 422, "unparsable_body", "UTF-8")


def test_json_that_is_no_object(server: Running) -> None:
    assert_error(post(server, json=["hello"]), 400, "invalid_field", "object")


def test_unknown_route_and_method(server: Running) -> None:
    with server.client() as client:
        assert_error(client.get("/api/v1/nothing"), 404, "not_found", "/api/v1/nothing")
        refused = client.get("/api/v1/clear_cache")
        assert_error(
            refused, 405, "method_not_allowed", "GET is not possible on /api/v1/clear_cache", "send POST"
        )
        assert refused.headers["Allow"] == "POST"
        refused = client.patch("/api/v1/prompts")
        assert_error(refused, 405, "method_not_allowed", "send GET or POST", "/docs")
        assert refused.headers["Allow"] == "GET, POST"


def test_a_trailing_slash_changes_nothing(server: Running) -> None:
    with server.client() as client:
        said = client.post("/api/v1/tts/", data={"input_text": "hello", "index": "exampleA"})
        assert (said.status_code, said.json()["success"]) == (200, True)
        assert client.get("/api/v1/prompts/").json() == client.get("/api/v1/prompts").json()
        assert client.get("/api/v1/health/").status_code == 200
        assert_error(client.get("/api/v1/clear_cache//"), 405, "method_not_allowed")
        assert_error(client.get("/api/v1/nothing/"), 404, "not_found")


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
