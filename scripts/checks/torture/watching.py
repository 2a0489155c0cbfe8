"""Measures from /proc the memory, threads, files and CPU time of a server's processes."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glm_tts_api.service.memory import number_in
from scripts.checks.torture.mappings import mapped
from tests.api.server_process import Server

MAPPED_EVERY_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
OWN_SHM = (
    *("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/shm && exec "$@"'),
    *("-", "env", "--default-signal=HUP,QUIT"),
)  # a command's prefix that gives it its own /dev/shm, to which no other program writes


@dataclass(frozen=True)
class Held:
    """The memory, the number of threads and open files, and the CPU time of one process so far."""

    resident_mb: float
    anonymous_mb: float
    threads: int
    files: int
    cpu_s: float

    @classmethod
    def of(cls, pid: int) -> Held:
        folder = Path(f"/proc/{pid}")
        status = folder / "status"
        times = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return cls(
            number_in(status, "VmRSS:") / 1024,
            number_in(status, "RssAnon:") / 1024,
            number_in(status, "Threads:"),
            len(os.listdir(folder / "fd")),
            (int(times[11]) + int(times[12])) / _TICKS,
        )


@dataclass(frozen=True)
class Sample:
    """One measurement at `at_s` seconds after the beginning.

    `engine` is the engine process that is never killed, and `audio_s` the seconds of audio that it has made.
    """

    at_s: float
    server: Held
    engine: Held
    n_requests: float
    audio_s: float
    mapped: dict[str, Any]  # memory by kind, of "server" and "engine"; measured once a minute, else empty

    def fields(self) -> dict[str, Any]:
        return asdict(self)


def engine_pid(server: Server, number: int) -> int | None:
    pid: int | None = server.stats()["per_worker"][number]["pid"]
    return pid


class Watch:
    """Measures the server and its first engine process every `every_s` seconds, and collects the samples."""

    def __init__(self, server: Server, every_s: float) -> None:
        self._server, self._every_s = server, every_s
        self._began_at = time.monotonic()
        engine = engine_pid(server, 0)
        assert engine is not None
        self.engine = engine
        self._mapped_at = -MAPPED_EVERY_S
        self.samples: list[Sample] = []

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began_at

    def watch(self, seconds: float, each_time: Callable[[], None]) -> None:
        while self.elapsed_s < seconds:
            self.samples.append(self.sample())
            each_time()
            time.sleep(self._every_s)
        self.samples.append(self.sample())

    def sample(self) -> Sample:
        """Measures both processes once, and reads the server's counters.

        Raises FileNotFoundError if the server or the engine process has ended.
        """
        scrape, server = self._server.scrape(), self._server.process.pid
        is_due = self.elapsed_s >= self._mapped_at + MAPPED_EVERY_S
        if is_due:
            self._mapped_at = self.elapsed_s
        return Sample(
            round(self.elapsed_s, 1),
            Held.of(server),
            Held.of(self.engine),
            scrape("requests_total"),
            scrape("audio_seconds_total", worker="0"),
            {"server": mapped(server), "engine": mapped(self.engine)} if is_due else {},
        )

    def between(self, begin_s: float, end_s: float) -> list[Sample]:
        return [each for each in self.samples if begin_s <= each.at_s <= end_s]


def least_mb(samples: Sequence[Sample], of: str, kind: str) -> float:
    """Returns the smallest value of `kind` ("resident_mb" or "anonymous_mb") in the samples, in MB.

    `of` is "server" or "engine". An engine returns freed memory to the system every ten seconds of work, so
    the smallest value shows the memory that it really holds.
    """
    return min(float(getattr(getattr(each, of), kind)) for each in samples)


def least_mapped(samples: Sequence[Sample], of: str) -> dict[str, float]:
    """Returns for each kind of memory the smallest value in MB among the samples that have kinds (`mapped`).

    `of` is "server" or "engine".
    """
    seen = [each.mapped[of] for each in samples if each.mapped]
    kinds = {kind for each in seen for kind in each if kind != "largest"}
    return {kind: min(float(each.get(kind, 0)) for each in seen) for kind in sorted(kinds)}


def most(samples: Sequence[Sample], of: str, what: str) -> int:
    return max(int(getattr(getattr(each, of), what)) for each in samples)


def cpu_per_request(samples: Sequence[Sample]) -> float:
    """Returns the server's CPU time in seconds for each request between the first and the last sample.

    Returns NaN if there was no request.
    """
    first, last = samples[0], samples[-1]
    n_requests = last.n_requests - first.n_requests
    return (last.server.cpu_s - first.server.cpu_s) / n_requests if n_requests else math.nan


def cpu_per_audio(samples: Sequence[Sample]) -> float:
    """Returns the engine's CPU seconds for each second of audio between the first and last sample.

    Returns NaN if the engine made no audio.
    """
    first, last = samples[0], samples[-1]
    audio_s = last.audio_s - first.audio_s
    return (last.engine.cpu_s - first.engine.cpu_s) / audio_s if audio_s else math.nan


def left_in(folder: Path) -> dict[str, int]:
    """Returns the files below `folder`, with their sizes in bytes."""
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    return {str(path.relative_to(folder)): path.stat().st_size for path in files}
