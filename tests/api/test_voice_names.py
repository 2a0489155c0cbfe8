"""Voices with names in any script, and by the names of other services' voices, in every dialect."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.running import Running
from tests.recordings import voice_wav

Serve = Callable[..., Running]
RECORDING = {"prompt_audio": ("a.wav", voice_wav(1.5))}


def spoken_by(server: Running) -> str | None:
    return getattr(server.engine.requests[-1].voice, "name", None)


@pytest.mark.parametrize("name", ["我的音色", "Ännchen", "ひかり", "हिन्दी", "голос-2", "音" * 64])
def test_a_voice_in_any_script(server: Running, name: str) -> None:
    """It is added, listed, heard, changed, spoken in every dialect and deleted by that name, in both ways in
    which programs spell it."""
    apart, at = unicodedata.normalize("NFD", name), f"/api/v1/prompts/{quote(name)}"
    with server.client() as client:
        added = client.post("/api/v1/prompts", data={"index": apart, "prompt_text": "said"}, files=RECORDING)
        assert added.status_code == 201, added.text
        assert added.json()["prompt"]["index"] == name
        assert client.get(added.json()["prompt"]["audio_url"]).content == voice_wav(1.5)
        assert {"id": name, "name": name} in client.get("/v1/audio/voices").json()["voices"]
        assert client.put(at, json={"prompt_text": "new"}).status_code == 200
        for path, fields in (
            ("/api/v1/tts", {"input_text": "hello", "index": apart}),
            ("/v1/audio/speech", {"input": "hello", "voice": name}),
            ("/api/paas/v4/audio/speech", {"input": "hello", "voice": apart}),
            ("/tts", {"text": "hello", "ref_audio_path": f"{name}.wav"}),
            ("/v1/audio/speech", {"input": f"[[voice {name}]]hello"}),
        ):
            assert client.post(path, json=fields).status_code == 200, path
        assert name in server.engine.requests[-1].others
        again = client.post("/api/v1/prompts", data={"index": name, "prompt_text": "said"}, files=RECORDING)
        assert again.status_code == 409
        files = [path.name for path in (server.root / "data/prompts").rglob("*") if path.is_file()]
        assert all(file.isascii() for file in files)
        assert client.delete(f"/api/v1/prompts/{quote(apart)}").status_code == 200
        assert client.get(at).status_code == 404


@pytest.mark.parametrize("name", ["a/b", "..", "a b", "a\nb", "a\u202eb", "a\u200bb", "音" * 65, "，", "🙂"])
def test_a_name_that_no_voice_may_have(server: Running, name: str) -> None:
    with server.client() as client:
        fields = {"index": name, "prompt_text": "said"}
        answer = client.post("/api/v1/prompts", data=fields, files=RECORDING)
    assert answer.status_code == 400
    assert "letters of any script" in answer.json()["message"]


def test_a_book_of_voices_that_is_written_by_hand(serve: Serve) -> None:
    def write(root: Path) -> None:
        recording = {"prompt_audio_path": "prompts/exampleA.wav", "prompt_text": "said"}
        book = {unicodedata.normalize("NFD", "Ännchen"): recording, "exampleA": recording}
        (root / "configs/prompt_cache.json").write_text(json.dumps(book))

    with serve(prepare=write).client() as client:
        assert client.get("/v1/audio/voices?legacy=true").json() == {"voices": ["exampleA", "Ännchen"]}
        assert client.post("/v1/audio/speech", json={"input": "hello", "voice": "Ännchen"}).status_code == 200


def test_aliases_hold_in_every_dialect(serve: Serve) -> None:
    """voice-mode's default voice is af_sky."""
    server = serve(voice_aliases="am_adam=exampleB")
    with server.client() as client:
        for name, voice in (("af_sky", "exampleA"), ("zf_xiaobei", "exampleA"), ("am_adam", "exampleB")):
            for path, fields in (
                ("/v1/audio/speech", {"input": "hello", "voice": name}),
                ("/api/paas/v4/audio/speech", {"input": "hello", "voice": name}),
                ("/tts", {"text": "hello", "character": name}),
                ("/tts", {"text": "hello", "ref_audio_path": f"{name}.wav"}),
            ):
                assert client.post(path, json=fields).status_code == 200, (path, name)
                assert spoken_by(server) == voice
