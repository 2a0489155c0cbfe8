"""docs/architecture.md draws the way of a POST /api/v1/tts through functions that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_HOP = re.compile(r"^\| \d+ \| `([\w/]+\.py)` `([\w.]+)` \|", re.MULTILINE)


def test_each_function_of_the_map_is_in_its_file() -> None:
    hops, twins = (
        _HOP.findall((REPOSITORY / "docs" / page).read_text(encoding="utf-8"))
        for page in ("architecture.md", "architecture_zh.md")
    )
    assert hops == twins
    assert len(hops) > 10
    missing = [hop for hop in hops if hop[1] not in _functions(*hop)]
    assert missing == []


def _functions(file: str, name: str) -> set[str]:
    """The functions of a file, those of its classes as Class.function."""
    path = REPOSITORY / file
    tree = ast.parse(
        (path if path.exists() else REPOSITORY / "glm_tts_api" / file).read_text(encoding="utf-8")
    )
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    methods = {
        f"{each.name}.{inner.name}"
        for each in tree.body
        if isinstance(each, ast.ClassDef)
        for inner in each.body
        if isinstance(inner, kinds)
    }
    return methods | {each.name for each in tree.body if isinstance(each, kinds)}
