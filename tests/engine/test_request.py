"""The rule for segments: what each is prompted with, what runs side by side, how audio leaves."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from glm_tts_api.contracts import AudioChunk, Recording, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.engine.llm_prompt import PromptLayout, Segment, VoicedPrompt
from glm_tts_api.engine.render_scheduler import RenderScheduler
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.seeds import flow_seed, llm_seed, vocoder_seed
from glm_tts_api.engine.telling import RequestListener
from glm_tts_api.errors import BadRequest, InternalFault
from glm_tts_api.model.sequence import SpeechSequence
from tests.engine import tiny

AUDIO, BOA = 1000, 900
SAMPLING = SamplingOptions()


class Listener(RequestListener):
    full = False

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[AudioChunk] = []
        self.ends: list[Exception | None] = []
        self.tokens: dict[int, list[int]] = {}

    def segment_decoded(self, segment: int, tokens: list[int]) -> None:
        self.tokens[segment] = tokens

    def chunk_ready(self, chunk: AudioChunk) -> None:
        self.chunks.append(chunk)

    def request_ended(self, error: Exception | None) -> None:
        self.ends.append(error)


class Prompt:
    def __init__(self, n_tokens: int) -> None:
        self.speech_tokens = list(range(n_tokens))


def make_request(
    segments: list[list[int]],
    *,
    use_cache: bool = True,
    sampling: SamplingOptions = SAMPLING,
    n_speech: int = 3,
) -> tuple[EngineRequest, Listener]:
    listener = Listener()
    voice = Voice(Recording(np.zeros(8, np.float32), 16000), "", "0")
    asked = SpeechRequest("r", "text", voice, sampling, use_cache=use_cache)
    voice_prompt = cast(Any, Prompt(n_speech))
    return tiny.request(asked, segments, [1, 2], voice_prompt, listener), listener


def end_row(
    request: EngineRequest, sequence: SpeechSequence, tokens: list[int], mean_log_prob: float = -1.0
) -> list[list[int]]:
    """A row ends with these tokens; the tokens of the segments that can be rendered with that."""
    sequence.tokens[:] = tokens
    sequence.log_probs = [mean_log_prob]
    request.take(sequence)
    return [list(span.tokens) for span in request.next_spans()]


LAYOUT = PromptLayout(audio_start=AUDIO, begin_of_audio=BOA, slot_length=4000)


def test_with_cache_a_segment_is_prompted_by_the_speech_before_it() -> None:
    request, _ = make_request([[10], [20], [30]])
    assert request.n_waiting_rows == 1
    assert end_row(request, request.next_sequence(LAYOUT), [7, 8]) == [[7, 8]]
    sequence = request.next_sequence(LAYOUT)
    assert sequence.segment == 1
    assert sequence.prompt_ids == [1, 2, 10, 20, BOA, *(AUDIO + token for token in (0, 1, 2, 7, 8))]
    assert request.n_waiting_rows == 0
    end_row(request, sequence, [9])
    end_row(request, request.next_sequence(LAYOUT), [9])
    assert request.decoded


def test_without_cache_all_segments_are_open_and_see_the_prompt_alone() -> None:
    request, _ = make_request([[10], [20], [30]], use_cache=False)
    assert request.n_waiting_rows == 3
    sequences = [request.next_sequence(LAYOUT) for _ in range(3)]
    end_row(request, sequences[2], [5])
    assert [sequence.prompt_ids[2] for sequence in sequences] == [10, 20, 30]
    assert {tuple(sequence.prompt_ids[3:]) for sequence in sequences} == {(BOA, AUDIO, AUDIO + 1, AUDIO + 2)}


def test_the_candidate_with_the_best_mean_log_probability_is_kept() -> None:
    request, listener = make_request([[10], [20]], sampling=SamplingOptions(beam_size=3))
    sequences = [request.next_sequence(LAYOUT) for _ in range(3)]
    assert len({sequence.sampling.seed for sequence in sequences}) == 3
    assert end_row(request, sequences[1], [1], -2.0) == []
    assert end_row(request, sequences[2], [2], -1.0) == []
    assert listener.tokens == {}
    assert end_row(request, sequences[0], [3], -3.0) == [[2]]
    assert listener.tokens == {0: [2]}
    assert request.next_sequence(LAYOUT).prompt_ids[-1] == AUDIO + 2


def test_history_over_750_speech_tokens_loses_its_oldest_segment_but_not_the_prompt() -> None:
    request, _ = make_request([[10], [20], [30]], n_speech=100)
    end_row(request, request.next_sequence(LAYOUT), [1] * 400)
    # 500 tokens to 3 ids so far: the next id is expected to take 166 more, which still fits
    second = request.next_sequence(LAYOUT)
    assert second.prompt_ids[:5] == [1, 2, 10, 20, BOA]
    end_row(request, second, [2] * 200)
    # 700 tokens to 4 ids: 175 more do not fit
    third = request.next_sequence(LAYOUT)
    assert third.prompt_ids[:5] == [1, 2, 20, 30, BOA]
    assert len(third.prompt_ids) == 5 + 100 + 200


def test_history_of_750_speech_tokens_with_what_is_expected_stays_whole() -> None:
    request, _ = make_request([[10], [20]], n_speech=100)
    end_row(request, request.next_sequence(LAYOUT), [1] * 463)
    # 563 tokens to 3 ids: 187 more are expected, 750 in all
    assert request.next_sequence(LAYOUT).prompt_ids[:5] == [1, 2, 10, 20, BOA]


def test_history_gives_way_when_the_slot_is_short() -> None:
    layout = PromptLayout(audio_start=AUDIO, begin_of_audio=BOA, slot_length=47)
    request, _ = make_request([[10], [20]])
    end_row(request, request.next_sequence(layout), [1] * 30)
    sequence = request.next_sequence(layout)
    assert sequence.prompt_ids == [1, 2, 20, BOA, AUDIO, AUDIO + 1, AUDIO + 2]
    assert sequence.max_len == 20


def test_draws_are_bounded_by_the_room_in_the_slot() -> None:
    layout = PromptLayout(audio_start=AUDIO, begin_of_audio=BOA, slot_length=40)
    request, _ = make_request([[10, 11]])
    request.check_fits(layout)
    assert request.next_sequence(layout).max_len == 40 - 8


def test_a_segment_without_room_is_refused() -> None:
    request, _ = make_request([[10, 11]], n_speech=30)
    with pytest.raises(BadRequest, match="do not fit"):
        request.check_fits(PromptLayout(audio_start=AUDIO, begin_of_audio=BOA, slot_length=40))


def test_audio_leaves_in_the_order_of_the_text() -> None:
    request, listener = make_request([[10], [20], [30]], use_cache=False)
    sequences = [request.next_sequence(LAYOUT) for _ in range(3)]
    for segment in (2, 0, 1):
        sequences[segment].tokens.append(5)
        request.take(sequences[segment])
        (span,) = request.next_spans()
        span.pcm = np.full(24, segment, np.float32)
        request.deliver(span)
    assert [chunk.segment for chunk in listener.chunks] == [0, 1, 2]
    assert [chunk.pcm[0] for chunk in listener.chunks] == [0, 1, 2]
    assert listener.ends == [None]
    assert listener.timings.audio_s == pytest.approx(0.003)


def test_a_failed_request_says_so_once() -> None:
    request, listener = make_request([[10]])
    fault = InternalFault("broken")
    request.fail(fault)
    request.fail(InternalFault("again"))
    assert listener.ends == [fault]
    assert request.cancelled


def test_a_request_nobody_listens_to_is_cancelled_and_silent() -> None:
    request, listener = make_request([[10]])
    listener.closed = True
    assert request.cancelled
    request.fail(InternalFault("broken"))
    assert listener.ends == []


def a_stream_that_has_said(seconds: float) -> Span:
    """Its next span; none of it is heard yet where `seconds` is 0."""
    voice = Voice(Recording(np.zeros(8, np.float32), 16000), "", "0")
    asked = SpeechRequest("r", "text", voice, streams=True)
    request = tiny.request(asked, [[10] * 20], [1, 2], cast(Any, Prompt(3)), Listener(), (12, 25))
    request.next_sequence(LAYOUT).tokens[:] = range(100)
    (span,) = request.next_spans()
    if seconds:
        span.pcm = np.zeros(int(24000 * seconds), np.float32)
        request.deliver(span)
        request.span_ended()
        (span,) = request.next_spans()
    return span


def test_whose_player_runs_dry_first_is_rendered_first() -> None:
    """A stream that nobody has heard yet at once, then those that have least left to play; a whole answer by
    its length."""
    whole, _ = make_request([[10] * 180])  # due after 45 s
    sequence = whole.next_sequence(LAYOUT)
    sequence.tokens[:] = [5]
    whole.take(sequence)
    (spoken_whole,) = whole.next_spans()
    spans = {
        "much": a_stream_that_has_said(60),
        "whole": spoken_whole,
        "little": a_stream_that_has_said(30),
        "new": a_stream_that_has_said(0),
    }
    scheduler = RenderScheduler()
    for span in spans.values():
        scheduler.add(span)
    order = []
    while (taken := scheduler.take()) is not None:
        order += [name for name, span in spans.items() if span is taken]
        scheduler.remove(taken)
    assert order == ["new", "little", "whole", "much"]


@pytest.mark.parametrize("seed", [0, 42, 2**63 - 1])
def test_every_stage_and_candidate_has_a_seed_of_its_own(seed: int) -> None:
    seeds = [*(llm_seed(seed, candidate) for candidate in range(5)), flow_seed(seed), vocoder_seed(seed)]
    assert seeds[0] == seed
    assert len(set(seeds)) == 7
    assert all(0 <= value < 2**64 for value in seeds)


def voiced(
    *segments: tuple[VoicedPrompt, float, float], pause_s: float = 0.0
) -> tuple[EngineRequest, Listener]:
    listener = Listener()
    voice = Voice(Recording(np.zeros(8, np.float32), 16000), "", "0")
    spoken = [Segment([10 * n], *one) for n, one in enumerate(segments, start=1)]
    asked = SpeechRequest("r", "text", voice, SAMPLING)
    return EngineRequest(asked, spoken, listener, pause_s=pause_s), listener


def test_each_voice_is_prompted_by_what_it_said_itself() -> None:
    a, b = VoicedPrompt([1], cast(Any, Prompt(2))), VoicedPrompt([5, 6], cast(Any, Prompt(3)))
    request, _ = voiced((a, 0.0, 1.0), (b, 0.0, 1.0), (a, 0.0, 1.0))
    first = request.next_sequence(LAYOUT)
    assert end_row(request, first, [7]) == [[7]]
    second = request.next_sequence(LAYOUT)
    assert second.prompt_ids == [5, 6, 20, BOA, AUDIO, AUDIO + 1, AUDIO + 2]
    assert second.n_voice_ids == 2
    second.tokens[:] = [8]
    request.take(second)
    (span,) = request.next_spans()
    assert span.voice is b.voice
    third = request.next_sequence(LAYOUT)
    assert third.prompt_ids == [1, 10, 30, BOA, AUDIO, AUDIO + 1, AUDIO + 7]


def render(request: EngineRequest) -> None:
    sequence = request.next_sequence(LAYOUT)
    sequence.tokens[:] = [7]
    request.take(sequence)
    (span,) = request.next_spans()
    span.pcm = np.ones(24, np.float32)
    request.deliver(span)


def test_pauses_are_silence_of_exactly_their_length() -> None:
    prompt = VoicedPrompt([1], cast(Any, Prompt(2)))
    request, listener = voiced((prompt, 0.05, 1.0), (prompt, 0.8, 1.5), pause_s=1.23)
    for _ in range(2):
        render(request)
    heard = [(len(chunk.pcm), float(chunk.pcm.max()), chunk.speed) for chunk in listener.chunks]
    silence = [(24000, 0, None), (5520, 0, None)]
    assert heard == [(1200, 0, None), (24, 1, 1.0), (19200, 0, None), (24, 1, 1.5), *silence]
    assert listener.ends == [None]
