"""The settings of the server by their names in capitals, as the server itself reads them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from glm_tts_api.errors import StartupError
from glm_tts_api.service.client import Client
from glm_tts_api.service.run_folder import RunFolder


class Settings(dict[str, str]):
    """A dictionary of the settings, read by the server's own code in a subprocess. `python` is the Python of
    .venv, and `root` the project folder. Raises StartupError where a setting is refused."""

    def __init__(self, python: str, root: Path) -> None:
        command = [python, "-m", "glm_tts_api", "settings"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartupError(done.stderr.strip())
        sys.stderr.write(done.stderr)  # warnings
        super().__init__(word.split("=", 1) for word in shlex.split(done.stdout))
        self.python = python
        self.root = root
        self.folder = RunFolder(self.path("RUN_DIR"), root)

    def number(self, name: str) -> float:
        return float(self[name])

    def path(self, name: str) -> Path:
        return self.root / Path(self[name]).expanduser()

    @property
    def rolling_s(self) -> float:
        return float(self["ROLLING_TIMEOUT"] or self["LONG_TEXT_TIMEOUT"])

    def client(self, private: Path | None = None) -> Client:
        return Client(self["API_HOST"], int(self["PORT"]), self["API_KEYS"], private)
