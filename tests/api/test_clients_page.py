"""docs/clients.md: every block that can run beside these tests runs as it stands. test_readme.py holds the
Chinese page to the same blocks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.api.running import Running
from tests.recordings import voice_wav

DOCS = Path(__file__).parents[2] / "docs"
SERVER = "http://localhost:8049"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / "clients.md").read_text(), re.DOTALL)


def run(command: list[str], folder: Path) -> None:
    environ = {**os.environ, "NO_PROXY": "*", "no_proxy": "*"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)


@pytest.mark.parametrize("package", ["import openai\n\nclient", "from zai"])
def test_the_packages_blocks_run(server: Running, tmp_path: Path, package: str) -> None:
    (tmp_path / "my_voice.wav").write_bytes(voice_wav(4.0))
    (code,) = (block for block in blocks("python") if package in block)
    run([sys.executable, "-c", code.replace(SERVER, server.url)], tmp_path)
    written = {path.name for path in tmp_path.glob("*.*")} - {"my_voice.wav"}
    assert written == ({"hello.mp3"} if "openai" in package else {"hello.wav", "sample.wav"})
    with server.client() as client:
        assert client.get("/api/v1/prompts").json()["count"] == 2  # what was added is deleted again


def test_the_curl_lines_run(server: Running, tmp_path: Path) -> None:
    lines = [block for block in blocks("bash") if block.startswith("curl")]
    assert len(lines) == 2
    for line in lines:
        command = line.replace(SERVER, server.url).partition(" | ffplay")[0]
        run(["bash", "-c", command.replace("curl ", "curl --fail-with-body ")], tmp_path)
    assert (tmp_path / "hello.wav").read_bytes().startswith(b"RIFF")


def test_legados_source_plays(server: Running) -> None:
    (source,) = map(json.loads, blocks("json"))
    address = source["url"].replace("http://192.168.1.20:8049", "")
    address = address.replace("{{java.encodeURI(speakText)}}", "%E4%BD%A0%E5%A5%BD")
    address = address.replace("{{Math.min(speakSpeed / 10, 4)}}", "1.5")
    assert "{" not in address
    with server.client() as client:
        answer = client.get(address, headers=json.loads(source["header"]))
    assert answer.status_code == 200, answer.text
    assert re.fullmatch(source["contentType"], answer.headers["Content-Type"])


def test_xiaozhis_settings_reach_routes_that_speak(server: Running) -> None:
    (text,) = blocks("yaml")
    settings = yaml.safe_load(text)
    assert settings["selected_module"]["TTS"] in settings["TTS"]
    bodies = {
        "index_stream": lambda tts: {"text": "你好", "character": tts["voice"]},
        "openai": lambda tts: {"model": tts["model"], "input": "你好", "voice": tts["voice"]},
        "gpt_sovits_v2": lambda tts: {"text": "你好", "ref_audio_path": tts["ref_audio_path"]},
    }
    with server.client() as client:
        for tts in settings["TTS"].values():
            address = tts.get("api_url", tts.get("url")).replace(SERVER, "")
            assert client.post(address, json=bodies[tts["type"]](tts)).status_code == 200, tts
