"""The seeds of the random generators. Each stage of each segment has its own generator, and its seed is
computed from the request's seed."""

from __future__ import annotations

from typing import Literal

_SEEDS = 2**64
_CANDIDATE_STRIDE = 0x9E3779B97F4A7C15
_RESPOKEN_STRIDE = 0xD1B54A32D192ED03
_OFFSETS = {"flow": 0x2545F4914F6CDD1D, "vocoder": 0x632BE59BD9B4E019}


def respoken_seed(seed: int, take: int) -> int:
    """Returns the request's seed for a segment that is spoken again for the `take`th time, after a recogniser
    did not hear the right words. The result differs from the seeds of candidates (`llm_seed`)."""
    return (seed + take * _RESPOKEN_STRIDE) % _SEEDS


def llm_seed(seed: int, candidate: int) -> int:
    return (seed + candidate * _CANDIDATE_STRIDE) % _SEEDS


def stage_seed(seed: int, stage: Literal["flow", "vocoder"]) -> int:
    return (seed + _OFFSETS[stage]) % _SEEDS
