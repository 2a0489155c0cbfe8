"""One syllable through each vocoder before the server is ready, and a look at how fast all stages are.

The first request would otherwise wait for weights that are not in memory yet and for kernels that are not
compiled; and a stage that cannot run fails the start rather than a request.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from glm_tts_api.contracts import (
    SAMPLE_RATE,
    AudioChunk,
    Recording,
    SamplingOptions,
    SpeechRequest,
    Timings,
    Voice,
)
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.cores import Cores
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.device_thread import drop_memory
from glm_tts_api.engine.llm_prompt import Segment, VoicedPrompt
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.spans import LEFT_CONTEXT, LOOK_AHEAD, SpanCutter, Window
from glm_tts_api.engine.stream_pace import PROMPT_TOKENS, Pace
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.voice_features import VoiceFeatures, VoicePrompt
from glm_tts_api.model.buckets import FRAME_MULTIPLE
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FRAMES_PER_TOKEN
from glm_tts_api.model.sequence import SpeechSequence

logger = logging.getLogger(__name__)

_PROMPT_RATE = 16000
_MEASURED_TOKENS = 16
_CLEARLY_FASTER = 0.8
_MARGIN = 2  # for a step beside others
_LONGEST_MET = 256  # tokens, of an answer that is spoken whole: ten seconds
_WINDOWS = (12 + LOOK_AHEAD, LEFT_CONTEXT + 100 + LOOK_AHEAD)  # tokens: a first span's, a late one's


class WarmUp:
    """Listens to a request for each vocoder; calls `on_done` once, with the first error or with None."""

    closed = full = False

    def __init__(
        self, models: Models, features: VoiceFeatures, *, on_done: Callable[[Exception | None], None]
    ) -> None:
        self.timings = Timings()
        self._models = models
        self._features = features
        self._on_done = on_done
        self._n_open = len(models.vocoders)
        noise = np.random.default_rng(0).normal(0.0, 0.01, _PROMPT_RATE).astype(np.float32)
        self._voice = Voice(Recording(noise, _PROMPT_RATE), transcript="a", digest="warm-up")

    def requests(self) -> Iterator[EngineRequest]:
        """One syllable in a voice of one second of faint noise, at each sample rate."""
        for rate in self._models.vocoders:
            yield self._request(rate, self._features.get(self._voice, rate))

    def measured_request(self) -> EngineRequest:
        """The same in a voice as long as those that people use, at the default sample rate; for
        `measure_decode` and `measure_pace`."""
        return self._request(SAMPLE_RATE, self._usual_voice())

    def spans_to_meet(self, chunks: Sequence[int]) -> list[Span]:
        """Spans that a GPU renders before it is ready, since its libraries plan anew for each length: a
        stream's spans and whole answers, at each sample rate. Empty for a CPU, which plans little."""
        if self._models.llm.device.type != "cuda":
            return []
        voice = self._usual_voice()
        return [
            Span(request, 0, [0] * (window.stop - window.start), window)
            for request in (self._request(rate, voice) for rate in self._models.vocoders)
            for window in _windows_to_meet(chunks)
        ]

    def _usual_voice(self) -> VoicePrompt:
        short = self._features.get(self._voice, SAMPLE_RATE)
        n_times = -(-PROMPT_TOKENS // len(short.speech_tokens))
        tokens = (n_times * short.speech_tokens)[:PROMPT_TOKENS]
        mel = short.mel.repeat(n_times, 1)[: FRAMES_PER_TOKEN * PROMPT_TOKENS]
        return VoicePrompt(tokens, short.embedding, mel)

    def _request(self, rate: int, voice: VoicePrompt) -> EngineRequest:
        ids = self._models.text_tokenizer.encode("a")
        asked = SpeechRequest("warm-up", "a", self._voice, SamplingOptions(), sample_rate=rate)
        return EngineRequest(asked, [Segment(ids, VoicedPrompt(ids, voice))], self)

    def segment_decoded(self, segment: int, tokens: list[int]) -> None:
        pass

    def chunk_ready(self, chunk: AudioChunk) -> None:
        pass

    def request_ended(self, error: Exception | None) -> None:
        self._n_open -= 1
        if error is not None or self._n_open == 0:
            self._on_done(error)

    def request_freed(self) -> None:
        pass


def measure_decode(decoder: DecodeBatcher, request: EngineRequest, cores: Cores) -> tuple[float, float]:
    """Seconds until a lone request's prompt is read, then for each token; half of them are decoded on more of
    the cores, and from then on all if that is clearly faster: small models mostly wait for threads. Raises
    what a step ends with."""
    sequence = request.next_sequence(decoder.layout)
    sequence.min_len = sequence.max_len = _MEASURED_TOKENS
    begin = time.perf_counter()
    decoder.join(0, sequence)
    while decoder.busy and not sequence.is_read:
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
    end = len(sequence.tokens) + n_tokens
    begin = time.perf_counter()
    while decoder.busy and len(sequence.tokens) < end:
        with cores.decode_step():
            decoder.step()
    return (time.perf_counter() - begin) / n_tokens


def _windows_to_meet(chunks: Sequence[int]) -> Iterator[Window]:
    """A stream until its windows grow no longer, then whole answers, one for each number of frames that HiFT
    is padded to."""
    yield from SpanCutter(chunks).cut(sum(chunks) + 2 * chunks[-1], ended=True)
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
    """The pace of a lone request, of which `decode` was measured; once the spans `to_meet` were rendered.
    None where they do not fit the memory."""
    try:
        for span in to_meet:
            token2wav.flow_seconds(span)
            token2wav.vocoder_seconds(span)
        return Pace(*decode, *_measure_renders(token2wav, request), one_core=one_core)
    except torch.OutOfMemoryError as error:
        drop_memory(error)
        return None


def _measure_renders(token2wav: Token2Wav, request: EngineRequest) -> tuple[float, float, float]:
    """Seconds of the flow over any window and for each of its tokens (a straight line through two windows),
    and of the vocoder for each token."""
    short, long = (Span(request, 0, [0] * n, Window(0, 0, n, n, last=True)) for n in _WINDOWS)
    n_short, n_long = _WINDOWS
    short_s, long_s = token2wav.flow_seconds(short), token2wav.flow_seconds(long)
    token_s = max(0.0, (long_s - short_s) / (n_long - n_short))
    vocoder_s = token2wav.vocoder_seconds(short)
    return short_s - token_s * (PROMPT_TOKENS + n_short), token_s, vocoder_s / n_short


def patience(pace: Pace, config: EngineConfig) -> float:
    """How many times as long as is set a step may take here; more than once where the model is too large for
    the machine."""
    longest_s = _MARGIN * pace.longest_step_s(
        n_prompt=config.longest_prompt, n_rows=config.n_slots, flow_steps=config.flow_steps
    )
    times = max(1.0, longest_s / config.stall_s)
    if times > 1:
        logger.warning(
            "This machine is slow for the model: a step may take up to %.0f s; WATCHDOG_S counts %.1f times",
            longest_s,
            times,
        )
    return times
