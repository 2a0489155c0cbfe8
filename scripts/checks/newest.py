"""Runs the tests with the newest versions of all packages. If they fail, names the packages that cause it.

    python3 -m scripts.checks.newest [ARGUMENTS of scripts/test.sh]

scripts/make/lock.sh finds the newest versions that pyproject.toml allows, for each version of Python. Its
variable UV_CONSTRAINT works here too. If scripts/test.sh fails, each trial puts some packages back to their
locked versions, and runs the checks and up to 50 of the failed tests again. At the end constraints.txt is as
before, and the next script that needs .venv installs its versions again. Exit codes: 0, all tests passed;
1, some failed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_LOCK = _ROOT / "constraints.txt"
_FAILED_TESTS = _ROOT / ".pytest_cache/v/cache/lastfailed"  # pytest writes this file


def causes(packages: list[str], passes: Callable[[list[str]], bool]) -> list[str]:
    """Returns the packages that have to be put back so that the tests pass. passes(names) returns whether the
    tests pass after the packages `names` were put back. They must pass after all packages were put back."""
    found: list[str] = []
    while packages and not passes(found):
        # packages[:fail] is too few of them to put back, packages[:enough] is not
        fail, enough = 0, len(packages)
        while enough - fail > 1:
            half = (fail + enough) // 2
            if passes(found + packages[:half]):
                enough = half
            else:
                fail = half
        found.append(packages[enough - 1])
        packages = packages[: enough - 1]
    return found


def _versions(lock: str) -> dict[str, str]:
    """Returns what the lock says of each package: a version, or a version for each range of Pythons."""
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(.*)$", lock, re.MULTILINE):
        versions.setdefault(name, []).append(version)
    return {name: " / ".join(each) for name, each in versions.items()}


def _raise(locked: str, kept: list[str]) -> None:
    """Writes the newest versions into constraints.txt, but the locked versions of the packages `kept`."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as bounds:
        bounds.writelines(f"{line}\n" for line in locked.splitlines() if line.partition("==")[0] in kept)
        bounds.flush()
        constraint = f"{os.environ.get('UV_CONSTRAINT', '')} {bounds.name}".strip()
        environment = {**os.environ, "UV_CONSTRAINT": constraint, "UV_FORK_STRATEGY": "requires-python"}
        subprocess.run(["bash", "scripts/make/lock.sh", "--upgrade"], cwd=_ROOT, env=environment, check=True)


def _test(arguments: list[str]) -> bool:
    return subprocess.run(["bash", "scripts/test.sh", *arguments], cwd=_ROOT, check=False).returncode == 0


def main(arguments: list[str]) -> int:
    locked = _LOCK.read_text()
    _FAILED_TESTS.unlink(missing_ok=True)
    try:
        _raise(locked, [])
        before, newest = _versions(locked), _versions(_LOCK.read_text())
        newer = [name for name in before if before[name] != newest.get(name)]
        changes = {name: f"{name} {before[name]} -> {newest.get(name, 'none')}" for name in newer}
        print(f"{len(newer)} packages differ from the lock:", *changes.values(), sep="\n  ", flush=True)
        if _test(arguments):
            print("The tests passed with the newest versions.")
            return 0
        failed = list(json.loads(_FAILED_TESTS.read_text())) if _FAILED_TESTS.exists() else []
        again = failed[:50] or ["--collect-only", "-qq"]

        def passes(kept: list[str]) -> bool:
            print(f"== with the locked versions of {', '.join(kept) or 'no package'}", flush=True)
            _raise(locked, kept)
            return _test(again)

        if not passes(newer):
            print("The tests fail with the locked versions too.")
        elif found := causes(newer, passes):
            print("The tests fail because of:", *(changes[name] for name in found), sep="\n  ")
        else:
            print("The tests failed, and then passed with the same versions.")
        return 1
    finally:
        _LOCK.write_text(locked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
