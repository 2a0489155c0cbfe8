"""constraints.txt, the lock: it fits pyproject.toml, and what is installed has its versions."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import distribution
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.installed.distributions import REPOSITORY

CUDA = re.compile("(cuda|nvidia)-")  # PyTorch itself names the versions of these packages


def lock() -> dict[str, Version]:
    """Returns the version of each package that the lock has for this Python."""
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    versions: dict[str, Version] = {}
    for pin in pins:
        (exact,) = pin.specifier
        assert exact.operator == "==", pin
        if pin.marker is None or pin.marker.evaluate():
            assert pin.name not in versions, pin
            versions[canonicalize_name(pin.name)] = Version(exact.version)
    return versions


def test_every_dependency_and_every_extra_is_locked_at_a_version_that_is_allowed() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    locked = lock()
    for need in map(
        Requirement, [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    ):
        assert locked[canonicalize_name(need.name)] in need.specifier, f"{need}: bash scripts/make/lock.sh"
    assert not any(version.local for version in locked.values())  # a build such as +cpu is not on PyPI
    assert not any(map(CUDA.match, locked))


def test_this_environment_has_the_locked_versions() -> None:
    """Of all packages that are needed directly or indirectly."""
    locked = lock()
    todo = [Requirement("glm-tts-api[dev]")]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen or CUDA.match(name):
            continue
        seen.add((name, frozenset(wanted.extras)))
        found = distribution(name)
        if name != "glm-tts-api":
            assert Version(Version(found.version).public) == locked.get(name), name
        todo += [
            need
            for need in map(Requirement, found.requires or [])
            if need.marker is None
            or any(need.marker.evaluate({"extra": one}) for one in ("", *wanted.extras))
        ]
    assert len(seen) > 150


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_fresh_environment_has_the_locked_versions(tmp_path: Path) -> None:
    """Needs the internet."""
    clone(tmp_path)
    installing = ["bash", "-c", "source scripts/lib/common.sh; ensure_venv dev"]
    done = subprocess.run(installing, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    python = str(tmp_path / ".venv/bin/python")
    listed = subprocess.check_output([python, "-m", "pip", "list", "--format=json"])
    installed = {
        canonicalize_name(one["name"]): Version(Version(one["version"]).public)
        for one in json.loads(listed)
        if one["name"] not in ("glm-tts-api", "pip") and not CUDA.match(one["name"])
    }
    shutil.rmtree(tmp_path / ".venv")  # up to 5.9 GB
    locked = lock()
    assert installed == {name: locked.get(name) for name in installed}
    assert len(installed) > 150


@pytest.mark.long
def test_the_lock_is_what_its_command_writes(tmp_path: Path) -> None:
    """Needs the internet. A package that an extra needs indirectly is not left out."""
    clone(tmp_path)
    (tmp_path / ".venv").symlink_to(REPOSITORY / ".venv")
    subprocess.run(["bash", "scripts/make/lock.sh"], cwd=tmp_path, check=True)
    assert (tmp_path / "constraints.txt").read_text() == (REPOSITORY / "constraints.txt").read_text()


def clone(folder: Path) -> None:
    for name in ("scripts", "glm_tts_api", "speech_text"):
        shutil.copytree(REPOSITORY / name, folder / name, symlinks=True)
    for name in ("pyproject.toml", "constraints.txt", "README.md"):
        shutil.copy(REPOSITORY / name, folder)
