"""Makes .venv on first use, and installs the packages of pyproject.toml in the versions of constraints.txt.
Installs them again when one of the two files changes."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen, run
from typing import TextIO

from glm_tts_api.errors import AlreadyRunning, StartupError
from glm_tts_api.service.output import Failed, Step, say, user

INSTALL_LIMIT_S = 14400  # 6.6 GB at 0.5 MB/s
_SHOWN_LINES = 25
_WRONG_VERSION = 3
# A program for the Python of .venv, which has tomllib. It prints a digest of constraints.txt and the parts of
# pyproject.toml that decide which packages pip installs.
_DIGEST = f"""
import hashlib, json, sys
if not (3, 11) <= sys.version_info < (3, 14):
    sys.exit({_WRONG_VERSION})
import tomllib
with open("pyproject.toml", "rb") as file:
    whole = tomllib.load(file)
parts = [whole.get("build-system"), whole["project"], whole.get("tool", {{}}).get("setuptools")]
with open("constraints.txt") as file:
    parts.append(file.read())
print(hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest())
"""


class Venv:
    """The virtual environment .venv of the project folder `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / ".venv"
        self.python = str(self._folder / "bin/python")

    def ensure(self, extra: str = "") -> None:
        """Makes .venv if it is missing or unusable, and installs the packages of pyproject.toml with the
        optional `extra`, in the versions of constraints.txt, unless they are installed already. Raises
        StartupError, or AlreadyRunning where another installation does not end."""
        name = f"installed-{extra}" if extra else "installed"
        with self._locked():
            digest = self._digest()
            if digest is None:
                self._make()
                digest = self._digest()
            if all(_text(stamp) != digest for stamp in self._folder.glob(f"{name}*")):
                self._install(extra)
                stamp = self._folder / f"{name}.new"
                stamp.write_text(f"{digest}\n")
                stamp.replace(self._folder / name)

    def require(self) -> bool:
        """Returns whether .venv exists. Raises Failed if its Python does not run, since it is not known then
        whether a server runs."""
        if self._digest() is None and os.path.lexists(self.python):
            raise Failed(
                f"{self.python} does not run as user {user()}: whether a server runs here is not known. "
                f"Run this as {self._folder.owner()}, or let bash restart_api.sh make .venv anew."
            )
        return os.path.exists(self.python)

    def _digest(self) -> str | None:
        """Returns a digest of the packages that pyproject.toml and constraints.txt ask for. Returns None if
        the Python of .venv is missing, does not run, or is of another version. Raises StartupError if a file
        cannot be read."""
        command = [self.python, "-c", _DIGEST]
        try:
            done = run(command, cwd=self._root, capture_output=True, text=True, check=False)
        except OSError:
            return None
        if done.returncode and "Traceback" in done.stderr:
            raise StartupError(f"{done.stderr}pyproject.toml or constraints.txt cannot be read (above).")
        return None if done.returncode else done.stdout.strip()

    def _make(self) -> None:
        if self._folder.exists() and not os.access(self._folder, os.W_OK):
            raise StartupError(
                f"{self.python} does not run as user {user()}, who may not make .venv anew either: it "
                f"belongs to {self._folder.owner()}."
            )
        version = sys.version.split()[0]
        if not (3, 11) <= sys.version_info < (3, 14):
            raise StartupError(
                f"Python 3.11, 3.12 or 3.13 is needed to make .venv; this is Python {version}."
            )
        if importlib.util.find_spec("ensurepip") is None:
            raise StartupError(
                f"{sys.executable} has no 'ensurepip' module, which making .venv needs. Install it (Debian, "
                "Ubuntu: apt install python3-venv) and try again."
            )
        say(f"Making .venv with {sys.executable} (Python {version})")
        if run([sys.executable, "-m", "venv", "--clear", self._folder], check=False).returncode:
            raise StartupError(f"{sys.executable} -m venv failed (above).")

    def _install(self, extra: str) -> None:
        say(
            f"Installing what pyproject.toml{f' and its extra {extra}' if extra else ''} names into .venv "
            "(the first time 5.9 GB of disk, 2 GB with a CPU build of PyTorch; later starts skip this)"
        )
        log = self._folder / "install.log"
        with Step("Installing the packages") as step, log.open("w") as file:
            # setuptools comes first, because it builds packages that come as source. In an isolated
            # environment, pip would build them with the newest setuptools instead of the locked one.
            package = f".[{extra}]" if extra else "."
            if all(
                self._runs_pip(what, step, file)
                for what in (["setuptools>=77"], ["--no-build-isolation", "-e", package])
            ):
                return
        lines = [line for line in log.read_text().splitlines() if not line.startswith("Progress ")]
        lines = [*lines[-_SHOWN_LINES:], f"pip could not install the packages (above; all of it: {log})."]
        lines += ["Nothing was started or stopped. docs/getting-started.md: mirrors, CPU builds, offline."]
        raise StartupError("\n".join(lines))

    def _runs_pip(self, what: list[str], step: Step, log: TextIO) -> bool:
        pip = [self.python, "-m", "pip"]
        version = run([*pip, "--version"], capture_output=True, text=True, check=False).stdout
        numbers = re.match(r"pip (\d+)\.(\d+)", version)
        bar = "raw" if numbers and (int(numbers[1]), int(numbers[2])) >= (24, 1) else "off"
        command = [
            *pip,
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar",
            bar,
            "-c",
            "constraints.txt",
            *what,
        ]
        process = Popen(command, cwd=self._root, stdout=PIPE, stderr=STDOUT, text=True, errors="replace")
        limit = threading.Timer(INSTALL_LIMIT_S, process.kill)
        limit.start()
        progress = PipProgress(self._folder)
        step.doing(progress.shown)
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            log.flush()
            progress.read(line)
        limit.cancel()
        return not process.wait()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Holds a lock for changes of .venv inside the `with` block. A second installer waits for the first
        one. Raises AlreadyRunning after a wait of four hours."""
        descriptor = os.open(self._root, os.O_RDONLY)
        try:
            if not _lock(descriptor):
                with Step("Waiting for another script that installs into .venv") as step:
                    while not _lock(descriptor):
                        if step.seconds > INSTALL_LIMIT_S:
                            raise AlreadyRunning(
                                f"Another script still holds {self._root}: end it and try again."
                            )
                        time.sleep(0.2)
            yield
        finally:
            os.close(descriptor)


class PipProgress:
    """Reads the output of pip and describes its progress in words for a user who does not know pip."""

    def __init__(self, venv: Path) -> None:
        self._venv = venv
        self._before = self._n_packages()
        self._step = "beginning"

    def shown(self) -> str:
        if self._step.startswith("unpacking "):
            return f"{self._step}, {self._n_packages() - self._before} done"
        return self._step

    def read(self, line: str) -> None:
        words = line.split()
        if line.startswith("Collecting "):
            self._step = f"looking for {re.split('[^A-Za-z0-9._-]', words[1])[0]}"
        elif "Downloading " in line and ".metadata" not in line and "(" in line:
            # The line is like: Downloading path/torch-2.9.0-cp313-manylinux.whl (530.0 MB)
            name = re.split(r"-\d", words[1].rpartition("/")[2])[0]
            self._step = f"downloading {name} {' '.join(words[2:])}"
        elif line.startswith("Progress ") and self._step.startswith("downloading") and int(words[3]) >= 10**7:
            name = self._step.partition(" (")[0]
            self._step = f"{name} ({int(words[1]) // 10**6} of {int(words[3]) // 10**6} MB)"
        elif any(part in line for part in ("Preparing metadata", "Building wheel", "build dependencies")):
            self._step = "preparing packages"
        elif line.startswith("Installing collected packages: "):
            self._step = f"unpacking {line.count(',') + 1} packages"

    def _n_packages(self) -> int:
        return len(list(self._venv.glob("lib/python3*/site-packages/*.dist-info")))


def _lock(descriptor: int) -> bool:
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
