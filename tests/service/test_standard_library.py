"""What makes .venv runs before anything is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def without_packages(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_the_commands_and_their_usage() -> None:
    done = without_packages("-m", "glm_tts_api.service", "--help")
    assert done.returncode == 0
    for command in ("start", "stop", "restart", "status"):
        assert f"\n    {command} " in done.stdout
