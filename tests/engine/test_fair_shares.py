"""Clients share a resource by the work that is done for them, whatever they have waiting."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from glm_tts_api.engine.fair_shares import FairShares

MOST_WORK = 50


def served(shares: FairShares, clients: list[str], draw: random.Random, n_times: int) -> Counter[str]:
    """The work that is done for each of the clients, which always have more."""
    worked = Counter[str]()
    for _ in range(n_times):
        client = min(clients, key=shares.turn)
        work = draw.randint(1, MOST_WORK)
        shares.serve(client, work)
        worked[client] += work
    return worked


@given(st.integers(), st.integers(1, 500))
def test_a_newcomer_has_its_share_at_once_however_much_was_done_for_others(seed: int, n_before: int) -> None:
    shares, draw = FairShares(), random.Random(seed)
    served(shares, ["old"], draw, n_before)
    worked = served(shares, ["old", "new"], draw, 100)
    assert abs(worked["old"] - worked["new"]) <= 2 * MOST_WORK


def test_a_client_that_comes_back_has_saved_nothing_up() -> None:
    shares, draw = FairShares(), random.Random(0)
    served(shares, ["a", "b"], draw, 10)
    served(shares, ["a"], draw, 1000)
    worked = served(shares, ["a", "b"], draw, 100)
    assert abs(worked["a"] - worked["b"]) <= 2 * MOST_WORK
