"""constraints.txt fits pyproject.toml and names all that is needed to run."""

from __future__ import annotations

import tarfile
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.installed.distributions import REPOSITORY, Distributions


def constraints() -> dict[str, Requirement]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in pins}


def test_every_dependency_is_pinned_to_a_version_that_is_allowed() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    pins = constraints()
    for need in map(Requirement, project["dependencies"]):
        (pin,) = pins[canonicalize_name(need.name)].specifier
        assert pin.operator == "=="
        assert need.specifier.contains(pin.version), f"{need}: constraints.txt has {pin}"
    assert {"anyio", "sympy"} <= pins.keys()  # needed by what we need
    assert not any("+" in str(pin) for pin in pins.values())  # a build's mark is not on PyPI


def test_the_sdist_brings_them(built: Distributions) -> None:
    with tarfile.open(built.sdist) as sdist:
        (name,) = (name for name in sdist.getnames() if name.endswith("/constraints.txt"))
        file = sdist.extractfile(name)
        assert file is not None
        assert file.read() == (REPOSITORY / "constraints.txt").read_bytes()
