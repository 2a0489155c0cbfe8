"""Checks whether the speech tokens of a segment can be right, by their number, by how they repeat, and by
the text that the LLM's attention followed. Knows lists of ids.

The LLM sometimes speaks on after the text, stops early, skips words, says them twice or falls into a loop.
Such a segment is decoded again with the next seed: once as a whole, then from the pause before its first
fault on, at last from the word before it. So the answer is a function of the request alone. The thresholds
lie beyond the values of good segments of the bundled model (bench/guard.py).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from glm_tts_api.contracts import SegmentFault
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.model.sequence import SpeechSequence

MOST_RETAKES = 3
# A segment is too long if it has more tokens than LONGEST times its likely number and also more than
# LONGEST_PER_ID for each text id. Both are asked for, because good segments exceed either one at times.
LONGEST, LONGEST_PER_ID = 2.0, 12
SHORTEST = 0.4  # a segment with fewer tokens than this times the likely number is too short
# A loop: LONGEST_REPEAT tokens in a row equal the tokens that stand up to LONGEST_PERIOD places before them.
LONGEST_REPEAT, LONGEST_PERIOD = 38, 40
# Limits of the text's alignment (model/alignment.py), in text ids with a sound and in speech tokens:
LEAST_ATTENTION, LEAST_OF_A_WORD = 0.5, 0.7  # an id with less is lost; an id that is a whole word
FEWEST_SKIPPED = FEWEST_REPEATED = 2  # one id alone, which is no word, may be a letter that is not heard
LONGEST_END, LONGEST_SILENCE = 40, 17  # tokens from the last id on, and of the marks behind it
_PAUSE = re.compile(r"[，；：。！？、—…,;:.!?]")
_BEGIN = re.compile(r" \w|[\u3400-\u9fff]")  # of an id with which a word begins
_WORD = re.compile(r"[^\W\u3400-\u9fff]+(?:['’][^\W\u3400-\u9fff]+)*|\w")  # a word or a Hanzi


def faults_in(take: SpeechSequence, segment: Segment) -> dict[SegmentFault, str]:
    """Returns the faults of a take (a decoding of the segment), the chief one first. Each has the words that
    `misspoken` finds, or else all words. The number of speech tokens shows "run_on" (too many), "early_stop"
    (too few) and "repetition" (a loop). Returns none if the segment's likely length is not known."""
    if segment.likely is None:
        return {}
    words = defaultdict[SegmentFault, list[str]](list)
    if len(take.tokens) > max(LONGEST * segment.likely, LONGEST_PER_ID * len(segment.ids)):
        words["run_on"] = []
    elif len(take.tokens) < SHORTEST * segment.likely:
        words["early_stop"] = []
    elif _repeats(take.tokens):
        words["repetition"] = []
    for fault, ids in misspoken(take, segment):
        words[fault].append(_words(segment.pieces, ids))
    return {fault: " … ".join(places) or "".join(segment.pieces) for fault, places in words.items()}


def misspoken(take: SpeechSequence, segment: Segment) -> Iterator[tuple[SegmentFault, list[int]]]:
    """Yields the faults that the LLM's attention shows, with the indices of the text ids: the end is lost
    ("early_stop") or words before it ("skipped"), text is spoken twice ("repetition"), or other speech
    follows ("run_on"). Without a head that follows the text there are none."""
    sounds = [at for at, piece in enumerate(segment.pieces) if not piece or any(map(str.isalnum, piece))]
    if take.spoken is None or not sounds:
        return
    attention, path, last = [*take.spoken.attention], take.spoken.path, sounds[-1]
    if last + 1 < len(attention) and take.spoken.begins([last + 1])[0] >= len(path):
        attention[last] = 0.0  # the speech ends before the mark behind it begins
    faint = (at for at in sounds if attention[at] < LEAST_OF_A_WORD and segment.pieces[at])
    words = {at for at in faint if _words(segment.pieces, [at]) == segment.pieces[at].strip()}
    for is_lost, run in groupby(sounds, lambda at: at in words or attention[at] < LEAST_ATTENTION):
        ids = [*run]
        if is_lost and ids[-1] == last:
            yield "early_stop", ids
        elif is_lost and (len(ids) >= FEWEST_SKIPPED or ids[0] in words):
            yield "skipped", ids
    for before, now in pairwise(path):
        ids = [at for at in sounds if now <= at <= before] if now < before else []
        if len(ids) >= FEWEST_REPEATED:
            yield "repetition", ids
    end = [at > last for at in path if at >= last]
    if len(end) > LONGEST_END or sum(end) > LONGEST_SILENCE:
        yield "run_on", sounds[-1:]


def best_of(takes: Iterable[SpeechSequence], segment: Segment) -> SpeechSequence:
    """Chooses the best of a segment's takes. Of the takes without a fault, that is the one with the highest
    mean log-probability. If all have faults, it is the one with the fewest ids that are lost or said twice,
    and of several the one whose length is nearest to the likely length. A tie goes to the take with the
    higher mean log-probability, then to the earlier take."""
    ordered = sorted(takes, key=lambda take: take.candidate)
    if sound := [take for take in ordered if not faults_in(take, segment)]:
        return max(sound, key=lambda take: take.mean_log_prob)
    likely = segment.likely or 1.0
    return min(
        ordered,
        key=lambda take: (
            sum(len(ids) for _, ids in misspoken(take, segment)),
            abs(math.log(max(1, len(take.tokens)) / likely)),
            -take.mean_log_prob,
        ),
    )


def kept_of(take: SpeechSequence, segment: Segment, n_retakes: int, n_heard: int) -> SpeechSequence | None:
    """Returns the part of a faulty take before its first fault behind the `n_heard` speech tokens that cannot
    be taken back: up to the last pause there, else up to the last word. The last retake begins with that word
    in any case, the first one with the segment. Returns None if there is no such part."""
    firsts = [ids[0] for _, ids in misspoken(take, segment)]
    begins = take.spoken.begins(firsts) if take.spoken else []
    lost = min((at for at, token in zip(firsts, begins, strict=False) if token >= n_heard), default=0)
    places = range(1, 1 + lost if n_retakes or n_heard else 1)
    pauses = [at for at in places if _PAUSE.search(segment.pieces[at - 1])]
    words = [at for at in places if _BEGIN.match(segment.pieces[at])]
    for end in (*pauses[-1:], *words[-1:]) if n_retakes < MOST_RETAKES - 1 else words[-1:]:
        assert take.spoken is not None
        lead = 0.5 if end in pauses else take.spoken.lead  # a head hardly looks beyond a pause
        n = min(len(take.tokens), round(replace(take.spoken, lead=lead).begins([end])[0]))
        if n >= n_heard:
            spoken = take.spoken.first(end, n)
            return replace(take, tokens=take.tokens[:n], log_probs=take.log_probs[:n], spoken=spoken)
    return None


def _words(pieces: Sequence[str], ids: Sequence[int]) -> str:
    """Returns the whole words of which the ids from the first to the last of `ids` are a part."""
    text, start = "".join(pieces), len("".join(pieces[: ids[0]]))
    end = max(start + 1, len("".join(pieces[: ids[-1] + 1])))
    words = [word for word in _WORD.finditer(text) if word.start() < end and word.end() > start]
    return text[words[0].start() : words[-1].end()] if words else ""


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
