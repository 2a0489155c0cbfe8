"""Renders one text in three ways from the same speech tokens: whole, streamed, and whole with other noise.

Calls the parts of the engine one after the other on one thread. The tokens are sampled once, so that the
frames of the three waves correspond to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from glm_tts_api.contracts import SamplingOptions, SpeechRequest, Timings, Voice
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.input_processor import InputProcessor
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.spans import SpanCutter
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.checkpoint import load_checkpoint
from speech_text.frontend import TextFrontend

Wave = npt.NDArray[np.float32]


class Nobody:
    """A listener that ignores all messages, for requests that no engine thread handles."""

    closed = full = False

    def __init__(self) -> None:
        self.timings = Timings()

    def segment_decoded(self, segment: int, tokens: list[int]) -> None:
        pass

    def chunk_ready(self, chunk: object) -> None:
        pass

    def request_ended(self, error: Exception | None) -> None:
        pass

    def request_freed(self) -> None:
        pass


@dataclass(frozen=True)
class Spoken:
    """The three waves of a text, equally long, at `sample_rate` Hz.

    `seams` holds the times in seconds at which a new piece of mel or of audio begins in `streamed`.
    """

    whole: Wave
    streamed: Wave
    other_noise: Wave
    seams: list[float]
    sample_rate: int


@dataclass
class _Pieces:
    pieces: list[Wave] = field(default_factory=list)
    seams: list[float] = field(default_factory=list)
    n_samples: int = 0

    def add(self, wave: Wave) -> None:
        self.pieces.append(wave)
        self.n_samples += len(wave)

    def joined(self) -> Wave:
        return np.concatenate(self.pieces)


class Renderer:
    """Renders texts with the models of the checkpoint `model` and the text front end of `configs`."""

    def __init__(
        self, model: Path, configs: Path, scratch: Path, *, device: str, flow_steps: int | None
    ) -> None:
        config = EngineConfig(n_slots=1, flow_steps=flow_steps, threads=1)
        models = load_checkpoint(model, device=device)
        frontend = TextFrontend(configs, cache_dir=scratch / "text")
        features = VoiceFeatures(models, capacity=2)
        self._processor = InputProcessor(models, frontend, features, config.stream_chunks)
        self._decoder = DecodeBatcher(models, config)
        self._token2wav = Token2Wav(models, config)

    @torch.inference_mode()
    def say(self, text: str, voice: Voice, *, seed: int, sample_rate: int, chunks: Sequence[int]) -> Spoken:
        """Renders `text` in three ways. Raises the error of a part of the engine that fails.

        `chunks` is the list of span sizes of the streamed wave in speech tokens, as in STREAM_CHUNKS.
        """
        sampling = SamplingOptions(seed=seed)
        asked = SpeechRequest("compare", text, voice, sampling, sample_rate=sample_rate)
        segments = self._tokens(self._processor.request(asked, Nobody()))
        other = replace(asked, sampling=replace(sampling, seed=seed + 1))
        whole, streamed, noise = (
            self._render(self._processor.request(one, Nobody()), segments, cut)
            for one, cut in ((asked, None), (asked, chunks), (other, None))
        )
        return Spoken(whole.joined(), streamed.joined(), noise.joined(), streamed.seams, sample_rate)

    def _tokens(self, request: EngineRequest) -> list[Sequence[int]]:
        """Decodes the request, and returns the speech tokens of each segment."""
        spans: list[Span] = []
        while not request.decoded:
            self._decoder.join(0, request.next_sequence(self._decoder.layout))
            while self._decoder.busy:
                for sequence in self._decoder.step():
                    if sequence.error is not None:
                        raise sequence.error
                    request.take(sequence)
            spans += request.next_spans()
        return [span.tokens for span in sorted(spans, key=lambda span: span.segment)]

    def _render(
        self, request: EngineRequest, segments: Sequence[Sequence[int]], chunks: Sequence[int] | None
    ) -> _Pieces:
        found, rate = _Pieces(), request.asked.sample_rate
        for number, tokens in enumerate(segments):
            begin_s = found.n_samples / rate
            for window in SpanCutter(chunks and (chunks if number == 0 else chunks[-1:])).cut(
                len(tokens), ended=True
            ):
                if window.first:
                    found.seams += [begin_s + window.first / TOKENS_A_SECOND, found.n_samples / rate]
                found.add(self._wave(Span(request, number, tokens[window.start : window.stop], window)))
        return found

    def _wave(self, span: Span) -> Wave:
        self._token2wav.add(span)
        while self._token2wav.busy:
            self._token2wav.step()
        if span.error is not None:
            raise span.error
        assert span.pcm is not None
        return span.pcm
