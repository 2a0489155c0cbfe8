"""Jobs over HTTP: a text becomes a book in the places that no request needs, and all of it can be fetched."""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import httpx
import pytest

from tests.api.job_client import N_UNITS, TEXT, begin, wait_for
from tests.api.project_folder import project
from tests.api.running import Running, running_app
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.scraping import Scrape

SECONDS = N_UNITS * 0.5 + (N_UNITS - 1) * 0.8 + 2.0  # tones and pauses, the chapter's behind the last


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all tests that need no other."""
    root = project(tmp_path_factory.mktemp("server"), workers=1)
    with running_app(root, lambda _, number: ToneEngine()) as server:
        yield server


def test_a_text_becomes_a_book(client: httpx.Client) -> None:
    id = begin(client, title="江南", author="某人")
    job = wait_for(client, id, "done")
    assert (job["title"], job["author"], job["segments"], job["segments_done"]) == ("江南", "某人", 6, 6)
    assert [(each["segments"], each["segments_done"]) for each in job["chapters"]] == [(6, 6)]
    assert job["audio_seconds"] == pytest.approx(SECONDS)  # a tone and a pause, at the end a chapter's
    row = client.get("/api/v1/jobs").json()["jobs"][0]
    assert row == {name: value for name, value in job.items() if name not in ("success", "chapters")}
    assert (row["id"], row["chapter_count"]) == (id, 1)


def test_a_file_and_a_recording_are_sent_as_a_form(server: Running, client: httpx.Client) -> None:
    recording = client.get("/api/v1/prompts/exampleA/audio").content
    answer = client.post(
        "/api/v1/jobs",
        data={"prompt_text": "录音里说的每一个字。", "title": "江南"},
        files={"file": ("book.txt", TEXT.encode()), "prompt_audio": ("my.wav", recording)},
    )
    assert answer.status_code == 202, answer.text
    wait_for(client, answer.json()["id"], "done")
    id = answer.json()["id"]
    voices = {each.voice.transcript for each in server.engine.requests if each.request_id.startswith(id)}
    assert voices == {"录音里说的每一个字。"}


def test_an_id_is_no_path(client: httpx.Client) -> None:
    for id in ("..", "%2e%2e%2fprompts", "nothing", "0" * 32, "0" * 31 + "/"):
        for path in (f"/api/v1/jobs/{id}", f"/api/v1/jobs/{id}/audio"):
            assert client.get(path).status_code in (404, 307)
        assert client.delete(f"/api/v1/jobs/{id}").status_code in (404, 405)


def test_metrics_count_jobs_and_their_units(client: httpx.Client) -> None:
    def scraped() -> Scrape:
        return Scrape(client.get("/metrics").text)

    units = scraped()("job_units_total")
    wait_for(client, begin(client), "done")
    assert scraped()("job_units_total") == units + N_UNITS
    n_done = sum(job["state"] == "done" for job in client.get("/api/v1/jobs").json()["jobs"])
    wait_until(lambda: scraped()("jobs", state="done") == n_done)


def test_a_chapter_as_acx_takes_it(client: httpx.Client) -> None:
    id = begin(client, input_text="第一章 起\n好。\n第二章 落\n好。", title="江南")
    wait_for(client, id, "done")
    address = f"/api/v1/jobs/{id}/audio"
    first = client.get(address, params={"preset": "acx", "chapter": 1}).raise_for_status()
    with av.open(io.BytesIO(first.content)) as file:
        assert (file.streams.audio[0].rate, file.streams.audio[0].bit_rate) == (44100, 192000)
        assert file.metadata["title"] == "第一章 起"
        seconds = sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))
    # Quiet, heading, pause, text, quiet.
    assert seconds == pytest.approx(0.75 + 0.5 + 1.0 + 0.5 + 2.0, abs=0.1)
    plain = client.get(address, params={"chapter": 1}).raise_for_status()
    with av.open(io.BytesIO(plain.content)) as file:
        assert (file.streams.audio[0].rate, file.metadata["track"]) == (24000, "1/2")
    subtitles = client.get(address.replace("audio", "subtitles.srt"), params={"preset": "acx", "chapter": 2})
    assert subtitles.text.startswith("1\n00:00:00,750 --> 00:00:01,")
    assert ("第二章 落" in subtitles.text, "第一章" in subtitles.text) == (True, False)
    for query in ("preset=acx", "chapter=3", "preset=acx&chapter=1&format=wav", "loudness=0"):
        assert client.get(f"{address}?{query}").status_code == 400


def test_files_of_many_loudnesses_are_not_kept(client: httpx.Client, server: Running) -> None:
    id = begin(client)
    wait_for(client, id, "done")
    address, bodies = f"/api/v1/jobs/{id}/audio", []
    for lufs in (-16, -16.2, -15.800001, -20, -21.123456):
        answer = client.get(address, params={"format": "wav", "loudness": lufs}).raise_for_status()
        bodies.append(answer.content)
    assert bodies[0] == bodies[1] == bodies[2]
    files = {file.name for file in (server.root / "data/jobs" / id / "outputs").iterdir()}
    assert files == {f"{N_UNITS}at-20.wav", f"{N_UNITS}at-21.wav"}
