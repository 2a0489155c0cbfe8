"""Watches the memory of a process of the soak test from inside the process.

A thread in each process writes a line every 20 s, or as often as `hook` was told. Only a server that is
tested has this thread: `hook` makes a folder with a module `sitecustomize` that starts the thread.

The thread does not ask the garbage collector for a list of all objects. Such a list refers to tuples that are
still being made, and making them then fails with SystemError.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any

_FOLDER = "TORTURE_INSIDE"
EVERY_S = 20.0
_OF_GLIBC = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks")
_MALLINFO = (*_OF_GLIBC, "uordblks", "fordblks", "keepcost")  # malloc.h


class _Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _MALLINFO]


def hook(folder: Path, repository: Path, *, every_s: float = EVERY_S) -> dict[str, str]:
    """Makes `folder`, and returns the environment variables that make each process of a server write there.

    `repository` is the project's root, which the processes need on their PYTHONPATH. `every_s` is the time
    between two lines.
    """
    folder.mkdir()
    lines = f"from scripts.checks.torture.inside import begin\nbegin({every_s})\n"
    (folder / "sitecustomize.py").write_text(lines, encoding="utf-8")
    return {"PYTHONPATH": f"{folder}:{repository}", _FOLDER: str(folder)}


def begin(every_s: float) -> None:
    if folder := os.environ.get(_FOLDER):
        arguments = (Path(folder), every_s)
        threading.Thread(target=_keep_telling, args=arguments, name="inside", daemon=True).start()


def told(folder: Path, pid: int) -> list[dict[str, Any]]:
    """Returns the lines that the process `pid` has written to `folder`, as dictionaries."""
    path = folder / f"{pid}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _keep_telling(folder: Path, every_s: float) -> None:
    while True:
        time.sleep(every_s)
        seen = json.dumps(look())  # before the file is open, which would count as a file of the server
        with (folder / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(seen + "\n")


def look() -> dict[str, Any]:
    """Returns the memory figures of this process.

    `heaps_mb` is the size of glibc's heaps, `used_mb` the part in use, and `mapped_mb` the memory that malloc
    has mapped beside the heaps. `blocks` counts the memory blocks that Python has allocated. `caches` maps
    each lru_cache of the package that is not empty to its number of entries.
    """
    return {
        "at": time.time(),
        **_of_glibc(),
        "blocks": sys.getallocatedblocks(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "caches": dict(_caches()),
    }


def _of_glibc() -> dict[str, float]:
    mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo is None:
        return {}
    mallinfo.restype = _Mallinfo
    seen = mallinfo()
    sizes = {"heaps_mb": seen.arena, "used_mb": seen.uordblks, "mapped_mb": seen.hblkhd}
    return {name: n_bytes / 2**20 for name, n_bytes in sizes.items()}


def _caches() -> Iterator[tuple[str, int]]:
    for name, module in list(sys.modules.items()):
        if name.startswith(("glm_tts_api", "speech_text")):
            for key, value in list(vars(module).items()):
                if type(value) is _lru_cache_wrapper and (size := value.cache_info().currsize):
                    yield f"{name}.{key}", size
