from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from glm_tts_api.settings import SHIPPED_CONFIGS
from speech_text.frontend import TextFrontend

CONFIGS = SHIPPED_CONFIGS  # the user's may have a lexicon


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def frontend(cache_dir: Path) -> TextFrontend:
    return TextFrontend(CONFIGS, cache_dir=cache_dir)


@pytest.fixture(scope="session")
def published(cache_dir: Path) -> TextFrontend:
    return TextFrontend(CONFIGS, cache_dir=cache_dir, rules="published")


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """A copy of the dictionaries that a test may edit."""
    folder = tmp_path / "configs"
    folder.mkdir()
    for path in [*CONFIGS.glob("*.jsonl"), *CONFIGS.glob("G2P_*.json")]:
        shutil.copy(path, folder)
    return folder
