"""The command line, asked in this process: a Python for each question would take most of the time."""

from __future__ import annotations

import io
import os
import shlex
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from glm_tts_api.cli import main

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(root: Path, *arguments: str, **environment: str) -> Done:
    """`glm-tts` in the project folder `root` with these variables alone."""
    out, errors = io.StringIO(), io.StringIO()
    with (
        chdir(root),
        mock.patch.dict(os.environ, {"PATH": os.environ["PATH"], **environment}, clear=True),
        redirect_stdout(out),
        redirect_stderr(errors),
    ):
        code = main(list(arguments))
    return Done(code, out.getvalue(), errors.getvalue())


def printed(root: Path, **environment: str) -> dict[str, str]:
    done = run(root, "settings", **environment)
    assert done.returncode == 0, done.stderr
    return dict(word.split("=", 1) for line in done.stdout.splitlines() for word in shlex.split(line))
