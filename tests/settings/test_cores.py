"""CPU_THREADS: the cores that the machine, an affinity mask and cgroups leave, divided among the workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from glm_tts_api.settings import Settings
from glm_tts_api.settings.machine import usable_cores

ALL = len(os.sched_getaffinity(0))
POD = "kubepods/pod1/container1"


@pytest.fixture
def many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))


def cores(tmp_path: Path, groups: str, files: dict[str, str]) -> int:
    """`groups`: as in /proc/self/cgroup; `files`: contents by path below the mount."""
    (tmp_path / "groups").write_text(groups)
    for name, content in files.items():
        file = tmp_path / "mount" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return usable_cores(groups=tmp_path / "groups", mount=tmp_path / "mount")


@pytest.mark.usefixtures("many_cores")
@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 16),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "20000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "6400000 100000\n"}, 16),
        ("0::/\n", {}, 16),
        (f"0::/{POD}\n", {f"{POD}/cpu.max": "max 100000\n", "kubepods/cpu.max": "300000 100000\n"}, 3),
        (f"0::/{POD}\n", {"cpu.max": "200000 100000\n"}, 2),  # the host's path, the container's mount
        ("0::/../sibling\n", {"cpu.max": "500000 100000\n"}, 5),
        (
            f"12:pids:/\n4:cpu,cpuacct:/{POD}\n0::/\n",
            {
                f"cpu,cpuacct/{POD}/cpu.cfs_quota_us": "250000\n",
                f"cpu,cpuacct/{POD}/cpu.cfs_period_us": "100000\n",
            },
            3,
        ),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 16),
        ("3:cpuset:/\n2:cpuacct:/\n", {"cpuset/cpu.cfs_quota_us": "1\n"}, 16),
        ("", {}, 16),
    ],
)
def test_a_cgroups_limit_counts(tmp_path: Path, groups: str, files: dict[str, str], expected: int) -> None:
    assert cores(tmp_path, groups, files) == expected


def test_without_cgroups_it_is_the_affinity_mask() -> None:
    code = (
        "import os; from glm_tts_api.settings import Settings; print(Settings.load().cpu_threads);"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(Settings.load().cpu_threads)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert 1 <= before <= ALL
    assert after == 1


def test_more_than_there_are_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPU_THREADS", "1024")
    (warning,) = Settings.load(tmp_path).warnings
    assert warning.startswith("CPU_THREADS=1024 is more than this process has cores")
    monkeypatch.setenv("CPU_THREADS", str(usable_cores()))
    assert Settings.load(tmp_path).warnings == []
