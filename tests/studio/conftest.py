"""For the studio: the projects and the servers of tests/api, and node."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))


@pytest.fixture(scope="session")
def node() -> str:
    """The program; the test is skipped where there is none."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is missing (Debian, Ubuntu: apt install nodejs npm)")
    return program
