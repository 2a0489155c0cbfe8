"""Tells when the words of a segment are heard, by the text that the LLM's attention followed. Knows lists of
ids."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise

from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND
from glm_tts_api.model.sequence import SpeechSequence


def word_times(take: SpeechSequence, segment: Segment) -> list[tuple[float, float]]:
    """Returns when each written word of the segment begins and ends, in seconds of the segment's speech. A
    word before a pause ends where the mark of the pause begins. Returns none if the segment's words were not
    asked for, or if the LLM has no head that follows the text."""
    if take.spoken is None or segment.written is None or not segment.is_plain:
        return []
    pieces, words = segment.pieces, segment.written.words
    ends = [*accumulate(map(len, pieces))]
    firsts = [*(bisect_right(ends, word.said) for word in words), len(pieces)]
    lasts = []  # for each word the id after its last one
    for first, after in pairwise(firsts):
        while after - 1 > first and not any(map(str.isalnum, pieces[after - 1])):
            after -= 1
        lasts.append(after)
    begins, stops = (
        [tokens / TOKENS_A_SECOND for tokens in take.spoken.begins(ids)] for ids in (firsts[:-1], lasts)
    )
    return [*zip(begins, stops, strict=True)]
