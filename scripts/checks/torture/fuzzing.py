"""Fuzzes the text front end and every parser of bytes with hypothesis.

A fault is an exception that the parser should not raise, or an input that takes too much CPU time.
"""

from __future__ import annotations

import random
import time
import traceback
from contextlib import suppress

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from glm_tts_api.errors import ServiceError
from scripts.checks.torture.parsers import Target, targets
from scripts.checks.torture.spoilt import SPOILS
from scripts.checks.torture.verdict import Verdict

MOST_S = 5.0  # CPU seconds of one input
_LONGEST = 2**16  # bytes of an input; the text front end accepts 20,000 characters
_A_BATCH = 100


class TooSlowError(Exception):
    pass


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Returns a strategy that draws mostly spoilt seeds of `target`, and sometimes any text or any bytes."""
    spoilt = st.builds(
        _spoilt, st.sampled_from(target.seeds), st.lists(st.sampled_from(SPOILS), max_size=4), st.randoms()
    )
    joined = st.builds(lambda first, second: first + second, spoilt, spoilt)
    return st.one_of(spoilt, spoilt, joined, st.text(max_size=200).map(_encoded), st.binary(max_size=400))


def _spoilt(data: bytes, spoils: list[object], draw: random.Random) -> bytes:
    for spoil in spoils:
        if len(data) > 8:
            data = spoil(data, draw)  # type: ignore[operator]
    return data[:_LONGEST]


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")


def run(minutes: float) -> Verdict:
    verdict = Verdict("fuzz")
    each = targets()
    for target in each:
        n_tried, fault = _fuzz(target, 60 * minutes / len(each))
        verdict.note(target.name, f"{n_tried} inputs{': ' if fault else ''}{fault}", holds=not fault)
    verdict.end()
    return verdict


def _fuzz(target: Target, seconds: float) -> tuple[int, str]:
    """Tries inputs for `seconds`, or until the first fault.

    Returns the number of inputs, and the fault with the smallest input that shows it ("" without a fault).
    """
    n_tried, until, batch = 0, time.monotonic() + seconds, 0

    @given(inputs(target))
    @settings(
        max_examples=_A_BATCH,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
    )
    def read(data: bytes) -> None:
        nonlocal n_tried
        n_tried += 1
        began = time.process_time()
        with suppress(ServiceError, *target.errors):
            target.parse(data)
        took_s = time.process_time() - began
        if took_s > MOST_S:
            raise TooSlowError(f"{took_s:.1f} s for {len(data)} bytes")

    while time.monotonic() < until:
        batch += 1
        try:
            seed(batch)(read)()
        except Exception as error:
            notes = " ".join(getattr(error, "__notes__", []))
            last = traceback.extract_tb(error.__traceback__)[-1]
            return n_tried, f"{type(error).__name__}: {error} at {last.name}:{last.lineno}; {notes}"[:2000]
    return n_tried, ""
