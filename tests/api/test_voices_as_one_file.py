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


def bring(client: httpx.Client, archive: bytes) -> httpx.Response:
    return client.post("/api/v1/prompts/import", files={"archive": ("voices.zip", archive)})


def zipped(recording: bytes) -> bytes:
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        listed = {"new": {"prompt_audio_path": "a.wav", "prompt_text": SAID}}
        archive.writestr("prompt_cache.json", json.dumps(listed))
        archive.writestr("a.wav", recording)
    return out.getvalue()


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
