"""A recording that is to be a voice, as a fake recogniser hears it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
import soundfile

from glm_tts_api import cli
from tests.api.running import Running
from tests.recognition.hearing import hears
from tests.recordings import voice_wav

Serve = Callable[..., Running]
SAID, OTHER = "大家好，很高兴见面。", "一只狐狸跳过了懒狗。"


def ask(client: httpx.Client, path: str, **fields: Any) -> httpx.Response:
    return client.post(
        f"/api/v1/prompts{path}", data=fields, files={"prompt_audio": ("a.wav", voice_wav(2.0))}
    )


def test_a_transcript_of_other_words_than_a_fake_recogniser_hears_gets_no_green_tick(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each recording is decoded once, for the recogniser too."""
    server = serve(prepare=hears(monkeypatch, "=", OTHER, f"?{OTHER}"), asr_model_dir="asr")
    opened = Mock(wraps=soundfile.SoundFile)
    monkeypatch.setattr(soundfile, "SoundFile", opened)
    with server.client() as client:
        reports = [ask(client, "/check", prompt_text=SAID).json() for _ in range(3)]
    assert opened.call_count == 3
    words = [next(each for each in report["checks"] if each["name"] == "words") for report in reports]
    assert [each["status"] for each in words] == ["ok", "warning", "warning"]
    assert [each["measured"]["heard"] for each in words] == [SAID, OTHER, OTHER]
    assert "other words" in words[1]["message"]
    assert "not sure" in words[2]["message"]


def test_a_fake_recogniser_writes_the_transcript_that_is_left_out_and_nothing_is_kept_unasked(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(prepare=hears(monkeypatch, SAID, SAID), asr_model_dir="asr")
    with server.client() as client:
        report = ask(client, "/check").json()
        assert (report["heard"], report["status"]) == (SAID, "warning")
        refused = ask(client, "", index="mine")
        assert refused.status_code == 400
        assert f"A recogniser heard '{SAID}'" in refused.json()["message"]
        assert "mine" not in client.get("/api/v1/prompts").text
        assert ask(client, "", index="mine", prompt_text=report["heard"]).status_code == 201


def test_a_voice_is_registered_and_changed_with_a_warning_where_a_fake_recogniser_hears_other_words(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = hears(monkeypatch, OTHER, "=", OTHER, "=", "die", "die")
    server = serve(prepare=heard, asr_model_dir="asr")
    with server.client() as client:
        texts = OTHER, SAID, OTHER, SAID
        answers = [
            ask(client, "", index="mine", prompt_text=SAID),
            *(client.put("/api/v1/prompts/mine", json={"prompt_text": text}) for text in texts),
        ]
        answers.append(client.put("/api/v1/prompts/mine", json={"description": "warm"}))
    warnings = [answer.json()["warnings"] for answer in answers]
    doubted = [any(f"'{OTHER}' is heard" in each for each in one) for one in warnings]
    assert doubted == [True, False, True, False, False, False]


def test_the_command_asks_whether_the_words_of_a_fake_recogniser_are_right(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(prepare=hears(monkeypatch, SAID, SAID), asr_model_dir="asr")
    (tmp_path / "me.wav").write_bytes(voice_wav(2.0))
    arguments = ["voices", "add", "mine", str(tmp_path / "me.wav"), "--url", server.url]
    assert cli.main(arguments) == 1  # no terminal, so nobody agrees
    assert f"Heard: {SAID}" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert cli.main(arguments) == 0
    with server.client() as client:
        assert client.get("/api/v1/prompts/mine").json()["prompt"]["prompt_text"] == SAID
