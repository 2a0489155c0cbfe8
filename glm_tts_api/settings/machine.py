"""The names of this machine, and how many of its CPU cores this process may use. Knows /etc/hosts, Linux's
affinity masks and cgroups of both versions."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from glm_tts_api.processes import text_of

_GROUPS_OF_THIS_PROCESS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def machine_names(hosts_file: Path = Path("/etc/hosts")) -> frozenset[str]:
    """Returns this machine's host name and its other names in `hosts_file`, in small letters. Does not ask a
    name server."""
    own = os.uname().nodename.lower()
    lines = text_of(hosts_file).lower().splitlines()
    names = (line.partition("#")[0].split()[1:] for line in lines)
    return frozenset({own}.union(*(entry for entry in names if own in entry)))


def usable_cores(*, groups: Path = _GROUPS_OF_THIS_PROCESS, mount: Path = _MOUNT) -> int:
    """Returns how many CPU cores this process may use, at least 1. These are the cores of its affinity mask
    (taskset, docker --cpuset-cpus), or fewer if a cgroup limits its CPU time (docker --cpus, CPUQuota of
    systemd, limits of Kubernetes). A part of a core counts as one core.

    `groups` is the kernel's list of this process's cgroups, `mount` the folder of the cgroups' files.
    """
    limits = [math.ceil(limit) for limit in _limits(groups, mount)]
    return max(1, min([len(os.sched_getaffinity(0)), *limits]))


def _limits(groups: Path, mount: Path) -> Iterator[float]:
    """Yields the CPU limit, in cores, of each cgroup of this process and of each of its parents. In a
    container, the path of a cgroup may be the path on the host, which does not exist in the container. The
    top folder is then the container's own cgroup."""
    for line in text_of(groups).splitlines():
        _, controllers, path = line.split(":", 2)  # version 2 names no controllers
        if not controllers or "cpu" in controllers.split(","):
            top = mount / controllers
            group = top / path.strip("/")
            for folder in (group, *group.parents):
                if folder.is_relative_to(top):
                    yield from _limit(folder)


def _limit(group: Path) -> Iterator[float]:
    """Yields quota divided by period, which is a number of cores. Yields nothing if there is no limit (the
    quota "max", or "-1" in version 1)."""
    files = ("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us")  # of version 2, and two of version 1
    match " ".join(text_of(group / name) for name in files).split():
        case [quota, period] if quota.isdigit() and period.isdigit():
            yield int(quota) / int(period)
