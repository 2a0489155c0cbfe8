"""The command line, asked in a process of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def run(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m glm_tts_api` in the project folder `root` with these variables alone."""
    return subprocess.run(
        [sys.executable, "-m", "glm_tts_api", *arguments],
        cwd=root,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def printed(root: Path, **environment: str) -> dict[str, str]:
    done = run(root, "settings", **environment)
    assert done.returncode == 0, done.stderr
    return dict(word.split("=", 1) for line in done.stdout.splitlines() for word in shlex.split(line))
