"""The rule for segments: what each is prompted with, what runs side by side, how audio leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from glm_tts_api.contracts import AudioChunk, SegmentFault, Timings
from glm_tts_api.engine import messages
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.llm_prompt import PromptLayout, Segment
from glm_tts_api.engine.render_scheduler import RenderScheduler
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.seeds import llm_seed, stage_seed
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.errors import InternalFault
from glm_tts_api.model.sequence import SpeechSequence
from tests.engine import tiny

AUDIO, BOA = 1000, 900
LAYOUT = PromptLayout(audio_start=AUDIO, begin_of_audio=BOA, slot_length=4000)


class CollectingSink(EventSink):
    def __init__(self) -> None:
        self.timings = Timings()
        self.chunks: list[AudioChunk] = []
        self.ends: list[Exception | None] = []
        self.tokens: dict[int, list[int]] = {}
        self.times: dict[int, list[tuple[float, float]]] = {}

    def segment_decoded(self, segment: int, tokens: list[int], times: list[tuple[float, float]]) -> None:
        self.tokens[segment], self.times[segment] = tokens, times

    def guarded(self, segment: int, n_retakes: int, faults: Mapping[SegmentFault, str]) -> None:
        self.timings.guarded(segment, n_retakes, faults)

    def chunk_ready(self, chunk: AudioChunk) -> None:
        self.chunks.append(chunk)

    def request_ended(self, error: Exception | None) -> None:
        self.ends.append(error)


def prompt(n_speech: int = 3, text_ids: Sequence[int] = (1, 2)) -> VoicePrompt:
    return VoicePrompt(text_ids, range(n_speech), torch.empty(0), torch.empty(0))


def make_request(
    *segments: list[int] | Segment, n_speech: int = 3, pause_s: float = 0.0, **options: Any
) -> tuple[EngineRequest, CollectingSink]:
    """Lists of ids are segments in one voice. `options` are fields of the request."""
    sink, voice = CollectingSink(), prompt(n_speech)
    spoken = [Segment(one, voice) if isinstance(one, list) else one for one in segments]
    asked = tiny.asked("text", **options)
    return EngineRequest(messages.Speak(0, asked), spoken, sink, pause_s=pause_s, chunks=(12, 25)), sink


def end_row(
    request: EngineRequest, sequence: SpeechSequence, tokens: list[int], mean_log_prob: float = -1.0
) -> list[list[int]]:
    """A row ends with these tokens; the tokens of the segments that can be rendered with that."""
    sequence.tokens[:] = tokens
    sequence.log_probs = [mean_log_prob]
    request.take(sequence)
    return [list(span.tokens) for span in request.next_spans()]


def end_next(request: EngineRequest, tokens: list[int]) -> SpeechSequence:
    sequence = request.next_sequence(LAYOUT)
    end_row(request, sequence, tokens)
    return sequence


def test_with_cache_a_segment_is_prompted_by_the_speech_before_it() -> None:
    request, _ = make_request([10], [20], [30])
    assert request.n_waiting_rows == 1
    assert end_row(request, request.next_sequence(LAYOUT), [7, 8]) == [[7, 8]]
    sequence = request.next_sequence(LAYOUT)
    assert sequence.segment == 1
    assert sequence.prompt_ids == [1, 2, 10, 20, BOA, *(AUDIO + token for token in (0, 1, 2, 7, 8))]
    assert request.n_waiting_rows == 0
    end_row(request, sequence, [9])
    end_next(request, [9])
    assert not request.n_undecided


def test_without_cache_all_segments_are_open_and_see_the_prompt_alone() -> None:
    request, _ = make_request([10], [20], [30], use_cache=False)
    assert request.n_waiting_rows == 3
    sequences = [request.next_sequence(LAYOUT) for _ in range(3)]
    end_row(request, sequences[2], [5])
    assert [sequence.prompt_ids[2] for sequence in sequences] == [10, 20, 30]
    assert {tuple(sequence.prompt_ids[3:]) for sequence in sequences} == {(BOA, AUDIO, AUDIO + 1, AUDIO + 2)}


def test_the_candidate_with_the_best_mean_log_probability_is_kept() -> None:
    request, sink = make_request([10], [20], beam_size=3)
    sequences = [request.next_sequence(LAYOUT) for _ in range(3)]
    assert len({sequence.sampling.seed for sequence in sequences}) == 3
    assert end_row(request, sequences[1], [1], -2.0) == []
    assert end_row(request, sequences[2], [2], -1.0) == []
    assert sink.tokens == {}
    assert end_row(request, sequences[0], [3], -3.0) == [[2]]
    assert sink.tokens == {0: [2]}
    assert request.next_sequence(LAYOUT).prompt_ids[-1] == AUDIO + 2


def test_history_over_750_speech_tokens_loses_its_oldest_segment_but_not_the_prompt() -> None:
    request, _ = make_request([10], [20], [30], n_speech=100)
    end_next(request, [1] * 463)
    # 563 tokens to 3 ids so far: the next id is expected to take 187 more, which still fits
    second = end_next(request, [2] * 200)
    assert second.prompt_ids[:5] == [1, 2, 10, 20, BOA]
    # 763 tokens do not fit
    third = request.next_sequence(LAYOUT)
    assert third.prompt_ids[:5] == [1, 2, 20, 30, BOA]
    assert len(third.prompt_ids) == 5 + 100 + 200


def test_history_gives_way_when_the_slot_is_short_whose_room_bounds_the_draws() -> None:
    layout = replace(LAYOUT, slot_length=47)
    request, _ = make_request([10], [20])
    layout.require_room(request.segments)
    assert make_request([10, 11])[0].next_sequence(replace(LAYOUT, slot_length=40)).max_len == 40 - 8
    end_row(request, request.next_sequence(layout), [1] * 30)
    sequence = request.next_sequence(layout)
    assert sequence.prompt_ids == [1, 2, 20, BOA, AUDIO, AUDIO + 1, AUDIO + 2]
    assert sequence.max_len == 20


def deliver(request: EngineRequest, value: float, n_samples: int = 24) -> None:
    (span,) = request.next_spans()
    span.pcm = np.full(n_samples, value, np.float32)
    request.deliver(span)
    request.n_rendering -= 1


def test_audio_leaves_in_the_order_of_the_text() -> None:
    request, sink = make_request([10], [20], [30], use_cache=False)
    sequences = [request.next_sequence(LAYOUT) for _ in range(3)]
    for segment in (2, 0, 1):
        sequences[segment].tokens.append(5)
        request.take(sequences[segment])
        deliver(request, segment)
    assert [(chunk.segment, chunk.pcm[0]) for chunk in sink.chunks] == [(0, 0), (1, 1), (2, 2)]
    assert sink.ends == [None]


def test_a_failed_request_says_so_once_to_whoever_listens() -> None:
    for closed in (False, True):
        request, sink = make_request([10])
        sink.closed = closed
        request.fail(fault := InternalFault("broken"))
        request.fail(InternalFault("again"))
        assert sink.ends == ([] if closed else [fault])
        assert request.cancelled


def a_stream_that_has_said(seconds: float) -> Span:
    """Its next span; none of it is heard yet where `seconds` is 0."""
    request, _ = make_request([10] * 20, streams=True)
    request.next_sequence(LAYOUT).tokens[:] = range(100)
    if seconds:
        deliver(request, 0, int(24000 * seconds))
    (span,) = request.next_spans()
    return span


def test_whose_player_runs_dry_first_is_rendered_first() -> None:
    """A stream that nobody has heard yet at once, then those that have least left to play; a whole answer by
    its length."""
    whole, _ = make_request([10] * 180)  # due after 45 s
    sequence = whole.next_sequence(LAYOUT)
    sequence.tokens[:] = [5]
    whole.take(sequence)
    (spoken_whole,) = whole.next_spans()
    little, much = a_stream_that_has_said(30), a_stream_that_has_said(60)
    expected = [a_stream_that_has_said(0), little, spoken_whole, much]
    scheduler = RenderScheduler()
    for span in (much, spoken_whole, little, expected[0]):
        scheduler.add(span)
    order = []
    while (taken := scheduler.take()) is not None:
        order.append(taken)
        scheduler.give_back(taken, ended=True)
    assert order == expected


@pytest.mark.parametrize("seed", [0, 42, 2**63 - 1])
def test_every_stage_and_candidate_has_a_seed_of_its_own(seed: int) -> None:
    seeds = [llm_seed(seed, candidate) for candidate in range(5)]
    seeds += [stage_seed(seed, "flow"), stage_seed(seed, "vocoder")]
    assert seeds[0] == seed
    assert len(set(seeds)) == 7
    assert all(0 <= value < 2**64 for value in seeds)


def test_each_voice_is_prompted_by_what_it_said_itself() -> None:
    a, b = prompt(2, [1]), prompt(3, [5, 6])
    request, _ = make_request(Segment([10], a), Segment([20], b), Segment([30], a))
    end_next(request, [7])
    second = request.next_sequence(LAYOUT)
    assert second.prompt_ids == [5, 6, 20, BOA, AUDIO, AUDIO + 1, AUDIO + 2]
    assert second.n_voice_ids == 2
    second.tokens[:] = [8]
    request.take(second)
    (span,) = request.next_spans()
    assert span.voice is b
    third = request.next_sequence(LAYOUT)
    assert third.prompt_ids == [1, 10, 30, BOA, AUDIO, AUDIO + 1, AUDIO + 7]


def test_pauses_are_silence_of_exactly_their_length() -> None:
    voice = prompt()
    segments = Segment([10], voice, pause_s=0.05), Segment([20], voice, pause_s=0.8, speed=1.5)
    request, sink = make_request(*segments, pause_s=1.23)
    for _ in range(2):
        sequence = request.next_sequence(LAYOUT)
        sequence.tokens[:] = [7]
        request.take(sequence)
        deliver(request, 1)
    heard = [(len(chunk.pcm), float(chunk.pcm.max()), chunk.speed) for chunk in sink.chunks]
    silence = [(24000, 0, None), (5520, 0, None)]
    assert heard == [(1200, 0, None), (24, 1, 1.0), (19200, 0, None), (24, 1, 1.5), *silence]
    assert sink.ends == [None]
