"""The makers of .venv and the downloader of the model run before anything is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["service.venv", "download.command"])
def test_a_module_needs_no_package(module: str) -> None:
    command = [sys.executable, "-S", "-c", f"import glm_tts_api.{module}"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
