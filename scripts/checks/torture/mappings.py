"""Sums up the resident memory of a process by kind, from /proc/PID/smaps."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

_HEAP_OF_A_THREAD = 2**26  # bytes; such a heap begins at a multiple of its size (glibc's HEAP_MAX_SIZE)
_LARGEST = 8


def mapped(pid: int) -> dict[str, Any]:
    """Returns the resident megabytes of the process `pid` by kind.

    The kinds are `heap`, `threads' heaps`, `anonymous`, `stacks` and `files`. `huge pages` is the part of the
    whole that lies in huge pages. `largest` maps the addresses of the largest anonymous mappings to their
    sizes.
    """
    kinds: Counter[str] = Counter()
    largest: Counter[str] = Counter()
    heaps: set[int] = set()
    kind = address = ""
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        name, *rest = line.split()
        if not name.endswith(":"):
            address, kind = name, _kind(name, rest, heaps)
        elif name == "Rss:":
            kinds[kind] += int(rest[0])
            if kind == "anonymous":
                largest[address] = int(rest[0])
        elif name == "AnonHugePages:":
            kinds["huge pages"] += int(rest[0])
    megabytes = {kind: round(kib / 1024, 1) for kind, kib in sorted(kinds.items())}
    return {**megabytes, "largest": {at: round(kib / 1024, 1) for at, kib in largest.most_common(_LARGEST)}}


def _kind(address: str, rest: list[str], heaps: set[int]) -> str:
    """Returns the kind of memory that a mapping of smaps belongs to.

    `address` is "BEGIN-END" in hex, and `rest` the other fields of the line. `heaps` holds the start
    addresses of the threads' heaps so far, and is extended: huge pages split a heap into several mappings.
    """
    path = rest[4] if len(rest) > 4 else ""
    if path.startswith("[heap"):
        return "heap"
    if path.startswith("[stack"):
        return "stacks"
    if path.startswith(("/", "[v")):
        return "files"
    begin, end = (int(each, 16) for each in address.split("-"))
    heap = begin - begin % _HEAP_OF_A_THREAD
    if end > heap + _HEAP_OF_A_THREAD or (begin != heap and heap not in heaps):
        return "anonymous"
    heaps.add(heap)
    return "threads' heaps"
