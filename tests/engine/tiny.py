"""Small real modules with random weights, and a front end and tokenizer for plain letters."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from glm_tts_api.contracts import (
    AudioChunk,
    Float32,
    Recording,
    SamplingOptions,
    SpeechRequest,
    Timings,
    Voice,
)
from glm_tts_api.engine import messages
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.event_sink import EventSink, RemoteSink
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.spans import Window
from glm_tts_api.engine.state import EngineUsage
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.errors import NothingToSay
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowConfig, FlowMatching
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer, SpeechTokenizerConfig
from glm_tts_api.model.vocoder import HiFT, HiftConfig, Vocoder, Vocos2D
from speech_text import Reading, ReadingOptions
from speech_text.marks import MarkedText
from speech_text.places import Placed
from speech_text.reading import SpokenSegment
from tests.compiled import compiled_kernels

N_SPEECH_TOKENS = 64
AUDIO_START = 200
VOCABULARY = AUDIO_START + N_SPEECH_TOKENS
CONFIG = EngineConfig(
    n_rows=24,
    max_prompt_seconds=2,
    max_segment_ids=8,
    prefill_chunk=16,
    flow_steps=2,
    stream_chunks=(4, 8, 16),
    threads=2,
    guard=False,  # the lengths of a random model mean nothing
)


class LetterTokenizer:
    """A byte of ASCII is its own id."""

    end_of_audio = 198
    begin_of_audio = 199
    audio_start = AUDIO_START
    audio_end = VOCABULARY - 1

    def encode(self, text: str) -> tuple[list[int], list[str]]:
        return [min(ord(char), 190) for char in text], [*text]


ENDLESS_TEXT = "endless"


class SentenceFrontend:
    """Cuts at "/"; has nothing to say about digits alone; never comes to an end with ENDLESS_TEXT."""

    def normalize(self, text: str) -> str:
        return text

    def read(self, text: str, options: ReadingOptions, check: Callable[[], None], *_: str) -> Reading:
        if text.isdigit():
            raise NothingToSay("only digits")
        while text == ENDLESS_TEXT:
            check()
            time.sleep(0.001)
        marked = MarkedText(Placed.written(text), text, range(len(text)))
        return Reading(marked, tuple(SpokenSegment(part, part) for part in text.split("/")))

    def clear_cache(self) -> None:
        pass


class StatisticsEncoder:
    """A stand-in for CAM++: 192 values that depend on the recording."""

    def embed(self, wave: Tensor) -> Tensor:
        return wave[:192].reshape(1, -1).clone()


class Upsampler(nn.Module):
    """A stand-in for the 32 kHz vocoder."""

    def forward(self, frames: Tensor) -> Tensor:
        return frames.mean(-1).repeat_interleave(640, 1) * 0.01


def tiny_models(runner: type[LlmRunner] = LlmRunner, *, device: str = "cpu") -> Models:
    """With the compiled kernels of a served model. Another `runner` decodes as it says itself."""
    torch.manual_seed(0)
    llama = Llama(
        LlmConfig(
            vocab_size=VOCABULARY,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=16,
            max_position_embeddings=2048,
        )
    )
    nn.init.normal_(llama.model.embed_tokens.weight, std=0.3)
    sampled = [*range(AUDIO_START, VOCABULARY), LetterTokenizer.end_of_audio]
    flow = FlowMatching(
        FlowConfig(
            trans_dim=32,
            depth=2,
            heads=2,
            dim_head=16,
            text_emb_dim=16,
            conv_layers=1,
            text_vocab_size=N_SPEECH_TOKENS,
        )
    )
    tokenizer = SpeechTokenizer(
        SpeechTokenizerConfig(
            d_model=32,
            encoder_attention_heads=2,
            encoder_ffn_dim=32,
            pooling_position=1,
            quantize_position=1,
            quantize_vocab_size=N_SPEECH_TOKENS,
        )
    )
    return Models(
        llm=runner(llama, sampled_ids=sampled, device=device, dtype=torch.float32),
        flow=flow.eval().to(device),
        speech_tokenizer=tokenizer.eval().to(device),
        speaker_encoder=cast(Any, StatisticsEncoder()),
        vocoders={
            24000: HiFT(HiftConfig(base_channels=16, f0_channels=16)).fold().to(device),
            32000: Vocos2D(cast(Any, Upsampler())),
        },
        text_tokenizer=cast(Any, LetterTokenizer()),
        name="tiny",
        cpu_kernels=compiled_kernels() if runner is LlmRunner and device == "cpu" else None,
    )


class FailingVocoder:
    """A vocoder of silence. From its call number `from_call` on, it raises `error`; the first call is the
    warm-up's."""

    sample_rate, hop = 32000, 640

    def __init__(self, error: Exception, from_call: int) -> None:
        self._error, self._n_left = error, from_call

    def __call__(self, mel: Tensor, *, noise: int) -> Tensor:
        self._n_left -= 1
        if self._n_left <= 0:
            raise self._error
        return torch.zeros(mel.shape[-1] * self.hop)


