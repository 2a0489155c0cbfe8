"""The fake GPU, as a test in a process on it reads and sets it."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.model.allocator import allocator_variables

GIB = 2**30
_CUDA = ctypes.CDLL("libcuda.so.1")
_CUDA.fake_notes.restype = ctypes.c_char_p
_CUDA.fake_used.restype = _CUDA.fake_peak.restype = ctypes.c_size_t


def begin(number: int) -> torch.device:
    """Sets what an engine's process has from its environment, and at its start. Returns the device."""
    os.environ.update(allocator_variables(os.environ))
    device = torch.device("cuda", number)
    set_torch_flags(device, os.environ)
    return device


def _notes(kind: str) -> list[str]:
    """Returns the notes of one kind since the last call: "launches", "graphs" or "faults"."""
    text: bytes = _CUDA.fake_notes(kind.encode(), 1)
    return text.decode().splitlines()


def faults() -> list[str]:
    """Returns what broke CUDA's rules."""
    return _notes("faults")


def graphs() -> list[tuple[int, int]]:
    """Returns the nodes and the stream's priority of each graph that was made since the last call."""
    return [(int(n), int(priority)) for n, priority in map(str.split, _notes("graphs"))]


def used_gib(device: int = 0) -> float:
    return float(_CUDA.fake_used(device)) / GIB


def peak_gib(device: int = 0) -> float:
    """Returns the most that was in use since the last call."""
    return float(_CUDA.fake_peak(device)) / GIB


def has_context(device: int) -> bool:
    return bool(_CUDA.fake_has_context(device))


def set_memory(gib: float) -> None:
    ctypes.c_double.in_dll(_CUDA, "fake_gib").value = gib


@contextmanager
def lost_context() -> Iterator[None]:
    """Makes all calls fail, as after an illegal access."""
    dead = ctypes.c_int.in_dll(_CUDA, "fake_dead")
    dead.value = 1
    try:
        yield
    finally:
        dead.value = 0  # else what frees memory ends the process


@dataclass
class Work:
    """The calls that a piece of work made to the GPU, in order, and the CPU time of its thread."""

    launches: list[str] = field(default_factory=list)
    waits: int = 0
    cpu_ms: float = 0.0


@contextmanager
def seen() -> Iterator[Work]:
    work, begin = Work(), time.thread_time()
    _notes("launches")
    yield work
    work.cpu_ms = 1000 * (time.thread_time() - begin)
    notes = _notes("launches")
    work.waits = notes.count("wait")
    work.launches = [note for note in notes if note != "wait"]
