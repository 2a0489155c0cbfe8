"""The voices' routes over HTTP: every verb, uploads and paths, and what each refuses."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.running import Running
from tests.recordings import encoded, voice, voice_wav

MINE = {"index": "mine", "prompt_text": "我的声音"}
MP3 = encoded(voice(2.0), 24000, "MP3")


def add(client: httpx.Client, recording: bytes = MP3, **fields: Any) -> httpx.Response:
    return client.post(
        "/api/v1/prompts", data={**MINE, **fields}, files={"prompt_audio": ("a.mp3", recording)}
    )


def refused(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert body["success"] is False
    return response.status_code, body["code"]


def test_add_hear_use_change_delete(server: Running, client: httpx.Client) -> None:
    added = add(client)
    assert (added.status_code, added.json()["prompt"]["source"]) == (201, "own")
    audio = client.get("/api/v1/prompts/mine/audio", headers={"X-Forwarded-For": "203.0.113.9"})
    assert (audio.content, audio.headers["Content-Type"]) == (MP3, "audio/mpeg")
    assert server.say(index="mine").status_code == 200
    same = client.put("/api/v1/prompts/mine", json={"index": "mine", "prompt_text": "anders"})
    assert not any("index" in warning for warning in same.json()["warnings"])
    files = {"prompt_audio": ("b.wav", voice_wav(2.5))}
    assert client.put("/api/v1/prompts/mine", files=files).json()["prompt"]["prompt_text"] == "anders"
    assert client.get("/api/v1/prompts/mine/audio").content == voice_wav(2.5)
    assert client.delete("/api/v1/prompts/mine").json()["success"] is True
    for response in (client.get("/api/v1/prompts/mine"), server.say(index="mine")):
        assert refused(response) == (404, "unknown_voice")


def test_a_recording_named_by_its_path(server: Running, client: httpx.Client) -> None:
    own = server.root / "data" / "prompts"
    own.mkdir(parents=True)
    (own / "dropped.wav").write_bytes(voice_wav(2.0))
    fields = {"index": "by-path", "prompt_text": "text"}
    for path in ("dropped.wav", "data/prompts/dropped.wav", "configs/prompts/exampleB.wav"):
        added = client.post("/api/v1/prompts", data={**fields, "prompt_audio_path": path})
        assert added.status_code == 201, path
        assert client.delete("/api/v1/prompts/by-path").status_code == 200
    for path in ("/etc/passwd", "../../../etc/passwd", "configs/../.env", "nothing.wav"):
        response = client.post("/api/v1/prompts", json={**fields, "prompt_audio_path": path})
        assert refused(response) == (400, "invalid_field")
        assert str(server.root) not in response.text
    in_configs = {**fields, "prompt_audio_path": "configs/prompt_cache.json"}
    assert refused(client.post("/api/v1/prompts", json=in_configs)) == (415, "not_audio")


def test_a_change_for_another_state_of_the_voice_is_refused(client: httpx.Client) -> None:
    path, added = "/api/v1/prompts/mine", {"If-Match": add(client).headers["ETag"]}
    changed = client.put(path, data={"prompt_text": "two"}, headers=added)
    assert (changed.status_code, changed.headers["ETag"]) == (200, client.get(path).headers["ETag"])
    for late in (
        client.put(path, data={"prompt_text": "three"}, headers=added),
        client.delete(path, headers=added),
    ):
        assert refused(late) == (412, "voice_changed")
    assert client.get(path).json()["prompt"]["prompt_text"] == "two"
    either = {"If-Match": f'"other", {changed.headers["ETag"]}'}
    assert client.put(path, data={"prompt_text": "four"}, headers=either).status_code == 200
    assert client.delete(path, headers={"If-Match": "*"}).status_code == 200


def test_a_recording_deleted_by_hand_is_said_and_repaired(server: Running, client: httpx.Client) -> None:
    add(client)
    (recording,) = (server.root / "data" / "prompts" / "recordings").iterdir()
    recording.unlink()
    for response in (
        client.get("/api/v1/prompts/mine"),
        client.get("/api/v1/prompts/mine/audio"),
        client.put("/api/v1/prompts/mine", data={"prompt_text": "new"}),
        server.say(index="mine"),
    ):
        assert refused(response) == (404, "recording_missing")
        assert "PUT /api/v1/prompts/mine" in response.json()["message"]
    assert client.get("/api/v1/prompts").json()["count"] == 2
    (warning,) = client.get("/api/v1/health").json()["warnings"]
    assert "mine" in warning
    repaired = client.put("/api/v1/prompts/mine", files={"prompt_audio": ("a.mp3", MP3)})
    assert repaired.json()["prompt"]["prompt_text"] == MINE["prompt_text"]
    assert server.say(index="mine").status_code == 200
    assert client.get("/api/v1/health").json()["warnings"] == []
