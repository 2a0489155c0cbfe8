"""The budgets of lines: what is over them is named, and --write only lowers them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.checks.rooms import Rooms

BUDGETS = """[tool.rooms]
top = { of = ["house/*.py"], python = 3 }
kitchen = { of = ["house/kitchen"], python = 9, c = 2 }
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    files = {
        "house/door.py": 2,
        "house/kitchen/deep/oven.py": 8,
        "house/kitchen/oven.c": 2,
        "house/read.md": 50,
    }
    for name, n_lines in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n" * n_lines)
    (tmp_path / "pyproject.toml").write_text(BUDGETS)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def test_a_house_within_its_budgets_has_no_fault(house: Path) -> None:
    assert Rooms(house).faults() == []


@pytest.mark.parametrize(
    ("file", "n_lines", "fault"),
    [
        ("house/window.py", 4, "The room top has 6 lines of python, 3 over its budget."),
        ("house/kitchen/pan.c", 1, "The room kitchen has 3 lines of c, 1 over its budget."),
        ("house/kitchen/words.tsv", 1, "The room kitchen has 1 lines of rows, 1 over its budget."),
        ("house/cellar/shelf.py", 1, "house/cellar/shelf.py is in no room of [tool.rooms] (pyproject.toml)."),
        ("house/kitchen/long.py", 250, "1 of 3 Python files have 250 lines or more; 10% may."),
    ],
)
def test_what_is_over_a_budget_is_named(house: Path, file: str, n_lines: int, fault: str) -> None:
    (house / file).parent.mkdir(exist_ok=True)
    (house / file).write_text("\n" * n_lines)
    assert fault in Rooms(house).faults()


def test_budgets_are_lowered_and_never_raised(house: Path) -> None:
    (house / "house/kitchen/pan.c").write_text("\n")
    lowered = BUDGETS.replace("python = 3", "python = 2").replace("python = 9", "python = 8")
    assert Rooms(house).lowered(BUDGETS) == lowered