def failing(error: Exception, *, from_call: int = 1) -> Models:
    """Models with a FailingVocoder at 32 kHz."""
    return with_vocoder(tiny_models(), FailingVocoder(error, from_call))


def with_vocoder(models: Models, vocoder: object) -> Models:
    """`vocoder` in the place of the one at its rate."""
    fitting = cast(Vocoder, vocoder)
    return replace(models, vocoders={**models.vocoders, fitting.sample_rate: fitting})


def tiny_engine(
    config: EngineConfig = CONFIG,
    *,
    load: Callable[[], Models] = tiny_models,
    frontend: type[SentenceFrontend] = SentenceFrontend,
    on_lost: Callable[[EngineLost], None] = lambda _: None,
) -> Engine:
    return Engine(config, load_models=load, load_frontend=lambda: cast(Any, frontend()), on_lost=on_lost)


class Heard:
    """The messages of an engine on a request: an async iterator of its chunks, which raises the error that
    ended it. `leave` is called when its context is left, `take` with the seconds of each chunk taken."""

    def __init__(
        self, leave: Callable[[], object], take: Callable[[float], object] = lambda seconds: None
    ) -> None:
        self.tokens: dict[int, list[int]] = {}
        self.timings = Timings()
        self.is_freed = asyncio.Event()
        self._leave, self._take = leave, take
        self._items: asyncio.Queue[AudioChunk | Exception] = asyncio.Queue()

    def take(self, message: messages.OfRequest | EngineDied) -> None:
        match message:
            case messages.Chunk():
                self._items.put_nowait(message.audio)
            case messages.StageChanged():
                self.timings.change(message.stage, message.by)
            case messages.Segments():
                self.timings.segments = message.n_segments
            case messages.Decoded():
                self.tokens[message.segment] = message.tokens
            case messages.Ended():
                fault = message.fault
                self._items.put_nowait(messages.error_of(fault) if fault else StopAsyncIteration())
            case EngineDied():
                self._items.put_nowait(message)
        if isinstance(message, messages.Released | EngineDied):
            self.is_freed.set()

    def __aiter__(self) -> Heard:
        return self

    async def __anext__(self) -> AudioChunk:
        item = await self._items.get()
        if not isinstance(item, AudioChunk):
            raise item
        self._take(item.seconds)
        return item

    async def __aenter__(self) -> Heard:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if not self.is_freed.is_set():
            self._leave()


def speak(
    engine: Engine,
    asked: SpeechRequest,
    *,
    tokens: Mapping[int, Sequence[int]] | None = None,
    first: int = 0,
    is_background: bool = False,
    buffer_s: float = math.inf,
) -> Heard:
    """Speaks with an engine that is in this process. Its messages go to the stream on the event loop, as
    between two processes. `buffer_s`: seconds of audio that may wait there before no more is made."""
    loop = asyncio.get_running_loop()

    def send(message: Any) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(heard.take, message)

    def leave() -> None:
        sink.closed = True
        engine.wake()

    def take(seconds: float) -> None:
        if sink.took(seconds):
            engine.wake()

    sink, heard = RemoteSink(0, send, buffer_s, lambda _: None), Heard(leave, take)
    engine.speak(messages.Speak(0, asked, tokens or {}, first, is_background), sink)
    return heard


