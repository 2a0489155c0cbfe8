"""The package as users get it: sdist and wheel built, the wheel installed into a new venv."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from glm_tts_api.durable import locked
from tests.installed.distributions import PACKAGES, REPOSITORY, Distributions


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Built once for all workers, from a copy, so that nothing is written into the repository. No internet:
    the build's own needs are the running environment's."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    source, dist = folder / "source", folder / "dist"
    with locked(folder / "dist.lock"):
        if not dist.exists():
            without_leftovers = shutil.ignore_patterns("__pycache__", "*.egg-info")
            source.mkdir()
            for path in REPOSITORY.iterdir():
                if path.is_dir() and path.name in (*PACKAGES, "configs"):
                    shutil.copytree(path, source / path.name, symlinks=True, ignore=without_leftovers)
                elif path.is_file() and ".log" not in path.name:
                    shutil.copy(path, source)
            run("-m", "build", "--no-isolation", "--outdir", dist, source)
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    return Distributions(sdist, wheel)


@pytest.fixture(scope="session")
def venv(built: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new venv with the wheel and, of the running environment, all packages but ours."""
    folder = tmp_path_factory.mktemp("new") / "a venv"
    run("-m", "venv", "--without-pip", folder)
    run("-m", "pip", "-q", "--python", folder, "install", "--no-index", "--no-deps", built.wheel)
    (packages,) = folder.glob("lib/python3*/site-packages")
    # A .pth file in a folder that a .pth file names is not read, so neither our editable installation's.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def run(*arguments: str | Path) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
