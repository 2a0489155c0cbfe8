"""The installed wheel in an empty folder: `glm-tts` and nothing of the repository."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.waiting import wait_until
from tests.fake_hub import FakeHub
from tests.recordings import voice_wav

LIMIT_S = 300  # generous: the machine may be busy with other things


class Folder:
    """A working folder with the installed program."""

    def __init__(self, root: Path, venv: Path) -> None:
        root.mkdir()
        self.root, self.venv = root, venv
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def command(self, *words: str, **settings: str) -> dict[str, Any]:
        """How a process of this folder is started, as Popen's arguments."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "API_HOST": "127.0.0.1",
            "PORT": str(self.port),
            "FLOW_STEPS": "2",
            **settings,
        }
        args = [str(self.venv / "bin" / words[0]), *words[1:]]
        return {"args": args, "cwd": self.root, "env": environment, "text": True}

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*words, **settings)
        return subprocess.run(**command, capture_output=True, timeout=LIMIT_S, check=False)

    @contextmanager
    def serving(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A server, until Ctrl-C."""
        terminal = (self.root.parent / "terminal.txt").open("w")
        server = subprocess.Popen(**self.command(*words), stdout=terminal, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: server.poll() is not None or self.health().get("status") == "healthy", LIMIT_S)
            assert server.poll() is None, self.terminal()
            yield server
            server.send_signal(signal.SIGINT)
            server.wait(LIMIT_S)
        finally:
            server.kill()
            terminal.close()

    def terminal(self) -> str:
        return (self.root.parent / "terminal.txt").read_text()

    def ask(self, path: str, body: dict[str, Any] | None = None, accept: str = "*/*") -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "Accept": accept},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=LIMIT_S) as response:
            data: bytes = response.read()
        return data

    def health(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self.ask("/api/v1/health"))
        except (OSError, ValueError):
            return {}
        return answer

    def voices(self) -> dict[str, str]:
        prompts = json.loads(self.ask("/api/v1/prompts"))["prompts"]
        return {prompt["index"]: prompt["source"] for prompt in prompts}

    def seconds_of(self, voice: str) -> float:
        """How long the installed server speaks, as that voice; it must be heard."""
        body = {"input_text": "测试文本", "index": voice, "response_format": "wav"}
        with wave.open(io.BytesIO(self.ask("/api/v1/tts", body))) as file:
            assert any(file.readframes(file.getnframes()))
            seconds: float = file.getnframes() / file.getframerate()
        return seconds


BUNDLED = ("exampleA", "exampleB", "man-english", "man-mandarin", "woman-english", "woman-mandarin")


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture
def folder(tmp_path: Path, venv: Path) -> Folder:
    return Folder(tmp_path / "an empty folder", venv)


def test_an_empty_folder_speaks(folder: Folder) -> None:
    installed = stamps(folder.venv)
    with folder.serving("glm-tts", "serve") as server:
        assert folder.voices() == dict.fromkeys(BUNDLED, "shipped")
        assert folder.health()["warnings"] == []
        assert folder.seconds_of("exampleA") > 0.5
        assert folder.seconds_of("exampleB") > 0.5
        for part in re.findall('"(studio/[^"]+)"', folder.ask("/", accept="text/html").decode()):
            assert folder.ask(f"/{part}"), part
        command = Path(f"/proc/{server.pid}/cmdline").read_text().replace("\0", " ")
        assert re.search("uvicorn.*api_server", command)  # what the guide's `ps | grep` and `pkill` look for
        assert (folder.root / "run/api_server.pid").read_text() == f"{server.pid}\n"
        second = folder.run("glm-tts", "serve")
        assert (second.returncode, second.stdout) == (3, "")
        assert f"already running (PID {server.pid}, " in second.stderr
        assert folder.run("glm-tts", "check").returncode == 0
    assert server.returncode == 0
    log = (folder.root / "api_server.log").read_text()
    assert "outcome=completed" in log
    assert "Application shutdown complete" in log
    assert "glm-tts download" in log
    assert "scripts/" not in log
    wait_until(lambda: folder.terminal() == log, LIMIT_S)
    assert {path.name for path in folder.root.iterdir()} == {"run", "data", "api_server.log"}
    assert stamps(folder.venv) == installed


@pytest.mark.long
def test_configs_of_the_folder_stand_in_file_by_file(folder: Folder) -> None:
    configs = folder.root / "configs"
    (configs / "presets").mkdir(parents=True)
    (configs / "presets" / "night.env").write_text("SHORT_TEXT_CONCURRENCY=2\n")
    (configs / "mine.wav").write_bytes(voice_wav(3.0))
    (configs / "custom_replace.jsonl").write_text('{"origin": "不说", "new": ""}\n')
    assert "SHORT_TEXT_CONCURRENCY=2\n" in folder.run("glm-tts", "settings", PRESET="night").stdout
    assert "LONG_TEXT_TIMEOUT=900\n" in folder.run("glm-tts", "settings", PRESET="long-heavy").stdout
    (folder.root / ".env").write_text("PRESET=night\n")
    with folder.serving("python", "-m", "glm_tts_api", "serve"):
        assert folder.voices() == dict.fromkeys(BUNDLED, "shipped")
        mine = {"prompt_audio_path": "mine.wav", "prompt_text": "录音里说的每一个字。"}
        (configs / "prompt_cache.json").write_text(json.dumps({"mine": mine}))
        assert folder.voices() == {"mine": "shipped"}
        assert folder.health()["warnings"] == []
        stats = json.loads(folder.ask("/api/v1/stats/concurrency"))
        assert stats["config"]["concurrency"]["short_text"] == 2
        folder.ask(
            "/api/v1/prompts", {"index": "other", "prompt_text": "字。", "prompt_audio_path": "mine.wav"}
        )
        assert folder.seconds_of("other") > 0.1
        with pytest.raises(urllib.error.HTTPError, match="400"):  # nothing is left of it
            folder.ask("/api/v1/tts", {"input_text": "不说", "index": "mine"})
    assert (folder.root / "data/prompts/prompt_cache.json").exists()


def test_the_official_model_is_downloaded_into_the_folder(folder: Folder) -> None:
    parts = ("llm/a", "flow/a", "hift/a", "vocos2d/a", "speech_tokenizer/a", "vq32k-phoneme-tokenizer/a")
    model = dict.fromkeys(parts, b"weights")
    with FakeHub(
        {"zai-org/GLM-TTS": model, "FunAudioLLM/CosyVoice-300M": {"campplus.onnx": b"onnx"}}
    ).serving() as hub:
        done = folder.run("glm-tts", "download", HF_ENDPOINT=hub.url, no_proxy="*")
    assert done.returncode == 0, done.stderr
    assert "Next: glm-tts serve" in done.stdout
    assert (folder.root / "ckpt/llm/a").read_bytes() == b"weights"
    assert (folder.root / "ckpt/frontend/campplus.onnx").read_bytes() == b"onnx"
    incomplete = folder.run("glm-tts", "check", "checkpoint")
    assert "The official files come with: glm-tts download" in incomplete.stderr


def test_what_keeps_it_from_starting_is_said_at_once(folder: Folder) -> None:
    (folder.root / "ckpt").mkdir()
    with socket.create_server(("127.0.0.1", folder.port)):
        for command in (("glm-tts", "check"), ("glm-tts", "serve")):
            said = folder.run(*command)
            assert said.returncode == 2, said
            assert f"PORT={folder.port}: taken by PID {os.getpid()}" in said.stderr
            assert "ckpt" in said.stderr
            assert "Traceback" not in said.stderr
    bad = folder.run("glm-tts", "serve", WORKERS="many")
    assert (bad.returncode, bad.stderr) == (2, "WORKERS='many': must be a whole number from 1 to 64\n")


def test_a_folder_that_cannot_be_written(folder: Folder) -> None:
    (folder.root / "run").write_text("a file")
    said = folder.run("glm-tts", "serve")
    assert said.returncode == 2
    assert said.stderr == "RUN_DIR='run': cannot be written (File exists); choose another place\n"
