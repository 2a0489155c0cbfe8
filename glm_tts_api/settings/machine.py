"""The names of this machine, and how many of its CPU cores this process may use. Knows /etc/hosts, Linux's
affinity masks and cgroups of both versions."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS_OF_THIS_PROCESS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def machine_names(hosts_file: Path = Path("/etc/hosts")) -> frozenset[str]:
    """This machine's own names, without asking a name server."""
    own = os.uname().nodename.lower()
    try:
        lines = hosts_file.read_text(errors="replace").lower().splitlines()
    except OSError:
        lines = []
    names = (line.partition("#")[0].split()[1:] for line in lines)
    return frozenset({own}.union(*(entry for entry in names if own in entry)))


def usable_cores(*, groups: Path = _GROUPS_OF_THIS_PROCESS, mount: Path = _MOUNT) -> int:
    """The cores of the affinity mask (taskset, docker --cpuset-cpus), or fewer where a cgroup limits CPU time
    (docker --cpus, CPUQuota of systemd, limits of Kubernetes); a part of a core counts as one.

    `groups`: the kernel's list of this process's cgroups; `mount`: where their files lie.
    """
    limits = [math.ceil(limit) for limit in _limits(groups, mount)]
    return max(1, min([len(os.sched_getaffinity(0)), *limits]))


def _limits(groups: Path, mount: Path) -> Iterator[float]:
    """CPU seconds a second that each cgroup allows which this process is in, itself or by its parents."""
    for line in _read(groups).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2
            for group in _with_parents(mount, path):
                yield from _limit(_read(group / "cpu.max").split())
        elif "cpu" in controllers.split(","):
            for group in _with_parents(mount / controllers, path):
                names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
                yield from _limit([_read(group / name).strip() for name in names])


def _with_parents(mount: Path, path: str) -> Iterator[Path]:
    """A cgroup's folder and those above it. In a container `path` may be the host's, which is not there; the
    mount is then the container's own cgroup."""
    group = mount / path.strip("/")
    for folder in (group, *group.parents):
        if folder.is_relative_to(mount):
            yield folder


def _limit(quota_and_period: list[str]) -> Iterator[float]:
    """The quota in periods; nothing where there is no file or no limit ("max", in version 1 "-1")."""
    match quota_and_period:
        case [quota, period] if quota.isdigit() and period.isdigit():
            yield int(quota) / int(period)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""
