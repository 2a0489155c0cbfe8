"""API_KEYS_FILE: keys with a name and limits, beside those of API_KEYS."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from glm_tts_api.api.keys import Keys
from glm_tts_api.errors import StartupError
from glm_tts_api.settings import Settings
from tests.api.project_folder import project
from tests.api.running import Running
from tests.api.socket_client import heard, talking, tell
from tests.api.waiting import lines_of
from tests.recordings import voice_wav
from tests.scraping import Scrape

Serve = Callable[..., Running]
SAY = {"input_text": "hello", "index": "exampleA"}


def table(name: str, key: str, **limits: Any) -> str:
    digest = sha256(key.encode()).hexdigest()
    return "\n".join([f"[{name}]", f'sha256 = "{digest}"', *(f"{k} = {v}" for k, v in limits.items()), ""])


KEYS = (
    table("app", "app's")
    + table("slow", "slow's", requests_a_minute=2)
    + table("one-voice", "one's", voices=["exampleA"])
)


def write_keys(root: Path) -> None:
    (root / "keys.toml").write_text(KEYS)


@pytest.fixture
def server(serve: Serve) -> Running:
    return serve(prepare=write_keys, api_keys="plain", api_keys_file="keys.toml")


def with_key(server: Running, key: str) -> httpx.Client:
    return server.client(headers={"Authorization": f"Bearer {key}"})


def test_named_and_plain_keys_open_the_server_and_no_other_does(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """The requests of each named key stand in the metrics that METRICS_KEY opens, and in no others."""
    caplog.set_level("INFO", "glm_tts_api.request")
    files: dict[str, Any] = {"prepare": write_keys, "api_keys": "plain", "api_keys_file": "keys.toml"}
    server = serve(**files, metrics_key="figures")
    for key, status in (("app's", 200), ("plain", 200), ("x", 403), (sha256(b"app's").hexdigest(), 403)):
        with with_key(server, key) as client:
            assert client.post("/api/v1/tts", data=SAY).status_code == status
    with server.client() as client, serve(**files).client() as open_to_all:
        assert client.post("/api/v1/tts", data=SAY).status_code == 401
        assert "glm_tts_key_" not in open_to_all.get("/metrics").text
    with with_key(server, "figures") as client:
        scrape = Scrape(client.get("/metrics").text)
    assert scrape("key_requests_total", key="app", outcome="completed") == 1
    assert scrape("key_audio_seconds_total", key="app") == 0.5
    lines = lines_of(caplog, "glm_tts_api.request", 2)
    assert ["client=app " in lines[0], "client=127.0.0.1 " in lines[1]] == [True, True]


def test_a_key_that_has_begun_its_requests_of_a_minute_is_told_when_to_come_back(server: Running) -> None:
    with with_key(server, "slow's") as client:
        assert client.get("/api/v1/prompts").status_code == 200  # speaks nothing, and counts as nothing
        begun_at = time.monotonic()
        assert [client.post("/api/v1/tts", data=SAY).status_code for _ in range(2)] == [200, 200]
        refused = client.post("/v1/audio/speech", json={"input": "hi", "voice": "exampleA"})
        assert refused.status_code == client.post("/api/v1/tts", json=SAY).status_code == 429
        assert '"type":"rate_limit_error"' in refused.text
        assert "2 requests a minute" in refused.text
        assert begun_at + 55 < time.monotonic() + int(refused.headers["Retry-After"]) < begun_at + 65
    with with_key(server, "app's") as client:
        assert client.post("/api/v1/tts", data=SAY).status_code == 200


def test_a_key_for_some_voices_speaks_sees_and_hears_no_other_and_changes_nothing(server: Running) -> None:
    with with_key(server, "one's") as client:
        assert client.post("/api/v1/tts", data=SAY).status_code == 200
        assert client.post("/v1/audio/speech", json={"input": "hi", "voice": "alloy"}).status_code == 200
        listed = client.get("/api/v1/prompts").json()
        assert (listed["writable"], [each["index"] for each in listed["prompts"]]) == (False, ["exampleA"])
        assert client.get("/api/v1/prompts/exampleA/audio").status_code == 200
        with ZipFile(io.BytesIO(client.get("/api/v1/prompts.zip").content)) as file:
            assert set(json.loads(file.read("prompt_cache.json"))) == {"exampleA"}
        refusals = [
            client.post("/api/v1/tts", data={**SAY, "index": "exampleB"}),
            client.post("/api/v1/tts", data={**SAY, "input_text": "hello [[voice exampleB]] there"}),
            client.post(
                "/api/v1/tts",
                data={"input_text": "hello", "prompt_text": "hello there"},
                files={"prompt_audio": ("a.wav", voice_wav(2.0))},
            ),
            *(client.get(f"/api/v1/{path}") for path in ("prompts/exampleB", "prompts/exampleB/audio")),
            *(client.get(f"/api/v1/{path}") for path in ("prompts.zip?index=exampleB", "jobs")),
            client.delete("/api/v1/prompts/exampleA"),
            client.post("/api/v1/jobs", json=SAY),
        ]
        assert [(each.status_code, each.json()["code"]) for each in refusals] == [(403, "forbidden")] * 9
        assert "exampleA" in refusals[0].json()["error"]
    with talking(server.url, additional_headers={"X-API-Key": "one's"}) as socket:
        tell(socket, "start", voice="exampleB")
        tell(socket, "text", text="Hello there.")
        tell(socket, "flush")
        (error, *_), audio = heard(socket, "error")
        assert (error["code"], audio) == ("forbidden", b"")


def test_a_changed_file_holds_within_a_second_and_a_broken_one_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, now = tmp_path / "keys.toml", [0.0]
    monkeypatch.setattr("glm_tts_api.api.keys.time.monotonic", lambda: now[0])
    file.write_text(table("old", "old's"))
    keys = Keys((), file)
    assert (holder := keys.holder("old's")) is not None
    assert holder.name == "old"
    file.write_text(table("new", "new's", places=3))
    now[0] = 1.0
    assert (holder := keys.holder("new's")) is not None
    assert (holder.name, holder.places, keys.holder("old's")) == ("new", 3, None)
    for broken in ("[new", None):
        if broken is None:
            file.unlink()
        else:
            file.write_text(broken)
        now[0] += 1.0
        assert keys.holder("new's") is not None
    assert [record.getMessage() for record in caplog.records if "stay as they were" in record.getMessage()]


def test_a_file_that_does_not_hold_keeps_the_server_from_starting(tmp_path: Path) -> None:
    root = project(tmp_path / "project", api_keys="mine", api_keys_file="keys.toml")
    for text, told in (
        (None, "No such file"),
        ("[app", "Expected"),
        ('[app]\nsha256 = "secret"\n', "app.sha256"),
        (table("app", "x", place=3), "app.place: Extra inputs"),
        (table("app", "x", places=0), "app.places"),
        (table("app", "x", voices=[]), "app.voices"),
        (table('"192.0.2.1"', "x"), "begins with a letter"),
        (table("app", "x") + table("other", "x"), "two names have the same key"),
    ):
        if text is not None:
            (root / "keys.toml").write_text(text)
        with pytest.raises(StartupError, match="API_KEYS_FILE=") as error:
            Settings.load(root)
        assert told in str(error.value)
        assert "secret" not in str(error.value)
    write_keys(root)
    (root / ".env").write_text("API_KEYS_FILE=keys.toml")
    with pytest.raises(StartupError, match="needs API_KEYS too"):  # which the commands use
        Settings.load(root)
