"""Makes .venv on first use, and has pip install the packages of pyproject.toml in the versions of
constraints.txt. Installs them again when one of the two files changes:

    python3 -m glm_tts_api.service.venv EXTRA    EXTRA of pyproject.toml's optional-dependencies; "" for none

Uses only the standard library, since it runs before .venv exists. The exit code
is 2 if something could not be installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run

from glm_tts_api.errors import StartupError
from glm_tts_api.service.output import say

_SUPPORTED = "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))"


def ensure(root: Path, extra: str = "") -> None:
    """Makes .venv in the project folder `root` if it is missing or unusable, and installs the packages of
    pyproject.toml with the optional `extra`, unless they are installed already. Raises StartupError."""
    folder = root / ".venv"
    name = f"installed-{extra}" if extra else "installed"
    with _alone(root):
        if not _runs(root):
            _make(folder)
        digest = _digest(root)
        if all(stamp.read_text().strip() != digest for stamp in folder.glob(f"{name}*")):
            _install(root, extra)
            stamp = folder / f"{name}.new"
            stamp.write_text(f"{digest}\n")
            stamp.replace(folder / name)


def _runs(root: Path) -> bool:
    try:
        return run([root / ".venv/bin/python", "-c", _SUPPORTED], check=False).returncode == 0
    except OSError:
        return False


def _digest(root: Path) -> str:
    """Returns a digest of constraints.txt and of the parts of pyproject.toml that decide which packages pip
    installs. Raises StartupError if a file cannot be read."""
    try:
        whole = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        parts = [whole.get("build-system"), whole["project"], whole.get("tool", {}).get("setuptools")]
        parts.append((root / "constraints.txt").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise StartupError(f"pyproject.toml or constraints.txt cannot be read: {error}") from None
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _make(folder: Path) -> None:
    say(f"Making .venv with {sys.executable} (Python {sys.version.split()[0]})")
    if run([sys.executable, "-m", "venv", "--clear", folder], check=False).returncode:
        raise StartupError(f"{sys.executable} -m venv failed (above).")


def _install(root: Path, extra: str) -> None:
    say(
        f"Installing what pyproject.toml{f' and its extra {extra}' if extra else ''} names into .venv "
        "(the first time 5.9 GB of disk, 2 GB with a CPU build of PyTorch; later starts skip this)"
    )
    pip = [f"{root}/.venv/bin/python", "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    # setuptools comes first, because it builds packages that come as source. In an isolated environment, pip
    # would build them with the newest setuptools instead of the locked one.
    package = f".[{extra}]" if extra else "."
    for what in (["setuptools>=77"], ["--no-build-isolation", "-e", package]):
        if run([*pip, "-c", "constraints.txt", *what], cwd=root, check=False).returncode:
            raise StartupError(
                "pip could not install the packages (above). Nothing was started or stopped. "
                "docs/getting-started.md: mirrors, CPU builds, offline."
            )


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Holds a lock for changes of .venv inside the `with` block. A second installer waits for the first
    one."""
    descriptor = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Waiting for another script that installs into .venv")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


if __name__ == "__main__":  # of scripts/lib/common.sh
    try:
        ensure(Path.cwd(), *sys.argv[1:])
    except StartupError as error:
        say(str(error), sys.stderr)
        sys.exit(2)
