"""Each script says how it is used, and does nothing where it was asked something that it does not know."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.own_project import REPOSITORY, Project

FOLDERS = ("", "scripts/", "scripts/checks/")
SCRIPTS = [
    str(path.relative_to(REPOSITORY))
    for folder in FOLDERS
    for path in sorted(REPOSITORY.glob(f"{folder}*.sh"))
]
DOCUMENTS = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob(".github/**/*.*")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_each_script_that_a_document_names_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w./-])(?:scripts|bench|mini)/[\w./-]*\w", text))
    assert {path for path in named if not (REPOSITORY / path).exists()} == set()


@pytest.mark.parametrize(
    ("script", "option"), [(SCRIPTS[0], "-h"), *((script, "--help") for script in SCRIPTS)]
)
def test_help_is_the_usage(script: str, option: str) -> None:
    done = subprocess.run(
        ["bash", REPOSITORY / script, option],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert script.rpartition("/")[2] in done.stdout


@pytest.mark.parametrize(
    ("script", "argument"),
    [("restart", "--helpp"), ("start", "now"), ("scripts/stop", "now"), ("scripts/status", "--helpp")],
)
def test_an_unknown_argument_is_refused_before_anything_is_done(
    project: Project, script: str, argument: str
) -> None:
    outcome = project.run(f"{script}_api.sh", argument)
    assert outcome.code == 2
    assert "usage" in outcome.said
    assert not (project.root / "run").exists()


def test_what_scripts_say_to_each_other_is_no_option_of_a_user() -> None:
    command: list[str | Path] = [REPOSITORY / ".venv/bin/glm-tts", "serve", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--" not in shown.replace("--help", "")
