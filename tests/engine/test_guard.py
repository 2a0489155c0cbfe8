"""Segments whose speech tokens cannot be right are decoded again, with the next seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from glm_tts_api.contracts import SamplingOptions
from glm_tts_api.engine.guard import MOST_RETAKES, best_of, faults_in
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.seeds import llm_seed
from glm_tts_api.model.alignment import Spoken
from glm_tts_api.model.sequence import SpeechSequence
from tests.engine.test_request import AUDIO, BOA, LAYOUT, CollectingSink, make_request, prompt

WORDS = ["We", " pay", " with", " cash", " or", " cr", "edit", " cards", " to", "day"]
LIKELY = Segment([*range(10)], prompt(), likely=70.0, pieces=WORDS)  # 2.8 s
GOOD, SHORT, LONG = [*range(70)], [*range(10)], [*range(150)]
LOOP = [*range(30), *range(30), *range(30)]


def ask(*, likely: float | None = 70.0, **options: Any) -> tuple[EngineRequest, CollectingSink]:
    return make_request(replace(LIKELY, likely=likely), **options)


def a_take(tokens: list[int], path: Sequence[int] | None = None) -> SpeechSequence:
    """A take of LIKELY whose speech tokens say the ids of `path`, each once."""
    take = SpeechSequence([0], 0, 1000, SamplingOptions(), tokens=tokens)
    if path is not None:
        take.spoken = Spoken(path, [float(path.count(at)) for at in range(10)], 1.0)
    return take


def decode(request: EngineRequest, *takes: list[int]) -> list[int]:
    """Each row that the request asks for ends with the next of these; the seeds that they drew with."""
    seeds, left = [], iter(takes)
    while request.n_waiting_rows:
        sequence = request.next_sequence(LAYOUT)
        sequence.tokens[:], sequence.log_probs = next(left), [-1.0]
        seeds.append(sequence.sampling.seed)
        request.take(sequence)
    assert next(left, None) is None
    assert not request.n_undecided
    return seeds


@pytest.mark.parametrize(
    ("tokens", "faults"),
    [(GOOD, []), (SHORT, ["early_stop"]), (LONG, ["run_on"]), (LOOP, ["repetition"])],
)
def test_what_is_wrong_is_told(tokens: list[int], faults: list[str]) -> None:
    assert faults_in(a_take(tokens), LIKELY) == dict.fromkeys(faults, "".join(WORDS))


@pytest.mark.parametrize(
    ("path", "faults"),
    [
        ([*range(10)], {}),
        ([0, 1, 2, 3, 4, 5, 7, 8, 9], {}),  # a part of a word may be a letter that is not heard
        ([0, 1, 2, 3, 5, 6, 7, 8, 9], {"skipped": "or"}),
        ([0, 1, 2, 3, 6, 7, 8, 9], {"skipped": "or credit"}),
        ([0, 3, 4, 7, 8, 9], {"skipped": "pay with … credit"}),
        ([*range(9)], {"early_stop": "today"}),
        ([*range(7), *range(4, 10)], {"repetition": "or credit"}),
        ([0, 1, 2, 3, 6, *range(3, 7)], {"early_stop": "cards today", "repetition": "cash or credit"}),
        ([*range(10), *[9] * 40], {"run_on": "today"}),
        ([*range(10), *[9] * 39], {}),
    ],
)
def test_what_the_attention_shows_is_told(path: list[int], faults: dict[str, str]) -> None:
    assert faults_in(a_take(GOOD, path), LIKELY) == faults


def test_what_is_wrong_in_both_ways_is_told_with_its_words() -> None:
    assert faults_in(a_take(SHORT, [*range(4)]), LIKELY) == {"early_stop": "or credit cards today"}


def test_a_mark_need_not_be_spoken() -> None:
    said = replace(LIKELY, pieces=[*"你好，这是一张卡", "。", "”"])
    assert faults_in(a_take(GOOD, [0, 1, *range(3, 8)]), said) == {}
    assert faults_in(a_take(GOOD, [*range(7)]), said) == {"early_stop": "卡"}
    ahead = Spoken([*range(9), 8], [1.0] * 10, 1.0, lead=3.0)
    assert faults_in(replace(a_take(GOOD), spoken=ahead), said) == {"early_stop": "卡"}  # cut off
    assert faults_in(a_take(GOOD, [*range(8), *[8] * 17]), said) == {}
    assert faults_in(a_take(GOOD, [*range(8), *[8] * 18]), said) == {"run_on": "卡"}


def test_of_faulty_takes_the_one_that_has_lost_the_fewest_words_is_spoken() -> None:
    takes = [a_take(GOOD, [*range(4)]), a_take(GOOD[:40], [*range(8)]), a_take(GOOD, [*range(7)])]
    assert best_of(takes, LIKELY) is takes[1]


@pytest.mark.parametrize(("likely", "takes"), [(70.0, GOOD), (None, SHORT)])
def test_a_good_segment_and_one_whose_length_is_not_known_is_decoded_once(
    likely: float | None, takes: list[int]
) -> None:
    request, sink = ask(likely=likely)
    decode(request, takes)
    assert (sink.tokens[0], sink.timings.finish_reason, sink.timings.resampled) == (takes, "stop", 0)


@pytest.mark.parametrize(("bad", "streams"), [(SHORT, 0), (LONG, 0), (LOOP, 0), (SHORT, 1)])
def test_a_bad_one_is_decoded_again_with_the_next_seed(bad: list[int], streams: bool) -> None:
    """Of a stream, if no span of it has left yet."""
    request, sink = ask(seed=7, streams=streams)
    assert decode(request, bad, GOOD) == [7, llm_seed(7, 1)]
    assert sink.tokens[0] == GOOD
    assert (sink.timings.finish_reason, sink.timings.resampled) == ("repaired", 1)


def test_after_the_last_retake_the_one_whose_length_is_the_likeliest_is_spoken() -> None:
    request, sink = ask()
    decode(request, SHORT, LONG, *([*range(200)] for _ in range(MOST_RETAKES - 1)))
    assert (sink.tokens[0], sink.timings.finish_reason) == (LONG, "length")
    assert sink.timings.faults == {0: {"run_on": "".join(WORDS)}}


def test_of_several_candidates_a_good_one_is_spoken_though_a_bad_one_is_likelier() -> None:
    request, sink = ask(beam_size=2)
    sequences = [request.next_sequence(LAYOUT) for _ in range(2)]
    for sequence, tokens, log_prob in zip(sequences, (SHORT, GOOD), (-0.1, -1.0), strict=True):
        sequence.tokens[:], sequence.log_probs = tokens, [log_prob]
        request.take(sequence)
    assert (sink.tokens[0], sink.timings.resampled) == (GOOD, 0)


PIECES = ["We", " pay", " cash", ",", " or", " with", " a", " card", " to", "day"]


def say(request: EngineRequest, *ids: int, asked: range = range(10)) -> None:
    """The next row has to say the ids `asked` of LIKELY, and says `ids` of them, each with five tokens."""
    sequence = request.next_sequence(LAYOUT)
    assert sequence.prompt_ids == [1, 2, *asked, BOA, AUDIO, AUDIO + 1, AUDIO + 2]
    path = said(*ids)
    sequence.tokens += path
    lead = 3.0 if "," in request.segments[0].pieces else 0.0  # not looked beyond a mark
    spoken = Spoken(path, [float(path.count(at)) for at in range(len(asked))], 1.0, lead)
    sequence.spoken = sequence.kept.then(spoken) if sequence.kept else spoken
    assert len([*request.next_spans()]) == (request.speech.streams and asked == range(10))
    request.take(sequence)


def said(*ids: int) -> list[int]:
    return [at for at in ids for _ in range(5)]


@pytest.mark.parametrize(
    ("pieces", "streams", "faulty", "n_kept"),
    [
        (PIECES, False, [0, 1, 2, 3, 4, 7, 8, 9], 4),  # up to the comma before "with a"
        (WORDS, False, [0, 1, 2, 3, 7, 8, 9], 4),  # up to the last word, where there is no mark
        (WORDS, False, [*range(9)], 8),  # "today" is one word
        (PIECES, False, [*range(8), *range(5, 10)], 4),  # what is said twice goes both times
        (PIECES, False, [*range(4)], 4),  # all that was said stays
        (PIECES, True, [0, 1, 2, 3, 7, 8, 9], 4),
        (PIECES, True, [0, 1, 3, 4, 5, 6], 7),  # "cash" is lost and the place of the comma has left already
    ],
)
def test_the_text_behind_the_sound_part_is_decoded_again_as_a_segment_of_its_own(
    pieces: list[str], streams: bool, faulty: list[int], n_kept: int
) -> None:
    """At the second fault; of a stream whose first span has left, at the first."""
    request, sink = make_request(replace(LIKELY, pieces=pieces), streams=streams)
    for _ in range(2 - streams):
        say(request, *faulty)
    say(request, *range(10 - n_kept), asked=range(n_kept, 10))
    kept = faulty[: faulty.index(n_kept - 1) + 1]
    assert sink.tokens[0] == said(*kept, *range(10 - n_kept))
    reason = "repaired" if {*kept} == {*range(n_kept)} else "length"
    assert (sink.timings.finish_reason, sink.timings.resampled) == (reason, 2 - streams)


@pytest.mark.parametrize(
    ("path", "streams", "is_given_up"),
    [
        ([0, 1, 2, 3, 4, 7, 8], True, True),  # "with a" is lost behind the first span
        ([*range(6), 4, 5, 6], True, True),  # " or with" is said twice
        ([*range(9)], True, False),  # " to" is being said
        ([0, 3, 4, 5, 6, 7, 8], True, False),  # "pay cash" has been lost in the first span
        ([0, 1, 2, 3, 4, 7, 8], False, False),
    ],
)
def test_what_a_stream_loses_before_its_second_cut_is_not_spoken(
    path: list[int], streams: bool, is_given_up: bool
) -> None:
    request, _ = make_request(replace(LIKELY, pieces=PIECES), streams=streams)
    sequence, path = request.next_sequence(LAYOUT), said(*path)[:43]
    assert sequence.judged_at == 43 * streams
    sequence.tokens += path
    sequence.spoken = Spoken(path, [float(path.count(at)) for at in range(10)], 1.0)
    assert len([*request.next_spans()]) == streams
    assert request.gives_up(sequence) == is_given_up


def test_the_last_retake_begins_with_the_word_of_the_fault() -> None:
    request, sink = make_request(replace(LIKELY, pieces=PIECES))
    for _ in range(2):
        say(request, *range(8))
    say(request, *range(4), asked=range(4, 10))
    say(request, 0, 1, asked=range(8, 10))
    assert sink.tokens[0] == said(*range(8), 0, 1)


def test_a_fault_in_the_first_word_has_all_words_decoded_again() -> None:
    request, sink = make_request(replace(LIKELY, pieces=PIECES))
    for first in [2] * MOST_RETAKES + [0]:
        say(request, *range(first, 10))
    assert sink.timings.finish_reason == "repaired"


def test_what_is_heard_of_a_stream_is_not_taken_back() -> None:
    request, sink = make_request(replace(LIKELY, pieces=PIECES), streams=True)
    say(request, 0, *range(4, 10))
    assert sink.timings.faults == {0: {"skipped": "pay cash"}}
