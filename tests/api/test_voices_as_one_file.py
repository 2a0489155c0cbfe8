"""GET /api/v1/prompts.zip and POST /api/v1/prompts/import."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from zipfile import ZIP_DEFLATED, ZipFile

import httpx

from tests.api.running import Running
from tests.recordings import png, voice_wav

SAID = "大家好，我是播音员，很高兴和大家见面。"
NOTES = {"consent": "Li Hua agreed.", "language": "zh", "gender": "female", "description": "温柔的声音"}


def add(client: httpx.Client, name: str, seconds: float, **fields: str) -> None:
    files = {"prompt_audio": ("a.wav", voice_wav(seconds))}
    data = {"index": name, "prompt_text": SAID, **fields}
    assert client.post("/api/v1/prompts", data=data, files=files).status_code == 201


def bring(client: httpx.Client, archive: bytes) -> httpx.Response:
    return client.post("/api/v1/prompts/import", files={"archive": ("voices.zip", archive)})


def zipped(recording: bytes) -> bytes:
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        listed = {"new": {"prompt_audio_path": "a.wav", "prompt_text": SAID}}
        archive.writestr("prompt_cache.json", json.dumps(listed))
        archive.writestr("a.wav", recording)
    return out.getvalue()


def test_a_voice_moves_with_its_moods_and_notes(serve: Callable[..., Running]) -> None:
    with serve().client() as here, serve().client() as there:
        add(here, "我的音色", 2.0, **NOTES)
        add(here, "我的音色", 2.5, mood="高兴", consent="Li Hua agreed.")
        file = here.get("/api/v1/prompts.zip", params={"index": "我的音色"})
        assert (file.status_code, file.headers["Content-Type"]) == (200, "application/zip")
        head = here.head("/api/v1/prompts.zip", params={"index": "我的音色"})
        assert (
            "filename*=UTF-8''%E6%88%91%E7%9A%84%E9%9F%B3%E8%89%B2.zip" in head.headers["Content-Disposition"]
        )
        answer = bring(there, file.content).json()
        assert answer["message"] == "2 added, 0 there already, 0 not imported."
        assert any("the voice comes out closer" in each for each in answer["prompts"][0]["warnings"])
        for path in ("", "/我的音色/audio", "/我的音色:高兴/audio"):
            assert there.get(f"/api/v1/prompts{path}").content == here.get(f"/api/v1/prompts{path}").content
        again = bring(there, here.get("/api/v1/prompts.zip").content).json()
        assert {each["index"]: each["result"] for each in again["prompts"]} == dict.fromkeys(
            ("exampleA", "exampleB", "我的音色", "我的音色:高兴"), "there"
        )
        there.put("/api/v1/prompts/我的音色", json={"prompt_text": "另一句话。"})
        (taken, _) = bring(there, file.content).json()["prompts"]
        assert (taken["result"], "DELETE it" in taken["message"]) == ("taken", True)
        assert here.get("/api/v1/prompts.zip", params={"index": "nobody"}).status_code == 404


def test_a_hostile_file_is_a_400_and_adds_nothing(serve: Callable[..., Running]) -> None:
    with serve(max_upload_mb=1).client() as client:
        before = client.get("/api/v1/prompts").content
        for archive, said in (
            (b"no zip", "not a zip file"),
            (zipped(png()), "not an audio file"),
            (zipped(bytes(2**23)), "makes it too large"),
            (zipped(voice_wav(2.0))[:-30], "not a zip file"),
        ):
            refused = bring(client, archive)
            assert (refused.status_code, refused.json()["code"]) == (400, "invalid_field")
            assert said in refused.json()["message"]
        nothing = client.post("/api/v1/prompts/import", json={"archive": "x"})
        assert nothing.status_code == 400
        assert bring(client, b"PK" + bytes(2**21)).status_code == 413
        assert client.get("/api/v1/prompts").content == before
