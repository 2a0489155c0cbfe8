"""A whole answer that will not be done in time ends once that is known, and what was made is a job that can
go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from glm_tts_api.audio.encode import to_pcm16
from glm_tts_api.contracts import SpeechRequest
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.shelf import Look
from glm_tts_api.longform.speech import speech_of
from speech_text import TextFrontend
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

Serve = Callable[..., Running]
TEXT = "\n\n".join(
    f"第{number}段说的是[[江南|jiang1 nan2]]的春天和那里的人们，他们在河边走来走去，看着花，说着很久以前。"
    for number in range(100)
)


class Reader(ToneEngine):
    """Speaks the segments that the text has."""

    def _n_segments_of(self, asked: SpeechRequest) -> int:
        assert self.frontend is not None
        return len(self.frontend.read(asked.text).segments)


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> TextFrontend:
    frontend = TextFrontend(cache_dir=tmp_path_factory.mktemp("text"))
    frontend.read(TEXT)  # its dictionaries load now
    return frontend


def ask(client: httpx.Client, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    body = {"input_text": TEXT, "index": "exampleA", **fields}
    return client.post("/api/v1/tts", json=body, headers=headers)


def test_what_was_made_is_a_job_that_goes_on(serve: Serve, frontend: TextFrontend) -> None:
    engine = Reader(segment_s=0.2, frontend=frontend)
    server = serve(engine, long_text_timeout=10)
    with server.client() as client:
        not_for_jobs = ask(client, headers={"X-Forwarded-For": "203.0.113.7"})
        assert (not_for_jobs.status_code, not_for_jobs.json().get("job")) == (408, None)
        assert not list((server.root / "data/jobs").glob("[0-9a-f]*"))
        answer = ask(client)
        assert answer.status_code == 408
        late = answer.json()
        assert "At its pace the request would take some" in late["message"]
        id = late["job"]
        assert answer.headers["x-job-id"] == id
        assert f"/api/v1/jobs/{id}/resume" in late["message"]

        job = client.get(f"/api/v1/jobs/{id}").raise_for_status().json()
        assert (job["state"], job["segments_done"]) == ("paused", 5)
        assert "30 minutes" in job["message"]
        look = Look(JobFolder(server.root / "data/jobs" / id))
        time = np.arange(12000) / 24000
        tone = (0.3 * np.sin(2 * np.pi * (200 + 42 % 200) * time)).astype(np.float32)
        for unit in range(5):
            samples = 2**15 * speech_of(look, unit)
            assert np.array_equal(samples, to_pcm16(tone)), "those that the answer would have had"
        said = [unit.text for unit in look.folder.units()]
        assert "".join("".join(said).split()) == "".join(TEXT.split())
        assert [round(silence / 24000, 1) for silence in look.made.silence[:5]] == [0.8] * 5
        srt = client.get(f"/api/v1/jobs/{id}/subtitles.srt").text
        assert "第0段说的是江南的春天" in srt

        engine.segment_s, n_before = 0.0, len(engine.requests)
        client.post(f"/api/v1/jobs/{id}/resume").raise_for_status()
        wait_until(lambda: client.get(f"/api/v1/jobs/{id}").json()["state"] == "done")
        assert len(engine.requests) - n_before == job["segments"] - 5, "what was there is not spoken again"
        assert look.folder.read().expires_at == 0, "it stays as long as any other now"
