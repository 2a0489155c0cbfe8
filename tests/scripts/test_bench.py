"""scripts/bench.py as a process: what it says before it measures, what it leaves behind when it is ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.waiting import wait_until
from tests.this_cpu import AS_AVX2

REPOSITORY = Path(__file__).parents[2]
BENCH = REPOSITORY / "scripts" / "bench.py"


def arguments(pid: int) -> list[str]:
    """A process's command line; empty if it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def server_of(pid: int) -> int | None:
    """The PID of the uvicorn that this process has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(
        (int(child) for child in children if "glm_tts_api.api_server:app" in arguments(int(child))), None
    )


@pytest.mark.long
def test_the_server_ends_with_the_benchmark(tmp_path: Path) -> None:
    bench = subprocess.Popen(
        [sys.executable, BENCH, "serve"],
        env={**os.environ, "DEVICE": "cpu", "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    server = None
    try:
        server = wait_until(lambda: server_of(bench.pid), 120)
        bench.send_signal(signal.SIGTERM)
        _, errors = bench.communicate(timeout=60)
        assert bench.returncode == 128 + signal.SIGTERM
        assert "Traceback" not in errors.decode()
        assert arguments(server) == []
        assert list(tmp_path.rglob("server.log")) == []
    finally:
        bench.kill()
        if server is not None and arguments(server):
            os.kill(server, signal.SIGKILL)


@pytest.mark.long
def test_figures_stand_below_the_cpu_they_were_measured_on(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, BENCH, "decode", "--size", "mini", "--device", "cpu", "--json", figures],
        env={**os.environ, **AS_AVX2, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    name = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    first = done.stdout.splitlines()[0]
    assert name is None or name[1].strip() in first
    flags = set(Path("/proc/cpuinfo").read_text().split())
    for flag in ("avx2", "avx512_vnni", "avx512_bf16"):
        assert (flag in re.findall(r"\w+", first)) == (flag in flags)
    assert "uses AVX2" in first
    assert first in figures.read_text()
    for variable, value in AS_AVX2.items():
        assert f"{variable}={value}" in first
