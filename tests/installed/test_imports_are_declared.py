"""pyproject.toml names what the package imports, and nothing else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "glm_tts_api"
TEXT = REPOSITORY / "speech_text"
CLUSTER = PACKAGE / "cluster"  # which asks for an extra
OF_SCRIPTS = {"transformers"}  # the published model, which scripts/bench.py measures beside ours
OF_EXTRAS = {"faster_whisper"}  # each imported by one file, which says what is missing without it
OF_TORCH = {"triton"}  # comes with PyTorch's builds for a GPU; without it a GPU decodes by plain operators


def imported(room: str = "") -> dict[str, Path]:
    """Top-level modules of others that the room, or all that one machine runs, imports, also within
    functions, and a file that does."""
    found: dict[str, Path] = {}
    for path in (*(PACKAGE / room).rglob("*.py"), *([] if room else TEXT.rglob("*.py"))):
        if not room and path.is_relative_to(CLUSTER):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            else:
                continue
            found.update({name.partition(".")[0]: path for name in names})
    known = {*sys.stdlib_module_names, "glm_tts_api", "speech_text", *OF_TORCH, *OF_EXTRAS}
    return {name: path for name, path in found.items() if name not in known}


def declared() -> set[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return {canonical(re.split(r"[^\w.-]", text)[0]) for text in project["dependencies"]}


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_every_import_is_declared() -> None:
    provided_by, wanted = packages_distributions(), declared()
    assert "torch" in imported()
    for module, path in imported().items():
        distributions = {canonical(name) for name in provided_by[module]}
        assert distributions & wanted, f"{path} imports {module}, of {distributions}: not in dependencies"


def test_the_cluster_room_alone_asks_for_ray() -> None:
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert [text.partition(">")[0] for text in extras["cluster"]] == ["ray[serve]"]
    assert imported("cluster").keys() - imported().keys() == {"ray"}


def test_every_dependency_is_imported() -> None:
    provided_by = packages_distributions()
    used = {canonical(name) for module in imported() for name in provided_by[module]}
    assert declared() - used == OF_SCRIPTS
