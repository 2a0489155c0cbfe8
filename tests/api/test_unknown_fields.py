"""A field that is not one of ours changes nothing, and the answer and the log say so; over real HTTP."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest

from tests.api.running import Running
from tests.recordings import voice_wav

SAID = {"input_text": "hello", "index": "exampleA"}
MISSPELT = "'sampel_rate' is not a field here and was ignored; did you mean sample_rate?"


def send(server: Running, how: str, fields: dict[str, Any]) -> httpx.Response:
    with server.client() as client:
        if how == "multipart":
            return client.post("/api/v1/tts", files={name: (None, str(it)) for name, it in fields.items()})
        body: dict[str, Any] = {"json": fields} if how == "json" else {"data": fields}
        return client.post("/api/v1/tts", **body)


@pytest.mark.parametrize("how", ["multipart", "form", "json"])
def test_a_misspelt_field_is_named_with_the_one_that_was_meant(server: Running, how: str) -> None:
    answer = send(server, how, {**SAID, "sampel_rate": 32000, "feeling": "good"})
    assert answer.status_code == 200
    assert answer.json()["sample_rate"] == 24000
    assert answer.json()["warnings"] == [MISSPELT, "'feeling' is not a field here and was ignored."]


def test_without_one_the_list_is_empty_and_there_is_no_header(server: Running) -> None:
    assert server.say().json()["warnings"] == []
    assert "X-Warnings" not in server.say(response_format="wav").headers


def test_an_audio_answer_carries_the_warnings_in_a_header(server: Running) -> None:
    answer = server.say(response_format="wav", sampel_rate=32000)
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["X-Warnings"] == MISSPELT


@pytest.mark.parametrize("name", ["语气", "a\r\nSet-Cookie: x=1", "\x1b[31m", "\x00", "x" * 5000])
def test_a_name_that_no_header_can_hold(server: Running, name: str) -> None:
    with server.client() as client:
        answer = client.post("/api/v1/tts", json={**SAID, "response_format": "wav", name: 1})
        assert answer.status_code == 200
        assert answer.headers["X-Warnings"].isprintable()
        assert answer.headers["X-Warnings"].isascii()
        assert "Set-Cookie" not in answer.headers
        (warning,) = client.post("/api/v1/tts", json={**SAID, name: 1}).json()["warnings"]
    assert len(warning) < 120
    assert " ".join(name.split())[:30] in warning


def test_half_a_character_in_a_name(server: Running) -> None:
    recording = {"prompt_audio_path": "configs/prompts/exampleA.wav"}
    with server.client() as client:
        body = json.dumps({"index": "mine", "prompt_text": "said", **recording, "\ud83d": 1})
        headers = {"Content-Type": "application/json"}
        answer = client.post("/api/v1/prompts", content=body, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["warnings"][0] == "'\ufffd' is not a field here and was ignored."


def test_many_unknown_fields_are_counted_rather_than_listed(server: Running) -> None:
    with server.client() as client:
        warnings = client.post("/api/v1/tts", json={**SAID, **{f"x{n}": n for n in range(500)}}).json()[
            "warnings"
        ]
    assert len(warnings) == 11
    assert warnings[-1] == "490 more fields were ignored."


def test_the_log_names_the_field_and_holds_no_text_of_the_user(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        server.say("a secret", sampel_rate="hidden")
        send(server, "json", {**SAID, "Dear John, it is over": 1})
    lines = [record.getMessage() for record in caplog.records if "ignored" in record.getMessage()]
    assert lines == ["ignored fields that are not ours: sampel_rate", "ignored fields that are not ours: ?"]
    assert not any("secret" in r.getMessage() or "hidden" in r.getMessage() for r in caplog.records)


def test_a_missing_field_is_missed_beside_what_came_in_its_place(server: Running) -> None:
    answer = send(server, "form", {"inputtext": "hello", "index": "exampleA"})
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "input_text is missing. 'inputtext' is not a field here and was ignored; did you mean input_text?"
    )


def test_a_file_under_another_name(server: Running) -> None:
    with server.client() as client:
        answer = client.post(
            "/api/v1/tts", data=SAID, files={"prompt_adio": ("voice.wav", voice_wav(1.5), "audio/wav")}
        )
    assert answer.json()["warnings"] == [
        "'prompt_adio' is not a field here and was ignored; did you mean prompt_audio?"
    ]


def test_voices_are_registered_and_changed_with_the_same_care(server: Running) -> None:
    with server.client() as client:
        recording = {"prompt_audio": ("voice.wav", voice_wav(1.5))}
        fields = {"index": "mine", "prompt_text": "said", "promt_text": "other"}
        added = client.post("/api/v1/prompts", data=fields, files=recording)
        changed = client.put("/api/v1/prompts/mine", json={"prompt_text": "new", "text": "other"})
    assert added.status_code == 201
    ignored = "'promt_text' is not a field here and was ignored; did you mean prompt_text?"
    assert added.json()["warnings"][0] == ignored
    assert changed.json()["prompt"]["prompt_text"] == "new"
    assert changed.json()["warnings"][0].startswith("'text' is not a field here and was ignored")
