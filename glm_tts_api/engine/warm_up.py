"""Speaks one syllable with each vocoder before the server is ready, and measures how fast all stages are.

Otherwise the first request would wait for weights that are not in memory yet and for kernels that are not
compiled yet. Also, a stage that cannot run makes the start fail instead of a request.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

import numpy as np
import torch
from torch import Tensor

from glm_tts_api.contracts import (
    SAMPLE_RATE,
    Recording,
    SamplingOptions,
    SpeechRequest,
    Voice,
)
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.cores import Cores
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.device_thread import drop_memory
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.messages import Speak
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.spans import LEFT_CONTEXT, LOOK_AHEAD, Window, cut_windows
from glm_tts_api.engine.stream_pace import PROMPT_TOKENS, Pace
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.voice_features import VoiceFeatures, VoicePrompt
from glm_tts_api.model.buckets import FRAME_MULTIPLE
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FRAMES_PER_TOKEN, FlowConfig
from glm_tts_api.model.sequence import SpeechSequence

logger = logging.getLogger(__name__)

_PROMPT_RATE = 16000
_MEASURED_TOKENS = 16
_CLEARLY_FASTER = 0.9  # more cores have to bring a token's time below this part
_MARGIN = 2  # factor for a step that runs at the same time as other steps
_LONGEST_MET = 256  # tokens of the longest whole answer that is rendered in advance: ten seconds
_WINDOWS = (25 + LOOK_AHEAD, LEFT_CONTEXT + 100 + LOOK_AHEAD)  # tokens of an early and of a late window
_ROUNDS, _ENOUGH_S = 3, 10.0  # renders are measured so many times, or until so many seconds have passed


class WarmUp(EventSink):
    """The event sink of the warm-up requests, one for each vocoder. Calls `on_done` with the error of a
    request that fails, and with None when the last request has ended without an error."""

    def __init__(
        self, models: Models, features: VoiceFeatures, *, on_done: Callable[[Exception | None], None]
    ) -> None:
        self._models = models
        self._features = features
        self._on_done = on_done
        self._n_open = len(models.vocoders)
        noise = np.random.default_rng(0).normal(0.0, 0.01, _PROMPT_RATE).astype(np.float32)
        self._voice = Voice(Recording(noise, _PROMPT_RATE), transcript="a", digest="warm-up")

    def requests(self) -> Iterator[EngineRequest]:
        """Yields one request for each sample rate. Each request speaks one syllable, in a voice whose
        recording is one second of faint noise."""
        for rate in self._models.vocoders:
            mel = self._features.mel(self._voice, rate)
            yield self._request(rate, *self._features.voice(self._voice), mel)

    def measured_request(self) -> EngineRequest:
        """Returns a request for one syllable, in a voice whose recording is as long as usual (5 s), at the
        default sample rate. `measure_decode` and `measure_pace` measure with it."""
        return self._request(SAMPLE_RATE, *self._usual_voice())

    def spans_to_meet(self, chunks: Sequence[int]) -> list[Span]:
        """Returns spans that are rendered once on a GPU before the engine is ready, because a GPU's libraries
        make a plan for each length. The spans are those of a stream with the span sizes `chunks` and those of
        whole answers, at each sample rate. Returns an empty list for a CPU, where planning takes little
        time."""
        if self._models.llm.device.type != "cuda":
            return []
        voice = self._usual_voice()
        return [
            Span(request, 0, [0] * (window.stop - window.start), window)
            for request in (self._request(rate, *voice) for rate in self._models.vocoders)
            for window in _windows_to_meet(chunks)
        ]

    def _usual_voice(self) -> tuple[list[int], Tensor, Tensor]:
        tokens, embedding = self._features.voice(self._voice)
        n_times = -(-PROMPT_TOKENS // len(tokens))
        mel = self._features.mel(self._voice, SAMPLE_RATE).repeat(n_times, 1)[
            : FRAMES_PER_TOKEN * PROMPT_TOKENS
        ]
        return (n_times * tokens)[:PROMPT_TOKENS], embedding, mel

    def _request(self, rate: int, tokens: list[int], embedding: Tensor, mel: Tensor) -> EngineRequest:
        ids, _ = self._models.text_tokenizer.encode("a")
        speech = SpeechRequest("warm-up", "a", self._voice, SamplingOptions(), sample_rate=rate)
        segment = Segment(ids, VoicePrompt(ids, tokens, embedding, mel))
        return EngineRequest(Speak(0, speech), [segment], self)

    def request_ended(self, error: Exception | None) -> None:
        self._n_open -= 1
        if error is not None or self._n_open == 0:
            self._on_done(error)


def measure_decode(decoder: DecodeBatcher, request: EngineRequest, cores: Cores) -> tuple[float, float]:
    """Decodes a request while there is no other. Returns the seconds until its prompt is read, and the
    seconds for each token. The first half of the tokens is decoded on a decode step's share of the cores, the
    second half on more cores. If the second half is clearly faster, decode steps use more cores from now on,
    while nothing is rendered. (Small models mostly wait for threads.) Raises the error with which a step
    ended."""
    sequence = request.next_sequence(decoder.layout)
    sequence.min_len = sequence.max_len = _MEASURED_TOKENS
    cores.wide_decoding = False
    begin = time.perf_counter()
    decoder.join(0, sequence)
    while decoder.awake and not sequence.is_read:
        with cores.decode_step():
            decoder.step()
    read_s, half = time.perf_counter() - begin, _MEASURED_TOKENS // 2
    token_s = _token_seconds(decoder, sequence, half, cores)
    cores.wide_decoding = True
    wide_s = _token_seconds(decoder, sequence, half, cores)
    cores.wide_decoding = wide_s < _CLEARLY_FASTER * token_s
    if sequence.error is not None:
        raise sequence.error
    return read_s, wide_s if cores.wide_decoding else token_s


def _token_seconds(decoder: DecodeBatcher, sequence: SpeechSequence, n_tokens: int, cores: Cores) -> float:
    """Decodes `n_tokens` tokens of the only request. Returns the median of the seconds for one of them: one
    step in which the machine did other work does not count."""
    end, taken_s = len(sequence.tokens) + n_tokens, list[float]()
    while decoder.awake and len(sequence.tokens) < end:
        begin = time.perf_counter()
        with cores.decode_step():
            decoder.step()
        taken_s.append(time.perf_counter() - begin)
    return median(taken_s or [0.0])


def _windows_to_meet(chunks: Sequence[int]) -> Iterator[Window]:
    """Yields the windows to render before the engine is ready: first those of a stream with the span sizes
    `chunks`, then whole answers, one for each number of frames to which HiFT's input is padded."""
    yield from cut_windows(chunks, sum(chunks) + 2 * chunks[-1], ended=True)
    step = FRAME_MULTIPLE["cuda"] // FRAMES_PER_TOKEN
    for n_tokens in range(step - 1, _LONGEST_MET, step):  # a segment may have a frame more than its tokens
        yield Window(0, 0, n_tokens, n_tokens, last=True)


