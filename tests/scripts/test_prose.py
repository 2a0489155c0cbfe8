"""The check of prose: each kind of fault, and texts without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.checks.prose import faults

LONG = " ".join(["word"] * 36) + "."


def found(file: Path, text: str) -> list[str]:
    file.write_text(text, encoding="utf-8")
    return [fault.removeprefix(f"{file}:") for fault in faults(file)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"Call Request{'Listener'}.", "1: a retired name"),
        (f"# Title\n\nShort.\n\n- An item.\n- {LONG}\n", "6: a sentence of 36 words"),
        ("It is so.\n" * 96 + "Now.", "1: a paragraph of 964 characters"),
        ("`" + "a" * 399 + "`", "1: a line of 401 characters"),
        ("It starts. What a client sends is kept.", "1: a relative word without its noun"),
        ("This page is for who asks.", "1: a relative word without its noun"),
        ("The log is told of it.", "1: a retired phrase"),
    ],
)
def test_a_fault_of_a_page_is_found_at_its_line(tmp_path: Path, text: str, fault: str) -> None:
    assert [": ".join(one.split(": ")[:2]) for one in found(tmp_path / "page.md", text)] == [fault]


@pytest.mark.parametrize(
    "text",
    [
        "A client sends fields. The server, which keeps them, answers.\n\nWho may call it?",
        f"```\n{LONG} What now\n```\n\n| {LONG} | what |\n|---|---|\n",
        "One is short, and so\nis the next.\n"
        + "\n- An item of a list that is long enough, with words." * 30,
    ],
)
def test_a_good_page_has_none(tmp_path: Path, text: str) -> None:
    assert found(tmp_path / "page.md", text) == []


def test_docstrings_and_comments_are_read(tmp_path: Path) -> None:
    code = (
        '"""Speaks.\n\nWhat waits is told."""\n\n# A client, or\n# who asks for it\nx = 1  # what it takes\n'
    )
    assert [one.split(":")[0] for one in found(tmp_path / "code.py", code)] == ["3", "7", "5"]


def test_a_functions_docstring_begins_with_its_noun(tmp_path: Path) -> None:
    code = 'def f():\n    """Of the rows."""\n\n\nclass A:\n    """In int8."""\n'
    code += '\n    def g(self):\n        """Items."""'
    assert found(tmp_path / "code.py", code) == ["2: a docstring without its noun: Of the rows."]


def test_of_chinese_only_lines_are_checked(tmp_path: Path) -> None:
    page = f"# 标题\n\n{LONG}\n\n- 项目\n- 项目\n\n    代码\n\n{'字' * 401}\n"
    page += "\n一行，\n下一行。\n\n- 项目，\n  下一行\n"
    assert found(tmp_path / "page_zh.md", page) == [
        "10: a line of 401 characters",
        "12: a line break shows as a blank",
        "15: a line break shows as a blank",
    ]
