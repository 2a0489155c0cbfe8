"""Checks whether the speech tokens of a segment can be right, by their number and by how they repeat. Knows
lists of ids.

The LLM sometimes speaks on after the text, stops at once or falls into a loop. Such a segment is decoded
again with the next seed, so the answer is still a function of the request alone. The thresholds lie beyond
the values of the good segments among 2,400 segments of the bundled model (bench/guard.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from glm_tts_api.contracts import SegmentFault
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.model.sequence import SpeechSequence

MOST_RETAKES = 2
# A segment is too long if it has more tokens than LONGEST times its likely number and also more than
# LONGEST_PER_ID for each text id. Both are asked for, because good segments exceed either one at times.
LONGEST, LONGEST_PER_ID = 2.0, 12
SHORTEST = 0.4  # a segment with fewer tokens than this times the likely number is too short
# A loop: LONGEST_REPEAT tokens in a row equal the tokens that stand up to LONGEST_PERIOD places before them.
LONGEST_REPEAT, LONGEST_PERIOD = 38, 40


def fault_in(tokens: Sequence[int], segment: Segment) -> SegmentFault | None:
    """Returns the fault of a segment's speech tokens: "run_on" (too many), "early_stop" (too few) or
    "repetition" (a loop). Returns None if there is no fault, or if the segment's likely length is not
    known."""
    if segment.likely is None:
        return None
    if len(tokens) > max(LONGEST * segment.likely, LONGEST_PER_ID * len(segment.ids)):
        return "run_on"
    if len(tokens) < SHORTEST * segment.likely:
        return "early_stop"
    return "repetition" if _repeats(tokens) else None


def best_of(takes: Iterable[SpeechSequence], segment: Segment) -> tuple[SpeechSequence, SegmentFault | None]:
    """Chooses the best of a segment's takes (a take is one decoding of the segment). Returns the take and its
    fault. Of the takes without a fault, that is the one with the highest mean log-probability. If all have
    faults, it is the one whose length is nearest to the likely length. A tie goes to the take with the higher
    mean log-probability, then to the earlier take."""
    judged = [
        (take, fault_in(take.tokens, segment)) for take in sorted(takes, key=lambda take: take.candidate)
    ]
    if sound := [(take, fault) for take, fault in judged if fault is None]:
        return max(sound, key=lambda one: one[0].mean_log_prob)
    likely = segment.likely or 1.0
    return min(
        judged,
        key=lambda one: (abs(math.log(max(1, len(one[0].tokens)) / likely)), -one[0].mean_log_prob),
    )


def _repeats(tokens: Sequence[int]) -> bool:
    """Returns whether LONGEST_REPEAT tokens in a row are equal to the tokens that stand a fixed number of
    places before them. All numbers from 1 to LONGEST_PERIOD are tried."""
    for period in range(1, LONGEST_PERIOD + 1):
        n_alike = 0
        for now, before in zip(tokens[period:], tokens, strict=False):
            n_alike = n_alike + 1 if now == before else 0
            if n_alike == LONGEST_REPEAT:
                return True
    return False
