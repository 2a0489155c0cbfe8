from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.own_project import REPOSITORY, Project

MINI = REPOSITORY / "glm_tts_api/assets/mini"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project folder whose server, if a test leaves one, is killed with the test."""
    own = Project(tmp_path, MINI)
    yield own
    own.kill_all()


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One folder for a file of tests that each leave a running server to the next."""
    own = Project(tmp_path_factory.mktemp("project"), MINI)
    yield own
    own.kill_all()
