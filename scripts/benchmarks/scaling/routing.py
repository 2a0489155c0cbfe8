"""How a request finds its replica: at random, to the less loaded, to where its voice is known."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from scripts.benchmarks.scaling.replica import Replica, Request

Route = Callable[[random.Random, Sequence[Replica], Request], Replica]
_OVER_MEAN = 1.25  # how much fuller than the others a voice's own replica may be, so that no voice swamps it


def at_random(rng: random.Random, replicas: Sequence[Replica], request: Request) -> Replica:
    return rng.choice(replicas)


def least_loaded(rng: random.Random, replicas: Sequence[Replica], request: Request) -> Replica:
    """The less loaded of two drawn at random: Ray Serve's router asks no more than two."""
    return min(rng.choice(replicas), rng.choice(replicas), key=lambda replica: replica.load)


def voice_affine(rng: random.Random, replicas: Sequence[Replica], request: Request) -> Replica:
    """The voice's own replica unless it is fuller than some others; else as `least_loaded`."""
    home = replicas[request.voice * 2654435761 % 2**32 % len(replicas)]
    others = [rng.choice(replicas).load for _ in range(4)]
    if home.load <= 1 + _OVER_MEAN * sum(others) / len(others):
        return home
    return least_loaded(rng, replicas, request)


ROUTES: dict[str, Route] = {
    "random": at_random,
    "least loaded": least_loaded,
    "voice-affine": voice_affine,
}
