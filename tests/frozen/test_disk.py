"""disk/ is a project folder that a server of commit c9c78c3b left behind when it was killed. It has voices, a
mood, a lexicon, dictionaries, keys, settings that are gone since, a finished book and a job half done. The
server of today opens all of it."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from dotenv import dotenv_values

from glm_tts_api.settings import Settings
from tests.api.waiting import wait_until
from tests.scripts.own_project import free_port

DISK = Path(__file__).parent / "disk"
FINISHED, HALF_DONE = "9b99e8473aa44f1ea5fcd4d2b5fab9d0", "51e5955f58a144c9b1f7d3090123cb86"
PARTNER = {"X-API-Key": "of-the-partner"}


@dataclass(frozen=True)
class Served:
    root: Path
    client: httpx.Client

    @property
    def log(self) -> str:
        return (self.root / "terminal").read_text()

    def job(self, id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.client.get(f"/api/v1/jobs/{id}").json()
        return job


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("left") / "project"
    shutil.copytree(DISK, root)
    for path in root.rglob("*"):
        path.touch()  # a finished job is deleted some time after its last change
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "API_HOST": "127.0.0.1", "PORT": str(port)}
    with (root / "terminal").open("w") as terminal:
        server = subprocess.Popen(
            [sys.executable, "-m", "glm_tts_api", "serve"],
            cwd=root,
            env={**environment, "PYTHONPATH": str(DISK.parents[2])},
            stdout=terminal,
            stderr=terminal,
        )
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"X-API-Key": "my-own-key"},
        timeout=300,
        trust_env=False,
    )
    one = Served(root, client)

    def is_healthy() -> bool:
        assert server.poll() is None, one.log
        try:
            return bool(client.get("/api/v1/health").json()["status"] == "healthy")
        except httpx.TransportError:
            return False

    try:
        wait_until(is_healthy, 300)
        yield one
    finally:
        server.terminate()
        server.wait()


def test_each_setting_that_is_gone_has_its_warning(served: Served) -> None:
    gone = dotenv_values(DISK / ".env").keys() - {*map(str.upper, Settings.model_fields), "PRESET"}
    assert {"MAX_VOICES", "WEIGHTS"} <= gone
    for name in gone:
        assert f"{name} in .env is a setting no more and has no effect: " in served.log, name


def test_a_voice_speaks_in_its_mood_and_by_its_alias(served: Served) -> None:
    (voice,) = [
        one for one in served.client.get("/api/v1/prompts").json()["prompts"] if one["source"] == "own"
    ]
    assert (voice["index"], [mood["name"] for mood in voice["moods"]]) == ("aside", ["glad"])
    assert (voice["gender"], voice["description"]) == ("female", "A calm voice")

    def said(voice: str) -> bytes:
        wanted = {"input": "好。", "voice": voice, "model": "tts-1", "response_format": "pcm"}
        answer = served.client.post("/v1/audio/speech", json=wanted)
        assert answer.status_code == 200, answer.text
        return answer.content

    assert said("nova") == said("aside:glad") != said("aside")


def test_the_lexicon_and_the_dictionaries_hold(served: Served) -> None:
    text = "甲乙丙在重庆用GLM模型，装机5kWp。"
    segments = served.client.post("/api/v1/text/normalize", json={"input_text": text}).json()["segments"]
    assert [one["phonemes"] for one in segments] == [
        "一二三在<|CH|><|ONG2|><|Q|><|ING4|>用智谱模型模型，装机五千瓦峰。"
    ]


def test_the_keys_open_what_they_opened(served: Served) -> None:
    def status(path: str, key: str) -> int:
        return served.client.get(path, headers={"X-API-Key": key}).status_code

    assert status("/api/v1/jobs", "of-the-owner") == 200
    assert status("/api/v1/prompts", "another") == 403
    seen = served.client.get("/api/v1/prompts", headers=PARTNER).json()["prompts"]
    assert {one["index"] for one in seen} == {"exampleA", "aside"}
    refused = {"input_text": "好。", "index": "exampleB"}
    assert served.client.post("/api/v1/tts", json=refused, headers=PARTNER).status_code == 403
    assert served.client.get("/metrics", headers={"Authorization": "Bearer figures"}).status_code == 200


def test_a_finished_book_is_there_to_download(served: Served) -> None:
    job = served.job(FINISHED)
    assert (job["state"], job["title"], job["chapter_count"]) == ("done", "第一章", 2)
    for form in ("m4b", "mp3"):
        book = served.client.get(f"/api/v1/jobs/{FINISHED}/audio", params={"format": form})
        assert book.status_code == 200
        with av.open(io.BytesIO(book.content)) as opened:
            assert opened.duration is not None
            assert abs(opened.duration / 1e6 - job["audio_seconds"]) < 0.2
    assert "雪下了一夜。" in served.client.get(f"/api/v1/jobs/{FINISHED}/subtitles.srt").text


def test_the_job_half_done_goes_on_by_itself_and_keeps_what_it_had(served: Served) -> None:
    def heard(root: Path) -> dict[str, str]:
        files = (root / "data/jobs" / HALF_DONE / "audio").iterdir()
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    wait_until(lambda: served.job(HALF_DONE)["state"] not in ("queued", "running"), 300)
    job = served.job(HALF_DONE)
    assert (job["state"], job["segments_done"]) == ("done", 6)
    assert len(heard(DISK)) == 3
    assert heard(DISK).items() <= heard(served.root).items()
    assert served.client.get(f"/api/v1/jobs/{HALF_DONE}/audio").status_code == 200
