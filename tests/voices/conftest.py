from __future__ import annotations

from pathlib import Path

import pytest

from glm_tts_api.voices.store import VoiceStore
from tests.voices.shelf import make_configs, open_store


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    return make_configs(tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "data" / "prompts"


@pytest.fixture
def store(configs: Path, own: Path) -> VoiceStore:
    return open_store(configs, own)
