"""A project folder of its own for a test: our scripts, this code, a private run folder, log and port."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT_S = 600  # generous: the machine may be busy with other things


@dataclass(frozen=True)
class Outcome:
    """How a script ended and what it said, both streams together."""

    code: int
    said: str


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; status 0 if none came, and why in `body`."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Project:
    """Links to the code, so that nothing is installed anew; the scripts themselves are copies, for they find
    their project by where they lie."""

    def __init__(self, root: Path, model: Path) -> None:
        self.root = root
        self.port = free_port()
        self._mark = f"TESTED_FOLDER={root}"
        self._settings = {
            "PORT": str(self.port),
            "API_HOST": "127.0.0.1",
            "MODEL_DIR": str(model),
            "DEVICE": "cpu",
            "FLOW_STEPS": "1",
            "DRAIN_TIMEOUT": "300",
            "SHORT_TEXT_TIMEOUT": "300",
            "VERIFY_TTS": "0",
        }
        for name in ("glm_tts_api", "speech_text", "configs", "pyproject.toml", "constraints.txt", ".venv"):
            (root / name).symlink_to(REPOSITORY / name)
        (root / "scripts").mkdir()
        shutil.copytree(REPOSITORY / "scripts/lib", root / "scripts/lib")
        for script in ("restart_api.sh", "start_api.sh", "scripts/stop_api.sh", "scripts/status_api.sh"):
            shutil.copy(REPOSITORY / script, root / script)

    def environment(self, **settings: str) -> dict[str, str]:
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TERM")
        inherited = {name: os.environ[name] for name in kept if name in os.environ}
        mark = dict([self._mark.split("=", 1)])
        return {**inherited, **mark, "OMP_NUM_THREADS": "1", **self._settings, **settings}

    def at(self, root: Path) -> Project:
        """The same with a folder that exists already."""
        other = copy(self)
        other.root = root
        return other

    def broken_model(self, folder: Path, name: str) -> Path:
        """A copy of its checkpoint with one file that does not hold what it should."""
        copied = shutil.copytree(self._settings["MODEL_DIR"], folder / "broken")
        (copied / name).write_bytes(b"not what it should be")
        return copied

    def begin(self, *command: str, prefix: tuple[str, ...] = (), **settings: str) -> subprocess.Popen[str]:
        """Starts a script, by way of the command `prefix`, and returns at once."""
        return subprocess.Popen(
            [*prefix, "bash", *command],
            cwd=self.root,
            env=self.environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, prefix: tuple[str, ...] = (), **settings: str) -> Outcome:
        """Runs a script to its end."""
        return end_of(self.begin(*command, prefix=prefix, **settings))

    def start(self, **settings: Any) -> int:
        """restart_api.sh, which must succeed; returns the server's PID."""
        outcome = self.run("restart_api.sh", **settings)
        assert outcome.code == 0, outcome.said
        return self.pid

    def running(self, **settings: Any) -> int:
        """The PID of a server that runs, started here if need be."""
        if self.pid_file.exists() and is_alive(self.pid):
            return self.pid
        return self.start(**settings)

    @property
    def pid_file(self) -> Path:
        return self.root / "run/api_server.pid"

    @property
    def log(self) -> str:
        return (self.root / "api_server.log").read_text(errors="replace")  # half a character may be written

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    def processes(self, command: str = "") -> list[int]:
        """Every living process that was started here, and has `command` in its command line."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                is_ours = self._mark.encode() in (folder / "environ").read_bytes().split(b"\0")
                shown = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if is_ours and shown and command in shown:
                found.append(int(folder.name))
        return found

    def servers(self) -> list[int]:
        return self.processes("glm_tts_api.serving uvicorn")

    def kill_all(self) -> None:
        """For the end of a test, whatever state it left."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                kill(pid)

    def get(self, path: str, key: str = "") -> Reply:
        return self._ask("GET", path, 10, headers={"X-API-Key": key})

    def speak(self, text: str = "你好。") -> Reply:
        return self.post("/api/v1/tts", {"input_text": text, "index": "exampleA"})

    def post(self, path: str, fields: dict[str, Any]) -> Reply:
        return self._ask("POST", path, 300, json=fields)

    def stats(self, key: str = "") -> Any:
        return self.get("/api/v1/stats/concurrency", key).json()

    def _ask(self, method: str, path: str, timeout_s: float, **content: Any) -> Reply:
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            answer = httpx.request(method, url, timeout=timeout_s, trust_env=False, **content)
        except httpx.HTTPError as error:
            return Reply(0, repr(error).encode())
        return Reply(answer.status_code, answer.content)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def end_of(process: subprocess.Popen[str]) -> Outcome:
    try:
        said, _ = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Outcome(process.returncode, said)


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)


def wait_until(holds: Callable[[], Any], what: str) -> None:
    """Waits for `holds`, up to LIMIT_S."""
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, f"waited {LIMIT_S} s for {what}"
        time.sleep(0.05)


def wav_of(reply: Reply) -> bytes:
    """The WAV in a JSON answer."""
    return base64.b64decode(reply.json()["audio_base64"])
