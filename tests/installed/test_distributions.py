"""The contents of the sdist and the wheel, their metadata, and the docs' commands for the wheel."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from glm_tts_api import __version__
from tests.installed.distributions import PACKAGES, REPOSITORY, Distributions


def files_of_the_package() -> set[str]:
    """As git knows them; those of configs/ under glm_tts_api/configs, which is a link to it, or under
    speech_text/assets/dictionaries, whose files are links to some of them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PACKAGES, "configs"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {name for name in listed.stdout.split("\0") if (REPOSITORY / name).is_file()}
    names -= {f"configs/{path.name}" for path in (REPOSITORY / "speech_text/assets/dictionaries").iterdir()}
    return {re.sub("^configs/", "glm_tts_api/configs/", name) for name in names}


def test_wheel_and_sdist_hold_every_file_of_the_package(built: Distributions) -> None:
    wanted = files_of_the_package()
    assert "glm_tts_api/configs/prompt_cache.json" in wanted
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert names == wanted
        for name in wanted:
            assert wheel.read(name) == (REPOSITORY / name).read_bytes(), name
    with tarfile.open(built.sdist) as sdist:
        places = {name.partition("/")[2]: name for name in sdist.getnames()}
        assert wanted <= places.keys()
        lock = sdist.extractfile(places["constraints.txt"])
        assert lock is not None
        assert lock.read() == (REPOSITORY / "constraints.txt").read_bytes()


def test_one_version_number(built: Distributions) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        described = email.message_from_bytes(wheel.read(metadata))
    assert described["Version"] == __version__
    assert __version__ not in (REPOSITORY / "pyproject.toml").read_text()


@pytest.mark.long
def test_the_commands_for_the_wheel(built: Distributions, tmp_path: Path) -> None:
    """Without the internet: no dependency is installed, and the build is the one of the other tests."""
    block = re.search(
        r"```bash\n([^`]*-m build[^`]*)```", (REPOSITORY / "docs/getting-started.md").read_text()
    )
    assert block is not None
    build, install, check, *_ = block[1].splitlines()
    (copied,) = re.findall(r"cp (\S+) dist/", build)
    dist = shutil.copytree(built.wheel.parent, tmp_path / "dist")
    shutil.copy(REPOSITORY / copied, dist)
    environment = {"PATH": os.environ["PATH"], "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1"}
    done = subprocess.run(
        ["bash", "-c", install], cwd=dist, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (dist / check.split()[0]).exists()
