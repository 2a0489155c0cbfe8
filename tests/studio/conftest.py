"""For the studio: node."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="session")
def node() -> str:
    """The program; the test is skipped where there is none."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is missing (Debian, Ubuntu: apt install nodejs npm)")
    return program
