"""The page of a server with a fake recogniser, in a real Chromium."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from speech_text import TextFrontend
from tests.api.project_folder import project
from tests.api.running import running_app
from tests.api.tone_engine import ToneEngine
from tests.recognition.hearing import hears
from tests.studio.browsers import in_browser, missing

CONFIGS = Path(__file__).parents[2] / "configs"
TEXT, OTHER = "我们今天出去玩。", "桌上有七个红苹果。"

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


def test_what_a_fake_recogniser_hears(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = project(tmp_path / "project", asr_model_dir="asr")
    hears(monkeypatch, OTHER)(root)
    engine = ToneEngine(frontend=TextFrontend(cache_dir=tmp_path / "text"))
    with running_app(root, lambda *_: engine) as server:
        in_browser("hearing.js", "chrome", server.url, tmp_path, TEXT=TEXT, OTHER=OTHER, LANG="C.UTF-8")
    (report,) = tmp_path.glob("*.verified.json")
    assert json.loads(report.read_text())["count"]["ok"] > 0
