"""The docs' commands for the wheel, as they are written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.installed.distributions import REPOSITORY, Distributions


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
