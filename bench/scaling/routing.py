"""Ways to choose a replica for a request: at random, by load, or by voice."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from bench.scaling.replica import Replica, Request

Route = Callable[[random.Random, Sequence[Replica], Request], Replica]
_OVER_MEAN = 1.25  # a voice's own replica is left if its load is more than this many times that of others


def at_random(rng: random.Random, replicas: Sequence[Replica], request: Request) -> Replica:
    return rng.choice(replicas)


def least_loaded(rng: random.Random, replicas: Sequence[Replica], request: Request) -> Replica:
    """Draws two replicas at random and returns the less loaded one, as Ray Serve's router does."""
    return min(rng.choice(replicas), rng.choice(replicas), key=lambda replica: replica.load)


def voice_affine(rng: random.Random, replicas: Sequence[Replica], request: Request) -> Replica:
    """Returns the replica that belongs to the request's voice, or `least_loaded` if that replica is too full.

    Too full means a load of more than 1 + _OVER_MEAN times the mean load of four random replicas.
    """
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
