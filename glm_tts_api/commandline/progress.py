"""A bar on stderr, where that is a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from glm_tts_api.commandline.api import Api
from glm_tts_api.commandline.failing import Failed

_LOOK_S = 0.5


def bar(unit: str, total: int, done: int = 0) -> Any:
    """Counts to `total`, with the time left. On a terminal alone; it leaves no line behind."""
    return tqdm(
        total=total,
        initial=done,
        unit=unit,
        disable=None,
        leave=False,
        dynamic_ncols=True,
        bar_format="{l_bar}{bar}| {n_fmt} of {total_fmt}{unit}, {remaining} left",
    )


def print_above(line: str) -> None:
    """Prints on stdout, also while a bar is shown. From any thread."""
    tqdm.write(line)


@contextmanager
def progress_of(api: Api, request_id: str) -> Iterator[None]:
    """Shows how far the server is with a request that is spoken meanwhile, by its segments."""
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(api, request_id, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(api: Api, request_id: str, over: threading.Event) -> None:
    shown = None
    while not over.wait(_LOOK_S):
        try:
            active = api.get("/api/v1/stats/concurrency").get("active", [])
        except Failed:
            continue
        found = next((each for each in active if each["request_id"] == request_id), None)
        if found is None or not found["segments"] or found["segments"] == 1:
            continue
        if shown is None:
            shown = bar(" segments", found["segments"])
        shown.update(found["segments_done"] - shown.n)
    if shown is not None:
        shown.close()