def usage(engine: Engine) -> EngineUsage:
    """Of an engine that is ready."""
    usage = engine.usage()
    assert usage is not None
    return usage


def rows_active(engine: Engine) -> int:
    return usage(engine).rows_active


async def ready(engine: Engine) -> Engine:
    """Starts the engine and waits until it is loaded, or has failed."""
    engine.start()
    while engine.state.status == "loading":  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return engine


@asynccontextmanager
async def engine_of(config: EngineConfig = CONFIG, **options: Any) -> AsyncIterator[Engine]:
    """A ready engine, in the context in which it is needed; `options` are those of tiny_engine."""
    engine = await ready(tiny_engine(config, **options))
    assert engine.state.status == "ready", engine.state.cause
    try:
        yield engine
    finally:
        engine.close()


def voice(number: int = 0, *, seconds: float = 1.0) -> Voice:
    samples = np.random.default_rng(number).normal(0, 0.1, int(16000 * seconds)).astype(np.float32)
    digest = hashlib.sha256(samples.tobytes()).hexdigest()
    return Voice(Recording(samples, 16000), transcript=f"voice {number}", digest=digest)


def asked(text: str, **options: Any) -> SpeechRequest:
    """`options` are fields of SpeechRequest or of SamplingOptions."""
    sampling = {
        name: options.pop(name) for name in ("method", "top_k", "beam_size", "seed") if name in options
    }
    spoken_by = options.pop("voice", None) or voice()
    return SpeechRequest("test", text, spoken_by, SamplingOptions(**sampling), **options)


def request(
    asked: SpeechRequest, segments: list[list[int]], prompt: Any, sink: Any, chunks: tuple[int, ...] = ()
) -> EngineRequest:
    return EngineRequest(
        messages.Speak(0, asked), [Segment(ids, prompt) for ids in segments], sink, chunks=chunks
    )


def whole_span(request: EngineRequest, tokens: list[int], segment: int = 0) -> Span:
    """A segment's tokens, to be rendered at once."""
    return Span(request, segment, tokens, Window(0, 0, len(tokens), len(tokens), True))


PROMPT = VoicePrompt([97], list(range(10)), torch.linspace(-1, 1, 192), torch.zeros(20, 80))


def span(n_tokens: int = 12, *, seed: int = 0, sample_rate: int = 24000) -> Span:
    """The whole segment of a request of its own, in the voice PROMPT."""
    owner = asked("a", seed=seed, sample_rate=sample_rate)
    tokens = [token % N_SPEECH_TOKENS for token in range(n_tokens)]
    return whole_span(request(owner, [[97]], PROMPT, EventSink()), tokens)


def rendered(stage: Token2Wav, spans: Sequence[Span]) -> list[Span]:
    """Renders the spans in turns. Returns them in the order in which they end."""
    for span in spans:
        stage.queue.add(span)
    ended = list[Span]()
    with torch.inference_mode():
        while (now := stage.step()) is not None:
            ended += now
    return ended


async def pcm(stream: Heard) -> Float32:
    """All of the stream's audio."""
    async with stream:
        return np.concatenate([chunk.pcm async for chunk in stream])


async def outcomes(engine: Engine, texts: Sequence[str], **options: Any) -> list[Any]:
    """For each text its audio or the error, all at once. An engine that is not lost holds nothing of them
    afterwards."""
    streams = [speak(engine, asked(text, **options)) for text in texts]
    results = await asyncio.gather(*map(pcm, streams), return_exceptions=True)
    if engine.state.status == "ready":
        async with asyncio.timeout(30):
            await asyncio.gather(*(stream.is_freed.wait() for stream in streams))
    return results
