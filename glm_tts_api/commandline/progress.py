"""Progress bars on stderr, if that is a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from glm_tts_api.commandline.api import Api
from glm_tts_api.errors import Failed

_LOOK_S = 0.5


def bar(unit: str, total: int, done: int = 0) -> Any:
    """Returns a tqdm progress bar that counts from `done` to `total` and shows the time left. Shown only on a
    terminal; removed at its end."""
    return tqdm(
        total=total,
        initial=done,
        unit=unit,
        disable=None,
        leave=False,
        dynamic_ncols=True,
        bar_format="{l_bar}{bar}| {n_fmt} of {total_fmt}{unit}, {remaining} left",
    )


@contextmanager
def progress_of(api: Api, request_id: str) -> Iterator[None]:
    """Shows a progress bar inside the `with` block while the server speaks the request `request_id`. The bar
    counts segments; a request with one segment has none."""
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
