"""Writes constraints.txt: the versions in this environment of all packages that the server needs.

    .venv/bin/python scripts/make/write_constraints.py

Is run for a release, after every test has passed with these versions.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

FILE = Path(__file__).resolve().parents[2] / "constraints.txt"
PROJECT = "glm-tts-api"


def installed_versions() -> dict[str, str]:
    """Returns the version of each package that the project needs directly or indirectly, by package name.

    A local label such as +cpu is removed from the version. Ends the program if a package is not installed.
    """
    versions: dict[str, str] = {}
    todo = [Requirement(PROJECT)]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if name in versions:
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed: pip install -e . first") from None
        versions[name] = Version(found.version).public
        todo += [need for text in found.requires or [] if applies(need := Requirement(text), wanted.extras)]
    del versions[PROJECT]
    return dict(sorted(versions.items()))


def applies(need: Requirement, extras: set[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))


if __name__ == "__main__":
    lines = [
        f"# What the release was tested with, on Python {platform.python_version()}.",
        "# Written by scripts/make/write_constraints.py; used by pip install -c constraints.txt",
        *(f"{name}=={version}" for name, version in installed_versions().items()),
    ]
    FILE.write_text("\n".join(lines) + "\n")
