"""Whether a second server like the one that runs fits the machine beside it.

    room_for_two.py PID...    the processes of the one that runs

Exits 0 if it does, else 1 and says what is missing. What it needs is what the first one holds now.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_MIB = 2**20
_GROUP_FILES = (  # limit, usage, statistics, and what of the usage can be given back, in cgroup v2 and v1
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)
_SMI_LIMIT_S = 20


def held_by(pids: list[int]) -> int:
    """Bytes of RAM; what processes share counts once."""
    return sum(_line_of(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") for pid in pids) * 1024


def free_ram() -> int:
    """Bytes that could be had now, of the machine's or of this container's."""
    free = _line_of(Path("/proc/meminfo"), "MemAvailable:") * 1024
    for limit_file, usage_file, reclaimable in _GROUP_FILES:
        limit, usage = (_number(Path("/sys/fs/cgroup") / name) for name in (limit_file, usage_file))
        if limit is not None and usage is not None:
            statistics = (Path("/sys/fs/cgroup") / usage_file).with_name("memory.stat")
            free = min(free, limit - usage + _line_of(statistics, reclaimable))
    return free


def gpu_shortages(pids: list[int]) -> list[str]:
    """A sentence for each GPU on which the processes hold more than is free."""
    free = {gpu: int(mib) for gpu, mib in _smi("--query-gpu=uuid,memory.free")}
    held: dict[str, int] = {}
    for gpu, pid, mib in _smi("--query-compute-apps=gpu_uuid,pid,used_memory"):
        if pid.isdecimal() and int(pid) in pids and mib.isdecimal():
            held[gpu] = held.get(gpu, 0) + int(mib)
    return [
        f"GPU {gpu}: the server holds {mib} MiB and {free[gpu]} MiB are free"
        for gpu, mib in held.items()
        if mib > free.get(gpu, mib)
    ]


def _smi(query: str) -> list[list[str]]:
    """The rows that nvidia-smi answers; none where it is missing or does not answer."""
    command = ["nvidia-smi", query, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SMI_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines() if line.strip()]


def _line_of(file: Path, name: str) -> int:
    """The number in the line that begins with `name`; 0 if there is none."""
    try:
        rows = (line.split() for line in file.read_text().splitlines())
        return next((int(row[1]) for row in rows if row and row[0] == name), 0)
    except OSError:
        return 0


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # "max": no limit
        return None


def main(pids: list[int]) -> int:
    held, free = held_by(pids), free_ram()
    print(f"  RAM: the server holds {held / _MIB:.0f} MiB, {free / _MIB:.0f} MiB are free")
    missing = gpu_shortages(pids)
    if held > free:
        missing.insert(0, f"RAM: the server holds {held / _MIB:.0f} MiB and {free / _MIB:.0f} MiB are free")
    for line in missing:
        print(f"RESTART_MODE=rolling needs memory for two servers. {line}.", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main([int(pid) for pid in sys.argv[1:]]))
