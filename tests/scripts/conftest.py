from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from glm_tts_api.durable import locked
from tests.scripts.own_project import REPOSITORY, Project


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of tiny networks, which an engine loads in less time; made once for all workers."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    made = folder / "tiny-checkpoint"
    with locked(folder / "tiny-checkpoint.lock"):
        if not made.exists():
            command = [sys.executable, "-m", "bench.make_synthetic_checkpoint", str(made)]
            subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return made


@pytest.fixture
def project(tmp_path: Path, model: Path) -> Iterator[Project]:
    """A project folder whose server, if a test leaves one, is killed with the test."""
    own = Project(tmp_path, model)
    yield own
    own.kill_all()


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Project]:
    """One folder for a file of tests that each leave a running server to the next."""
    own = Project(tmp_path_factory.mktemp("project"), model)
    yield own
    own.kill_all()
