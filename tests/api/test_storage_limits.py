"""MAX_VOICES_MB and the room of the lexicon over each API: 507 says why, and a DELETE always works."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from glm_tts_api.lexicon import MOST_WORDS
from tests.api.running import Running
from tests.recordings import voice_wav

Serve = Callable[..., Running]
RECORDING = ("mine.wav", voice_wav(2.0))


def add(client: httpx.Client, index: str, recording: bytes = RECORDING[1]) -> httpx.Response:
    files = {"prompt_audio": ("mine.wav", recording)}
    return client.post("/api/v1/prompts", data={"index": index, "prompt_text": "said"}, files=files)


@pytest.mark.parametrize("limit", [1, 0], ids=["voices", "bytes"])
def test_voices_beyond_the_limit_are_507_in_every_api(serve: Serve, limit: int) -> None:
    server, said = serve(max_voices_mb=limit), {"prompt_text": "said", "consent": "any"}
    with server.client() as client:
        n_kept = sum(add(client, f"v{n}").status_code == 201 for n in range(limit))
        refused = add(client, "mine")
        assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
        assert ("1 voices were added" if limit else "more than 0 MB") in refused.json()["message"]
        file_id = client.post("/api/paas/v4/files", files={"file": RECORDING}).json()["id"]
        wanted = {"voice_name": "mine", "text": "said", "input": "hi", "file_id": file_id}
        openais = client.post(
            "/v1/audio/voices", data={"name": "mine", **said}, files={"audio_sample": RECORDING}
        )
        for answer in (
            refused,
            openais,
            client.put("/api/v1/prompts/exampleA", json={"prompt_text": "other"}),
            client.post("/api/paas/v4/voice/clone", json=wanted),
        ):
            assert "MAX_VOICES_MB" in answer.text
        assert openais.headers["X-Should-Retry"] == "false"
        assert client.get("/api/v1/prompts").json()["count"] == 2 + n_kept
        if n_kept:
            assert client.delete("/api/v1/prompts/v0").status_code == 200
            assert add(client, "mine").status_code == 201


def test_words_beyond_the_limit_are_507(serve: Serve) -> None:
    server = serve()
    lines = [json.dumps({"word": f"word{n}", "replacement": "x"}) for n in range(MOST_WORDS - 1)]
    Path(server.root, "configs", "lexicon.jsonl").write_text("\n".join(lines) + "\n")
    with server.client() as client:
        assert client.put("/api/v1/lexicon/one", json={"replacement": "1"}).status_code == 200
        refused = client.put("/api/v1/lexicon/two", json={"replacement": "2"})
        assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
        assert "20000 words" in refused.json()["message"]
        assert client.put("/api/v1/lexicon/one", json={"replacement": "uno"}).status_code == 200
        assert client.delete("/api/v1/lexicon/one").status_code == 200
        assert client.put("/api/v1/lexicon/two", json={"replacement": "2"}).status_code == 200
