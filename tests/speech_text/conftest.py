from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from speech_text import Dictionaries, TextFrontend


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def frontend(cache_dir: Path) -> TextFrontend:
    return TextFrontend(cache_dir=cache_dir)


@pytest.fixture(scope="session")
def published(cache_dir: Path) -> TextFrontend:
    return TextFrontend(cache_dir=cache_dir, rules="published")


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """A copy of the dictionaries that a test may edit."""
    folder = tmp_path / "configs"
    folder.mkdir()
    for path in Dictionaries.files(folder):
        if path.exists():
            shutil.copy(path, folder)
    return folder
