"""The whole way over HTTP with every real part, on a tiny checkpoint whose weights mean nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from bench import make_synthetic_checkpoint
from glm_tts_api.api_server import engine_process
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.settings import Settings
from tests.api.project_folder import project
from tests.api.running import Running, running_app
from tests.api.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    make_synthetic_checkpoint.main([str(folder)])
    return folder


def _unguarded(settings: Settings, number: int) -> EngineClient:
    """An engine whose model is random, so that the lengths of its segments mean nothing."""
    return engine_process(settings, number, config=replace(settings.engine, guard=False))


def start(root: Path, checkpoint: Path, **settings: Any) -> Iterator[Running]:
    # One thread: more would wait for each other on a busy machine.
    project(
        root,
        model_dir=checkpoint,
        device="cpu",
        flow_steps=2,
        cpu_threads=1,
        text_length_threshold=15,
        **settings,
    )
    for name in (path.name for path in (REPOSITORY / "configs").iterdir()):
        if not (root / "configs" / name).exists():
            (root / "configs" / name).symlink_to(REPOSITORY / "configs" / name)
    with running_app(root, _unguarded) as server:
        wait_until(lambda: health(server)["status"] != "loading", 60)
        yield server


def health(server: Running) -> dict[str, Any]:
    with server.client() as client:
        body: dict[str, Any] = client.get("/api/v1/health").json()
    return body


@pytest.fixture(scope="module")
def server(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from start(tmp_path_factory.mktemp("project"), checkpoint)


def wav(server: Running, text: str, **fields: Any) -> bytes:
    response = server.say(text, response_format="wav", **fields)
    assert response.status_code == 200, response.text
    return response.content


def test_the_same_request_is_the_same_audio_alone_and_among_others(server: Running) -> None:
    alone = wav(server, "天气很好。", seed=7)
    assert wav(server, "天气很好。", seed=7) == alone
    assert wav(server, "天气很好。", seed=8) != alone
    others = ["明天呢？", "Hello there, how are you?", "数字一二三。", "天气很好。"]
    with ThreadPoolExecutor(5) as pool:
        crowd = [pool.submit(wav, server, text, seed=number) for number, text in enumerate(others)]
        again = [pool.submit(wav, server, "天气很好。", seed=7) for _ in range(2)]
        assert [done.result() for done in again] == [alone, alone]
        assert all(done.result() for done in crowd)
    with server.client() as client:
        assert client.post("/api/v1/clear_cache").json()["freed_bytes"] > 0
    assert wav(server, "天气很好。", seed=7) == alone


def test_a_damaged_checkpoint_is_one_clear_error(checkpoint: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    subprocess.run(["cp", "-r", str(checkpoint), str(damaged)], check=True)
    (weights,) = (damaged / "llm").glob("*.safetensors")
    tensors = load_file(weights)
    del tensors["model.layers.0.mlp.up_proj.weight"]
    save_file(tensors, weights)
    for server in start(tmp_path / "project", damaged):
        body = health(server)
        assert body["status"] == "unhealthy"
        assert "up_proj" in body["cause"]
        answer = server.say("你好")
        assert (answer.status_code, answer.json()["code"]) == (503, "unhealthy")
