"""Each script that a page names is there, and does nothing if it is asked for what it does not know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.scripts.own_project import REPOSITORY, Project

DOCUMENTS = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob(".github/**/*.*")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_each_script_that_a_document_names_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w./-])(?:scripts|bench|mini)/[\w./-]*\w", text))
    assert {path for path in named if not (REPOSITORY / path).exists()} == set()


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
