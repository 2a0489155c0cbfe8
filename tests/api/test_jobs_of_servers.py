"""Jobs over HTTP, each test with servers of its own: pauses, keys, shares, the next server."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.api.job_client import N_UNITS, TEXT, audio, begin, look, wait_for
from tests.api.project_folder import project
from tests.api.running import Running, running_app
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until


def test_a_job_is_paused_goes_on_and_is_the_same(serve: Callable[..., Running]) -> None:
    engine = ToneEngine(delay_s=600, n_quick=N_UNITS + 1)
    with serve(engine).client() as client:
        straight = begin(client)
        wait_for(client, straight, "done")
        id = begin(client)
        wait_until(lambda: look(client, id)["segments_done"] >= 1)
        paused = client.post(f"/api/v1/jobs/{id}/pause").raise_for_status().json()
        assert (paused["state"], paused["eta_s"]) == ("paused", None)
        time.sleep(0.2)
        assert look(client, id)["segments_done"] == paused["segments_done"]
        engine.release()
        assert client.post(f"/api/v1/jobs/{id}/resume").json()["state"] in ("queued", "running")
        wait_for(client, id, "done")
        assert audio(client, id).content == audio(client, straight).content


def test_a_cancelled_job_keeps_its_audio_until_it_is_deleted(serve: Callable[..., Running]) -> None:
    server = serve(ToneEngine(delay_s=600, n_quick=2))
    with server.client() as client:
        id = begin(client)
        wait_until(lambda: audio(client, id).is_success)
        assert client.post(f"/api/v1/jobs/{id}/cancel").json()["state"] == "cancelled"
        assert audio(client, id).status_code == 200
        refused = client.post(f"/api/v1/jobs/{id}/resume")
        assert (refused.status_code, refused.json()["code"]) == (409, "job_refuses")
        assert client.delete(f"/api/v1/jobs/{id}").status_code == 200
        assert client.get(f"/api/v1/jobs/{id}").status_code == 404
    assert not list((server.root / "data/jobs").glob("[0-9a-f]*"))


def test_a_job_that_is_deleted_while_its_audio_is_made_ends_the_answer_without_a_fault(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def write_slowly(growing: Path, *_: object, **__: object) -> Iterator[None]:
        growing.write_bytes(b"RIFF")
        wait_until(lambda: not growing.parent.exists())
        yield

    monkeypatch.setattr("glm_tts_api.longform.outputs.write_audio", write_slowly)
    with server.client() as client, server.client() as other:
        id = begin(client)
        wait_for(client, id, "done")
        with client.stream("GET", f"/api/v1/jobs/{id}/audio?format=wav") as answer:
            assert other.delete(f"/api/v1/jobs/{id}").status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                assert answer.read() == b"RIFF"
    assert caplog.messages[-1] == f"/api/v1/jobs/{id}/audio cut off: loading"
    assert not [record for record in caplog.records if record.exc_info]


def test_with_keys_each_sees_its_own(serve: Callable[..., Running]) -> None:
    server = serve(api_keys="one,two")
    with server.client() as client:
        mine, other = {"Authorization": "Bearer one"}, {"X-API-Key": "two"}
        assert client.get("/api/v1/jobs").status_code == 401
        client.headers.update(mine)
        id = begin(client)
        wait_for(client, id, "done")
        client.headers.pop("Authorization")
        client.headers.update(other)
        assert client.get("/api/v1/jobs").json()["jobs"] == []
        for path in ("", "/audio", "/subtitles.srt", "/chapters.json"):
            assert client.get(f"/api/v1/jobs/{id}{path}").status_code == 404
        assert client.delete(f"/api/v1/jobs/{id}").status_code == 404


def test_a_link_opens_the_audio_of_one_job_without_its_key(serve: Callable[..., Running]) -> None:
    server, beside = serve(api_keys="one,two"), serve(api_keys="other")
    with server.client() as client:
        client.headers["X-API-Key"] = "one"
        id, other = begin(client), begin(client)
        wait_for(client, id, "done")
        wait_for(client, other, "done")
        whole = audio(client, id, "mp3").content
        answer = client.post(f"/api/v1/jobs/{id}/link").raise_for_status().json()
        assert 3600 < answer["expires_at"] - time.time() < 86400
        del client.headers["X-API-Key"]
        address, query = f"/api/v1/jobs/{id}/audio", {"link": answer["link"]}
        assert client.get(address, params=query).content == whole
        assert client.head(address, params=query).headers["content-length"] == str(len(whole))
        part = client.get(address, params=query, headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole[100:200])
        assert "Cross-Origin-Resource-Policy" not in part.headers, "a player in any page may play it"
        assert part.headers["Cache-Control"] == "private, no-store"
        assert client.get(address).status_code == 401
        assert client.get(f"/api/v1/jobs/{id}", params=query).status_code == 401
        assert client.delete(f"/api/v1/jobs/{id}", params=query).status_code == 401
        assert client.get(f"/api/v1/jobs/{other}/audio", params=query).status_code == 403
        later, _, rest = answer["link"].partition("-")
        for wrong in (f"{int(later) + 1}-{rest}", f"1-{rest}", f"{later}-", "-", "9" * 400, "链接"):
            assert client.get(address, params={"link": wrong}).status_code == 403
    with beside.client() as client:
        assert client.get(address, params=query).status_code == 403, "another server has other keys"


def test_jobs_of_a_key_that_is_gone_are_seen_by_the_first_key(tmp_path: Path) -> None:
    """Else its text and audio would lie on the disk for nobody."""

    def sees(number: int, keys: str, key: str) -> list[str]:
        root = project(tmp_path / str(number), jobs_dir=tmp_path / "jobs", workers=1, api_keys=keys)
        with (
            running_app(root, lambda *_: ToneEngine()) as server,
            server.client(headers={"X-API-Key": key}) as client,
        ):
            if not number:
                begin(client)
            return [str(job["id"]) for job in client.get("/api/v1/jobs").json()["jobs"]]

    (id,) = sees(0, "old,other", "old")
    assert sees(1, "new,other", "new") == [id]
    assert sees(2, "new,other", "other") == []


def test_a_job_goes_on_in_the_next_server(tmp_path: Path) -> None:
    settings = {"jobs_dir": tmp_path / "jobs", "workers": 1, "drain_timeout": 0}
    first, second = (project(tmp_path / name, **settings) for name in ("first", "second"))
    engine = ToneEngine()
    with ExitStack() as ends:
        with (
            running_app(first, lambda _, number: ToneEngine(delay_s=600, n_quick=1)) as server,
            server.client() as client,
        ):
            id = begin(client, input_text=TEXT * 4)
            wait_until(lambda: look(client, id)["segments_done"] >= 1)
            other = ends.enter_context(running_app(second, lambda _, number: engine))
            client = ends.enter_context(other.client())
            wait_until(lambda: look(client, id)["state"] == "running")
            assert not engine.requests, "two servers never run one job"
        job = wait_for(client, id, "done")
        assert 0 < len(engine.requests) < job["segments"], "what was there is not spoken again"


@pytest.mark.parametrize("has_ended", [True, False])
def test_pieces_that_are_damaged_on_the_disk_are_spoken_again(
    serve: Callable[..., Running], has_ended: bool
) -> None:
    engine = ToneEngine(delay_s=0 if has_ended else 600, n_quick=N_UNITS - 1)
    server = serve(engine)
    with server.client() as client:
        id = begin(client)
        wait_until(lambda: look(client, id)["segments_done"] >= N_UNITS - 1)
        if has_ended:
            whole = audio(client, wait_for(client, id, "done")["id"], "flac").content
        files = sorted((server.root / "data/jobs" / id / "audio").iterdir())
        before = {file.name: file.read_bytes() for file in files}
        files[0].write_bytes(before[files[0].name][:1000])
        files[1].write_bytes(b"")
        files[2].unlink()
        refused = audio(client, id)
        assert (refused.status_code, refused.json()["code"]) == (409, "job_refuses")
        assert "segment 1 " in refused.json()["message"]
        assert "resume" in refused.json()["message"]
        engine.release()
        if has_ended:
            client.post(f"/api/v1/jobs/{id}/resume").raise_for_status()
        wait_for(client, id, "done")
        after = {file.name: file.read_bytes() for file in files[0].parent.iterdir()}
        assert before.items() <= after.items()
        assert look(client, id)["segments_done"] == len(after) == N_UNITS
        if has_ended:
            assert audio(client, id, "flac").content == whole
            assert len(engine.requests) == N_UNITS + 3, "no other piece is spoken again"


def test_a_job_of_a_newer_version_waits_for_that_version(serve: Callable[..., Running]) -> None:
    engine = ToneEngine(delay_s=600)
    server = serve(engine)
    with server.client() as client:
        id = begin(client)
        wait_for(client, id, "running")
        client.post(f"/api/v1/jobs/{id}/pause").raise_for_status()
        engine.release()
        file = server.root / "data/jobs" / id / "job.json"
        job = json.loads(file.read_text())
        for new in ({"new_option": 1}, {"method": "a new one"}):
            sampling = {**job["options"]["sampling"], **new}
            file.write_text(json.dumps({**job, "options": {**job["options"], "sampling": sampling}}))
            client.post(f"/api/v1/jobs/{id}/resume").raise_for_status()
            message = wait_for(client, id, "failed")["message"]
            assert ("version" in message, "DELETE" in message) == (True, False)
        file.write_text(json.dumps(job))
        client.post(f"/api/v1/jobs/{id}/resume").raise_for_status()
        wait_for(client, id, "done")


@pytest.mark.parametrize(("keys", "mb", "told"), [("", 1, "JOBS_MAX_MB"), ("one,two", 2, "half")])
def test_jobs_have_a_bound_and_those_of_one_key_leave_half_of_it_to_others(
    serve: Callable[..., Running], keys: str, mb: int, told: str
) -> None:
    server = serve(ToneEngine(seconds=20.0), jobs_max_mb=mb, api_keys=keys)
    with server.client(headers={"X-API-Key": "one"}) as client:
        id = begin(client, input_text=TEXT * 20)
        assert told in wait_for(client, id, "paused")["message"]
        assert client.post("/api/v1/jobs", json={"input_text": "好", "index": "exampleA"}).status_code == 507
        if keys:
            client.headers["X-API-Key"] = "two"
            wait_for(client, begin(client, input_text="好。"), "done")


@pytest.mark.parametrize("damage", ["a number beyond the last", "no audio"])
def test_one_damaged_folder_stops_no_other_job_and_can_be_deleted(tmp_path: Path, damage: str) -> None:
    settings = {"jobs_dir": tmp_path / "jobs", "workers": 1}
    first, second = (project(tmp_path / name, **settings) for name in ("first", "second"))
    with running_app(first, lambda *_: ToneEngine()) as server, server.client() as client:
        id = begin(client)
        wait_for(client, id, "done")
    spoken = tmp_path / "jobs" / id / "audio"
    if damage == "no audio":
        shutil.rmtree(spoken)
    else:
        for number in (f"{N_UNITS:06}", "9" * 30):
            (spoken / f"{number}-240-0.flac").touch()
    with running_app(second, lambda *_: ToneEngine()) as server, server.client() as client:
        wait_for(client, begin(client), "done")
        assert id in {job["id"] for job in client.get("/api/v1/jobs").raise_for_status().json()["jobs"]}
        assert look(client, id)["segments_done"] == (0 if damage == "no audio" else N_UNITS)
        assert client.get("/api/v1/health").json()["warnings"] == []
        assert client.delete(f"/api/v1/jobs/{id}").status_code == 200
    assert not spoken.parent.exists()
