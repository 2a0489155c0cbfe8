"""POST /api/v1/prompts/check, `glm-tts voices check`, and what registration says of a doubtful recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from glm_tts_api.settings import BUNDLED_MODEL
from tests.api.running import Running
from tests.recordings import encoded, seconds_of
from tests.settings.asking import run

FILE = BUNDLED_MODEL / "prompts" / "exampleA.wav"
GOOD, SAID = FILE.read_bytes(), "大家好，我是播音员，很高兴和大家见面。"
DOUBTFUL = {"clipping": "error", "silence": "warning", "speech_rate": "warning"}


def doubtful() -> bytes:
    """Clipped, with silence before it; its words are to be double."""
    samples, rate = soundfile.read(FILE, dtype="float32")
    return encoded(np.concatenate([np.zeros(rate, np.float32), np.clip(20 * samples, -1, 1)]), rate, "WAV")


def check(client: httpx.Client, recording: bytes, **fields: Any) -> httpx.Response:
    files = {"prompt_audio": ("a.wav", recording)}
    return client.post("/api/v1/prompts/check", data={"prompt_text": SAID, **fields}, files=files)


def test_a_report_over_http(server: Running) -> None:
    with server.client() as client:
        before = client.get("/api/v1/prompts").json()
        good = check(client, GOOD, index="me", consent="mine").json()
        assert good["message"] == "no errors, no warnings; 1 check did not run."
        assert (good["status"], good["warnings"]) == ("ok", [])
        bad = check(client, doubtful(), prompt_text=2 * SAID, promt_text="x").json()
        assert (bad["message"], bad["status"]) == ("1 error, 2 warnings; 1 check did not run.", "error")
        assert {each["name"]: each["status"] for each in bad["checks"] if each["status"] != "ok"} == DOUBTFUL
        assert "'promt_text' is not a field here" in bad["warnings"][0]
        assert client.get("/api/v1/prompts").json() == before


def test_silence_at_the_ends_is_cut_where_the_client_wants_it(server: Running) -> None:
    samples, rate = soundfile.read(FILE, dtype="float32")
    silence = np.zeros(rate, np.float32)
    padded, word = (
        encoded(np.concatenate(parts), rate, "WAV")
        for parts in ([silence, samples], [samples[: rate // 2], silence])
    )
    path, fields, files = "/api/v1/prompts", {"index": "me", "prompt_text": SAID}, "prompt_audio"

    def kept(client: httpx.Client) -> float:
        return seconds_of(client.get(f"{path}/me/audio").content)

    with server.client() as client:
        told = next(each for each in check(client, padded).json()["checks"] if each["name"] == "silence")
        assert "cut it away with trim_silence" in told["message"]
        assert check(client, padded, trim_silence="true").json()["status"] == "ok"
        added = client.post(path, data=fields, files={files: ("a.wav", padded)})
        assert added.json()["warnings"] == [told["message"]]
        assert kept(client) == pytest.approx(4.4)
        changed = client.put(f"{path}/me", json={"trim_silence": True}).json()
        assert (changed["warnings"], changed["prompt"]["prompt_text"]) == ([], SAID)
        assert kept(client) == pytest.approx(3.4, abs=0.2)
        short = client.put(f"{path}/me", data={"trim_silence": "true"}, files={files: ("a.wav", word)})
        assert (short.status_code, short.json()["code"]) == (400, "prompt_rejected")
        client.delete(f"{path}/me")
        client.post(path, data={**fields, "trim_silence": "true"}, files={files: ("a.wav", padded)})
        assert kept(client) == pytest.approx(3.4, abs=0.2)


def test_a_report_on_the_command_line(server: Running, tmp_path: Path) -> None:
    (tmp_path / "good.wav").write_bytes(GOOD)
    (tmp_path / "bad.wav").write_bytes(doubtful())
    done = run(tmp_path, "voices", "check", "good.wav", "--text", SAID, "--url", server.url)
    rows = done.stdout.splitlines()
    assert (done.returncode, done.stderr, rows[0]) == (0, "", "CHECK        STATUS  FOUND")
    assert rows[1] == "length       ok      3.4 s long."
    done = run(tmp_path, "voices", "check", "bad.wav", "--text", 2 * SAID, "--url", server.url)
    found = {row.split()[0]: row.split()[1] for row in done.stdout.splitlines()[1:8]}
    assert done.returncode == 1
    assert {name: status for name, status in found.items() if status != "ok"} == DOUBTFUL
    trimmed = ("bad.wav", "--trim-silence", "--text", SAID, "--url", server.url)
    assert "silence      ok" in run(tmp_path, "voices", "check", *trimmed).stdout
    assert "of silence" not in run(tmp_path, "voices", "add", "me", *trimmed).stderr


def test_a_consent_is_kept_with_its_voice(server: Running) -> None:
    agreed, path = "Li Hua agreed to our audio guide, 2026-11-02.", "/api/v1/prompts"
    fields = {"index": "me", "prompt_text": SAID, "consent": f" {agreed} "}
    files = {"prompt_audio": ("a.wav", GOOD)}
    with server.client() as client:
        added = client.post(path, data=fields, files=files)
        client.put(f"{path}/me", json={"prompt_text": "新的文字。"})
        assert client.put(f"{path}/me", files=files).json()["prompt"]["consent"] == agreed
        changed = client.put(f"{path}/me", json={"consent": "revoked"})
        assert changed.headers["ETag"] != added.headers["ETag"]
        assert client.put(f"{path}/me", json={"consent": 501 * "x"}).status_code == 413
        kept = {each["index"]: each for each in client.get(path).json()["prompts"]}["me"]
        assert (kept["prompt_text"], kept["consent"]) == ("新的文字。", "revoked")
        client.put(f"{path}/me", json={"consent": " "})
        assert client.get(f"{path}/me").json()["prompt"]["consent"] is None
