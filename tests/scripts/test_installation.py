"""What is installed into .venv, when, and what the user sees of it.

pip itself is played here: the real one would fetch gigabytes from the internet.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scripts.own_project import REPOSITORY

PIP_PLAYED = """#!/bin/bash
if [[ $1 == -m && $2 == pip ]]; then
  echo "$@" >>pip_calls.txt
  echo "Collecting torch>=2.9"
  echo "Downloading torch-2.13.0.whl (530 MB)"
  echo "the end of pip"
  exit "$PIP_EXIT"
fi
exec {python} "$@"
"""


PIP_SAID = ["Collecting torch>=2.9", "Downloading torch-2.13.0.whl (530 MB)", "the end of pip"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "scripts/lib", tmp_path / "scripts/lib")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "glm_tts_api").symlink_to(REPOSITORY / "glm_tts_api")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PIP_PLAYED.format(python=REPOSITORY / ".venv/bin/python"))
    python.chmod(0o755)
    return tmp_path


def ensure_venv(project: Path, extra: str = "", *, code: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail; source scripts/lib/common.sh; ensure_venv {extra}"],
        cwd=project,
        env={"PATH": os.environ["PATH"], "PIP_EXIT": code},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def installations(project: Path) -> int:
    """Each begins with setuptools, which builds packages."""
    calls = project / "pip_calls.txt"
    lines = calls.read_text().splitlines() if calls.exists() else []
    assert all("-c constraints.txt" in line for line in lines)
    return sum(line.endswith("setuptools>=77") for line in lines)


def edit(project: Path, old: str, new: str, name: str = "pyproject.toml") -> None:
    file = project / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_only_what_decides_the_installation_starts_pip(project: Path) -> None:
    for wanted in (1, 1):
        assert ensure_venv(project).returncode == 0
        assert installations(project) == wanted
    edit(project, "line-length = 110", "line-length = 111 # a tool's setting")
    assert ensure_venv(project).stdout == ""
    assert installations(project) == 1
    edit(project, '"numpy>=', '"a-new-dependency",\n  "numpy>=')
    assert ensure_venv(project).returncode == 0
    assert installations(project) == 2
    assert ensure_venv(project, "dev").returncode == 0
    assert ensure_venv(project).returncode == 0  # dev holds all that a server needs
    assert installations(project) == 3
    assert (project / "pip_calls.txt").read_text().splitlines()[-1].endswith("-e .[dev]")
    edit(project, "torch==", "torch==2.9.0  # not ", "constraints.txt")
    assert ensure_venv(project, "dev").returncode == 0
    assert installations(project) == 4


def test_what_pip_says_is_seen(project: Path) -> None:
    done = ensure_venv(project)
    first, *rest = done.stdout.splitlines()
    assert "Installing what pyproject.toml names into .venv" in first
    assert rest == [*PIP_SAID, *PIP_SAID]


def test_where_pip_fails_the_next_start_tries_again(project: Path) -> None:
    for n_tried in (1, 2):
        done = ensure_venv(project, code="1")
        assert done.returncode == 2
        assert "the end of pip" in done.stdout
        assert "pip could not install the packages" in done.stderr
        assert installations(project) == n_tried


def test_an_environment_that_does_not_run_is_not_taken_for_none(project: Path) -> None:
    """Another user's, or one whose Python is gone: what may run here cannot be looked at."""

    def stop() -> subprocess.CompletedProcess[str]:
        command = "set -euo pipefail; source scripts/lib/common.sh; service stop"
        return subprocess.run(
            ["bash", "-c", command], cwd=project, capture_output=True, text=True, check=False
        )

    python = project / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nonexistent/python3")
    unusable = stop()
    python.unlink()
    missing = stop()
    assert (unusable.returncode, missing.returncode) == (1, 0)
    assert "does not run as user" in unusable.stderr
    assert "no server was ever started here" in missing.stdout
