"""Measures the memory in use and free, of the machine and of its GPUs if nvidia-smi is installed. Changes
nothing."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from glm_tts_api.errors import StartupError
from glm_tts_api.processes import number_in
from glm_tts_api.service.output import Step

GPU_WAIT_S = 60.0
_SMI_LIMIT_S = 20.0  # with a broken driver nvidia-smi was seen to hang
_MIB = 2**20
_GROUP = Path("/sys/fs/cgroup")
_GROUP_FILES = (  # the files of limit and usage, and the line of reclaimable memory, in cgroup v2 and v1
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


def gpus() -> list[str]:
    """Returns a line for the user for each GPU, with its used and total memory in MiB. Returns an empty list
    without nvidia-smi."""
    rows = _smi("--query-gpu=index,memory.used,memory.total")
    return [f"GPU {index}: {used} MiB of {total} MiB in use" for index, used, total in rows]


def wait_for_gpu(pids: Collection[int], step: Step) -> None:
    """Waits until the GPU driver no longer lists the ended processes `pids`, for 60 seconds at most. Notes in
    `step` which of them are still listed then. Returns at once without nvidia-smi."""
    deadline = time.monotonic() + GPU_WAIT_S
    while holders := [pid for (pid,) in _smi("--query-compute-apps=pid") if pid in map(str, pids)]:
        if time.monotonic() > deadline:
            step.note(f"after {GPU_WAIT_S:.0f} s the driver still lists: {' '.join(holders)}")
            return
        time.sleep(0.5)


def require_room_for_two(processes: Collection[psutil.Process], step: Step) -> None:
    """Raises StartupError unless as much memory is free as `processes` use, both in RAM and on their GPUs.
    Notes the figures of RAM in `step`."""
    held, free = sum(map(_held_by, processes)) // _MIB, _free_ram() // _MIB
    shown = f"RAM: the server holds {held} MiB and {free} MiB are free"
    step.note(shown)
    missing = [*([shown] if held > free else []), *_gpu_shortages([each.pid for each in processes])]
    if missing:
        raise StartupError(
            "\n".join(f"RESTART_MODE=rolling needs memory for two servers. {each}." for each in missing)
        )


def _held_by(process: psutil.Process) -> int:
    """Returns the RAM that the process uses, in bytes. RAM that several processes share counts once."""
    with suppress(psutil.Error):
        return int(process.memory_full_info().pss)
    return 0


def _free_ram() -> int:
    """Returns the RAM that new processes could get now, in bytes: what the machine has free, or what this
    container may still take if that is less."""
    free: int = psutil.virtual_memory().available
    for limit_file, usage_file, reclaimable in _GROUP_FILES:
        with suppress(OSError, ValueError):  # a file is missing, or has "max" for no limit
            limit, usage = (int((_GROUP / name).read_text()) for name in (limit_file, usage_file))
            statistics = (_GROUP / usage_file).with_name("memory.stat")
            free = min(free, limit - usage + number_in(statistics, reclaimable))
    return free


def _gpu_shortages(pids: Collection[int]) -> Iterator[str]:
    free = {gpu: int(mib) for gpu, mib in _smi("--query-gpu=uuid,memory.free")}
    held: dict[str, int] = {}
    for gpu, pid, mib in _smi("--query-compute-apps=gpu_uuid,pid,used_memory"):
        if pid in map(str, pids) and mib.isdecimal():
            held[gpu] = held.get(gpu, 0) + int(mib)
    for gpu, held_mib in held.items():
        if held_mib > free.get(gpu, held_mib):
            yield f"GPU {gpu}: the server holds {held_mib} MiB and {free[gpu]} MiB are free"


def _smi(query: str) -> list[list[str]]:
    """Runs nvidia-smi with the option `query` and returns the cells of each row of its answer. Returns no
    rows if nvidia-smi is missing, fails, or takes longer than 20 seconds."""
    command = ["nvidia-smi", query, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SMI_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines() if line.strip()]
