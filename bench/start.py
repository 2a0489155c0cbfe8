"""Measures how long a server takes from the start of its process until it is ready."""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from bench.machine import cpu_seconds
from bench.server import running_server


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Starts a server `args.runs` times. Prints and returns the seconds until it is ready, and its CPU time.

    An additional first run, which is not counted, loads the model's files into the page cache.
    """
    runs = []
    for _ in range(args.runs + 1):
        begin = time.perf_counter()
        with running_server() as (_, pid):
            runs.append((time.perf_counter() - begin, *cpu_seconds(pid)))
    columns = [list(column) for column in zip(*runs[1:], strict=True)]
    ready, server, engines = (statistics.median(column) for column in columns)
    shown = " ".join(f"{seconds:.2f}" for seconds in columns[0])
    print(f"ready after {ready:.2f} s, the median of {shown}")
    print(f"CPU seconds by then: server {server:.2f}, engines {engines:.2f}")
    return {"ready_s": columns[0], "server_cpu_s": columns[1], "engines_cpu_s": columns[2]}