def measure_pace(
    token2wav: Token2Wav,
    request: EngineRequest,
    to_meet: Sequence[Span],
    *,
    decode: tuple[float, float],
    one_core: bool,
) -> Pace | None:
    """Runs the flow's first steps and the vocoder once for each of the spans `to_meet`. Then measures how
    fast the spans of a request are rendered while there is no other. Returns the pace of the request.
    `decode` is the result of `measure_decode`. `one_core` says that no token is decoded while a span is
    rendered. Returns None if the spans do not fit the memory."""
    try:
        for span in to_meet:
            token2wav.flow_seconds(span)
            token2wav.vocoder_seconds(span)
        return Pace(*decode, *_measure_renders(token2wav, request), one_core=one_core)
    except torch.OutOfMemoryError as error:
        drop_memory(error)
        return None


def _measure_renders(token2wav: Token2Wav, request: EngineRequest) -> tuple[float, float, float]:
    """Measures three times in seconds: the flow's fixed time for a window, the flow's time for each token,
    and the vocoder's time for each token. The flow's two times come from a straight line through its times
    for two windows; the fixed time may be negative. Measures several times and takes the least seconds,
    because other work on the machine only adds to them."""
    short, long = (Span(request, 0, [0] * n, Window(0, 0, n, n, last=True)) for n in _WINDOWS)
    n_short, n_long = _WINDOWS
    begin, rounds = time.perf_counter(), list[tuple[float, float, float]]()
    while not rounds or (len(rounds) < _ROUNDS and time.perf_counter() - begin < _ENOUGH_S):
        flow_s = token2wav.flow_seconds(short), token2wav.flow_seconds(long)
        rounds.append((*flow_s, token2wav.vocoder_seconds(long)))
    short_s, long_s, vocoder_s = map(min, zip(*rounds, strict=True))
    token_s = max(0.0, (long_s - short_s) / (n_long - n_short))
    return short_s - token_s * (PROMPT_TOKENS + n_short), token_s, vocoder_s / n_long


def patience(pace: Pace, config: EngineConfig, flow: FlowConfig) -> float:
    """Returns the factor by which the time limits of a model's step are multiplied. The factor
    is 1, or more if the model is so large for this machine that a step may take longer than `config.stall_s`
    seconds."""
    longest_s = _MARGIN * pace.longest_step_s(
        n_prompt=config.longest_prompt, n_rows=config.n_rows, flow_steps=config.steps_of(flow)
    )
    times = max(1.0, longest_s / config.stall_s)
    if times > 1:
        logger.warning(
            "This machine is slow for the model: a step may take up to %.0f s; its limits are %.1f-fold",
            longest_s,
            times,
        )
    return times
