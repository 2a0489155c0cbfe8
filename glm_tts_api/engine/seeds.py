"""Every stage of every segment draws from a generator of its own, seeded from the request's seed."""

from __future__ import annotations

_SEEDS = 2**64
_CANDIDATE_STRIDE = 0x9E3779B97F4A7C15
_FLOW_OFFSET = 0x2545F4914F6CDD1D
_VOCODER_OFFSET = 0x632BE59BD9B4E019


def llm_seed(seed: int, candidate: int) -> int:
    return (seed + candidate * _CANDIDATE_STRIDE) % _SEEDS


def flow_seed(seed: int) -> int:
    return (seed + _FLOW_OFFSET) % _SEEDS


def vocoder_seed(seed: int) -> int:
    return (seed + _VOCODER_OFFSET) % _SEEDS
