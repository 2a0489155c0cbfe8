"""The short form of scripts/checks/simulate.sh: some seeds, and the same seed twice."""

from __future__ import annotations

import re
import subprocess

import pytest


def _simulate(*arguments: str) -> str:
    command = ["bash", "scripts/checks/simulate.sh", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_no_seed_shows_a_fault_and_the_processes_died_at_many_messages() -> None:
    reached = set(re.findall(r"^  (\S.*): \d+$", _simulate("seeds", "15"), re.MULTILINE))
    assert reached >= {"health.healthy", "health.loading", "engine.restarting", "job.done", "POST 200 whole"}
    assert len([name for name in reached if name.startswith("engine.fault.")]) >= 6


def test_no_order_of_an_engines_threads_shows_a_fault() -> None:
    reached = set(re.findall(r"^  (\S.*): \d+$", _simulate("engine", "seeds", "25"), re.MULTILINE))
    assert {"submit", "leave", "resumed", "take", "Chunk", "Decoded", "Ended", "Released"} <= reached


@pytest.mark.parametrize("command", [["seed"], ["engine", "seed"]], ids=["server", "engine"])
def test_a_seed_gives_the_same_history_each_time(command: list[str]) -> None:
    """But for the seconds that it took."""
    one, other = (re.sub(r"\d+ s of CPU", "", _simulate(*command, "7")) for _ in range(2))
    assert one == other
