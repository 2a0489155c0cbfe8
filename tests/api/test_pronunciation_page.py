"""What docs/pronunciation.md teaches holds as it stands. test_readme.py holds the Chinese page to the same
blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from glm_tts_api.lexicon import FILE_NAME, LexiconFile, open_frontend
from speech_text import TextFrontend
from tests.api.project_folder import project
from tests.api.running import Running, running_app
from tests.api.test_readme import curl_lines, ran
from tests.api.tone_engine import ToneEngine

ROOT = Path(__file__).parents[2]
PAGE = "pronunciation.md"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("reader")
    frontend = TextFrontend(cache_dir=root / "cache")
    with running_app(project(root / "project"), lambda *_: ToneEngine(frontend=frontend)) as server:
        yield server


def test_its_curl_lines_run_as_they_stand(reader: Running, tmp_path: Path) -> None:
    lines = curl_lines((ROOT / "docs" / PAGE).read_text())
    assert len(lines) == 12
    answers = [ran(line, reader, tmp_path) for line in lines]
    for name in ("nginx.wav", "chongqing.wav", "two.wav", "own.wav"):
        assert (tmp_path / name).read_bytes().startswith(b"RIFF")
    (shown,) = [line for line in (ROOT / "docs" / PAGE).read_text().splitlines() if '"characters"' in line]
    assert json.loads(answers[6]) == json.loads(shown)
    plain, marked = json.loads(answers[4]), json.loads(answers[-1])
    assert plain["text"] == "预计三到五天送到重庆。"
    assert [(one["phonemes"], one["pause"], one["voice"]) for one in marked["segments"]] == [
        ("我在<|CH|><|ONG2|><|Q|><|ING4|>。", 0.0, None),
        ("再见。", 0.5, "exampleB"),
    ]


def test_its_examples_are_read_as_it_says(reader: Running, tmp_path: Path) -> None:
    text = (ROOT / "docs" / PAGE).read_text()
    frontend = reader.engine.frontend
    assert frontend is not None
    (examples,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    assert len(examples.splitlines()) == 6
    for line in examples.splitlines():
        written, spoken = line.split(" -> ")
        assert frontend.prepare(written) == [spoken]
    (entries,) = re.findall(r"```json\n(\{\"word.*?)```", text, re.DOTALL)
    (tmp_path / FILE_NAME).write_text(entries, encoding="utf-8")
    lexicon = LexiconFile(tmp_path)
    with_lexicon = open_frontend(lexicon, cache_dir=tmp_path / "cache")
    assert with_lexicon.prepare("GLM在银行遇到行长") == ["智谱模型在银行遇到<|H|><|ANG2|><|ZH|><|ANG3|>。"]
    assert lexicon.warnings == ()
