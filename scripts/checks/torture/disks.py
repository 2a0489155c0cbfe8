"""Small disks (tmpfs) that a test can fill and empty, and folders that it can make read-only."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Disk:
    """Mounts a tmpfs of `megabytes` MB at `path`. The file `filling` in it takes the free space."""

    def __init__(self, path: Path, megabytes: int) -> None:
        self.path = path
        self._filling = path / "filling"
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(path))

    def fill(self) -> None:
        """Fills the disk to the last byte."""
        with suppress(OSError), self._filling.open("ab", buffering=0) as file:
            for size in (2**16, 2**12, 1):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def empty(self) -> None:
        self._filling.unlink()


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """Makes `folders` read-only, even for root and for files that are open in them. Needs root."""
    for folder in folders:
        _run("mount", "--bind", str(folder), str(folder))
        _run("mount", "-o", "remount,bind,ro", str(folder))
    try:
        yield
    finally:
        for folder in folders:
            _run("umount", "--lazy", str(folder))


@contextmanager
def disk(megabytes: int) -> Iterator[Disk]:
    """Mounts a temporary disk of `megabytes` MB, and unmounts it at the end. Needs root."""
    with tempfile.TemporaryDirectory() as name:
        made = Disk(Path(name), megabytes)
        try:
            yield made
        finally:
            _run("umount", "--lazy", name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
