"""Runs the tests with the newest versions of all packages, and names those that differ from the lock.

    python3 -m scripts.checks.newest [ARGUMENTS of scripts/test.sh]

scripts/make/lock.sh finds the newest versions that pyproject.toml allows, for each version of Python. Its
variable UV_CONSTRAINT works here too: its file keeps a package with which the tests fail at a version.
At the end constraints.txt is as before, and the next script that needs .venv installs its versions again.
The exit code is that of scripts/test.sh.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_LOCK = _ROOT / "constraints.txt"


def _versions(lock: str) -> dict[str, str]:
    """Returns what the lock says of each package: a version, or a version for each range of Pythons."""
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(.*)$", lock, re.MULTILINE):
        versions.setdefault(name, []).append(version)
    return {name: " / ".join(each) for name, each in versions.items()}


def main(arguments: list[str]) -> int:
    locked = _LOCK.read_text()
    try:
        subprocess.run(["bash", "scripts/make/lock.sh", "--upgrade"], cwd=_ROOT, check=True)
        before, newest = _versions(locked), _versions(_LOCK.read_text())
        changes = [
            f"{name} {version} -> {newest.get(name, 'none')}"
            for name, version in before.items()
            if version != newest.get(name)
        ]
        print(f"{len(changes)} packages differ from the lock:", *changes, sep="\n  ", flush=True)
        return subprocess.run(["bash", "scripts/test.sh", *arguments], cwd=_ROOT, check=False).returncode
    finally:
        _LOCK.write_text(locked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
