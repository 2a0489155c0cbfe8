"""Commands on the fake CUDA, from tests that run on the CPU's PyTorch."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from tests.gpu_fake import build

OnTheFake = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="session")
def on_the_fake() -> OnTheFake:
    """Runs a command on a fake card and returns its output."""
    if not os.environ.get("FAKE_CUDA") and not build.SITE.exists():
        pytest.skip("FAKE_CUDA=1 fetches 0.7 GB: PyTorch's build for CUDA, for the fake GPU")
    try:
        build.build()
    except build.Unavailable as error:
        pytest.skip(f"there is no fake GPU: {error}")

    def run(*command: object, nvml: bool = True, **card: object) -> CompletedProcess[str]:
        environ = build.environment(nvml=nvml, **card)
        return subprocess.run(
            [*map(str, command)], env=environ, cwd=build.ROOT, capture_output=True, text=True
        )

    return run
