"""The server's process has no models and nothing that runs or feeds them; each engine's has."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.api.server_process import Server
from tests.api.socket_client import heard, talking, tell
from tests.recordings import voice_wav

MODEL_MODULES = {"torch", "transformers", "onnxruntime", "pynini", "jieba"}
NATIVE = {"torch", "_pynini"}  # of these, with libraries of their own
SPEECH = {"input": "你好。", "voice": "new", "model": "tts-1"}


def loaded(process: int | str) -> set[str]:
    """The packages whose libraries are in the process's memory."""
    maps = Path(f"/proc/{process}/maps").read_text(encoding="utf-8")
    return {found[0] for found in re.findall(r"site-packages/(\w+)[/.](\S*\.so)", maps)}


def test_after_all_that_can_be_asked_of_it(process: Callable[..., Server]) -> None:
    server = process("tests.api.real_app:app", flow_steps=1)
    server.wait_until_all_speak(300)
    ask_for_everything(server)
    imported = {name.partition(".")[0] for name in server.client.get("/modules").json()}
    assert imported & MODEL_MODULES == set()
    assert loaded(server.process.pid) & NATIVE == set()
    assert "numpy" in loaded(server.process.pid)
    (worker,) = server.stats()["per_worker"]
    assert loaded(worker["pid"]) >= NATIVE


def ask_for_everything(server: Server) -> None:
    def post(path: str, **options: Any) -> httpx.Response:
        answer = server.client.post(path, timeout=300, **options)
        assert answer.status_code < 300, answer.text
        return answer

    voice = {"index": "new", "prompt_text": "what is said"}
    post("/api/v1/prompts", data=voice, files={"prompt_audio": ("a.wav", voice_wav(2.0))})
    post("/api/v1/text/normalize", json={"input_text": "预计3-5天送到 by DHL", "use_phoneme": True})
    post("/api/v1/tts", data={"input_text": "你好。", "index": "new", "use_phoneme": "true"})
    for audio_format in ("opus", "flac", "pcm"):
        post("/v1/audio/speech", json={**SPEECH, "response_format": audio_format})
    with talking(str(server.client.base_url)) as client:
        tell(client, "text", text="你好。")
        tell(client, "end")
        heard(client, "done")
    assert server.client.put("/api/v1/lexicon/重庆", json={"reading": "chong2 qing4"}).status_code == 200
    assert server.client.get("/api/v1/text/readings", params={"word": "重庆"}).status_code == 200
    for path in ("/metrics", "/api/v1/health", "/docs"):
        assert server.client.get(path, follow_redirects=True).status_code == 200, path
