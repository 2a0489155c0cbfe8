"""Tells when the words of a segment are heard, by the text that the LLM's attention followed. Knows lists of
ids."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND
from glm_tts_api.model.sequence import SpeechSequence
from speech_text import WrittenWord


def word_times(
    take: SpeechSequence, pieces: Sequence[str], words: Sequence[WrittenWord]
) -> list[tuple[float, float]]:
    """Returns when each of the written `words` begins and ends, in seconds of the segment's speech. `pieces`
    are the texts of the segment's ids. A word before a pause ends where the mark of the pause begins. Returns
    none if the LLM has no head that follows the text."""
    if take.spoken is None:
        return []
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
