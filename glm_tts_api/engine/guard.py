"""Whether speech tokens can say their segment, by their number and by how they repeat. Knows lists of ids.

The LLM is known to run on, to stop at once and to fall into a loop. Such a segment is decoded again with the
next seed, so the answer stays a function of the request. The thresholds are beyond what the good ones
of 2,400 segments of the bundled model have (scripts/benchmarks/guard.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from glm_tts_api.contracts import SegmentFault
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.model.sequence import SpeechSequence

MOST_RETAKES = 2
# Times the likely length, and tokens a text id: beyond both, since either alone has outliers.
LONGEST, LONGEST_PER_ID = 2.0, 12
SHORTEST = 0.4  # times the likely length
LONGEST_REPEAT, LONGEST_PERIOD = 38, 40  # tokens that repeat what was said so many tokens before


def fault_in(tokens: Sequence[int], said: Segment) -> SegmentFault | None:
    """The fault of a segment's speech tokens, if any; None also where the segment's likely length is not
    known."""
    if said.likely is None:
        return None
    if len(tokens) > max(LONGEST * said.likely, LONGEST_PER_ID * len(said.ids)):
        return "run_on"
    if len(tokens) < SHORTEST * said.likely:
        return "early_stop"
    return "repetition" if _repeats(tokens) else None


def best_of(takes: Iterable[SpeechSequence], said: Segment) -> tuple[SpeechSequence, SegmentFault | None]:
    """The likeliest of the good takes; where none is good, the one with the likeliest length, with its fault.
    A tie goes to the earlier one."""

    def rank(judged: tuple[SpeechSequence, SegmentFault | None]) -> tuple[float, float, int]:
        take, fault = judged
        strangeness = 1 + abs(math.log(max(1, len(take.tokens)) / (said.likely or 1.0))) if fault else 0.0
        return -strangeness, take.mean_log_prob, -take.candidate

    return max([(take, fault_in(take.tokens, said)) for take in takes], key=rank)


def _repeats(tokens: Sequence[int]) -> bool:
    """Whether a stretch repeats what stands a period before it, for LONGEST_REPEAT tokens."""
    for period in range(1, LONGEST_PERIOD + 1):
        n_alike = 0
        for now, before in zip(tokens[period:], tokens, strict=False):
            n_alike = n_alike + 1 if now == before else 0
            if n_alike == LONGEST_REPEAT:
                return True
    return False
