"""The service's commands run before anything is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (REPOSITORY / "glm_tts_api/service").glob("[a-z]*.py"))


def without_packages(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_needs_no_package(module: str) -> None:
    done = without_packages("-c", f"import glm_tts_api.service.{module}")
    assert done.returncode == 0, done.stderr


def test_the_commands_and_their_usage() -> None:
    done = without_packages("-m", "glm_tts_api.service", "--help")
    assert done.returncode == 0
    for command in ("start", "stop", "restart", "status"):
        assert f"\n    {command} " in done.stdout
