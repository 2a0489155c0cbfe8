"""Simulates an engine on a machine whose speed is exactly known, and players that listen to its streams. The
requests, the order of renders and the plan of a stream's start are the project's own; a number stands for the
work of a step, and a variable for the clock."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import torch

from glm_tts_api.contracts import AudioChunk, Recording, SpeechRequest, Voice
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.llm_prompt import PromptLayout, Segment
from glm_tts_api.engine.messages import Speak
from glm_tts_api.engine.render_scheduler import RenderScheduler
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.stream_pace import Pace, StreamStarts
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.engine.warm_up import measure_pace
from glm_tts_api.model.sequence import SpeechSequence
from tests.engine import tiny

CHUNKS = EngineConfig().on("cpu").stream_chunks
_LAYOUT = PromptLayout(audio_start=1000, begin_of_audio=999, slot_length=5000)
_VOICE = Voice(Recording(np.zeros(8, np.float32), 16000), "", "0")
_PROMPT = VoicePrompt([1], [1] * 125, torch.empty(0), torch.empty(0))
_TOKENS_PER_ID = 4.4  # of the bundled model
_PREFILL_STEPS = 8
_HELD_BACK = 6  # tokens whose audio the vocoder holds back


@dataclass(frozen=True)
class Speed:
    """The seconds of each step of a lone request. A render on one of two cores takes `one_core` times as
    long, unless it is a GPU's (0). `noise` is the relative deviation of each step."""

    token_s: float = 0.0034
    flow_s: float = 0.002
    flow_token_s: float = 0.00024
    vocoder_s: float = 0.01
    vocoder_token_s: float = 0.0021
    flow_steps: int = 2
    one_core: float = 1.8
    noise: float = 0.0

    def flow_step_s(self, n_tokens: int) -> float:
        return self.flow_s + self.flow_token_s * n_tokens * (1 + n_tokens / 2000)

    def vocoder_call_s(self, n_tokens: int) -> float:
        return self.vocoder_s + self.vocoder_token_s * n_tokens

    def slower(self, times: float) -> Speed:
        names = ("token_s", "flow_s", "flow_token_s", "vocoder_s", "vocoder_token_s")
        return replace(self, **{name: times * getattr(self, name) for name in names})


class Player(EventSink):
    """The event sink of a stream: holds the first audio back as the server does, then plays it."""

    def __init__(self, machine: Machine, n_tokens: int) -> None:
        self.began_at = machine.now
        self.machine, self.n_tokens = machine, n_tokens
        self.first_made_s = 0.0
        self._held_s, self._starts_at, self._dry_at = 0.0, 0.0, 0.0
        self._plays = False
        self.first_audio_s = self.gap_s = 0.0

    def chunk_ready(self, chunk: AudioChunk) -> None:
        now = self.machine.now
        if not self._plays and self._held_s and now >= self._starts_at:
            self._start(self._starts_at)
        if self._plays:
            self.gap_s += max(0.0, now - self._dry_at)
            self._dry_at = max(now, self._dry_at) + chunk.seconds
            return
        self.first_made_s = self.first_made_s or now - self.began_at
        self._held_s += chunk.seconds
        self._starts_at = now + chunk.wait_s
        if not chunk.wait_s:
            self._start(now)

    def request_ended(self, error: Exception | None) -> None:
        if not self._plays:
            self._start(min(self._starts_at, self.machine.now))

    def _start(self, at: float) -> None:
        self._plays, self.first_audio_s = True, at - self.began_at
        self._dry_at = at + self._held_s


@dataclass
class Machine:
    """An engine of two cores, or of a GPU. `now` is the time in seconds."""

    speed: Speed
    seed: int = 0
    now: float = 0.0
    requests: dict[EngineRequest, SpeechSequence] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._queue = RenderScheduler()
        self._n_renderers = 2 if self.speed.one_core else 1
        self._renders: list[tuple[Span, list[float]]] = []  # a span in work: seconds left, begun at
        self._decode_left_s = 0.0
        self._decode_began_s = 0.0
        self._n_left: dict[SpeechSequence, int] = {}
        self.starts = StreamStarts(self.requests)
        self.pace = self.measured()
        self.starts.measured(self.pace, n_renderers=self._n_renderers)

    # -- what warm-up measures

    def measured(self) -> Pace:
        decode = (_PREFILL_STEPS * self.speed.token_s, self.speed.token_s)
        asked = EngineRequest(
            Speak(0, SpeechRequest("r", "", _VOICE)), [Segment([1], _PROMPT)], Player(self, 0), chunks=CHUNKS
        )
        pace = measure_pace(cast(Any, self), asked, [], decode=decode, one_core=self.speed.one_core > 0)
        assert pace is not None
        return pace

    def flow_seconds(self, span: Span) -> float:
        return self.speed.flow_steps * self._noisy(self._flow_step_s(span))

    def vocoder_seconds(self, span: Span) -> float:
        return self._noisy(self.speed.vocoder_call_s(len(span.tokens)))

    # -- serving

    def serve(self, lengths: Sequence[int], *, at_once: int = 1) -> list[Player]:
        """Speaks answers of so many tokens, `at_once` at a time. Returns their sinks."""
        waiting, players = list(lengths), list[Player]()
        while waiting or self.requests:
            while waiting and len(self.requests) < at_once:
                players.append(self._begin(waiting.pop(0)))
            self._go_on()
        return players

    def _begin(self, n_tokens: int) -> Player:
        player = Player(self, n_tokens)
        asked = SpeechRequest("r", "text", _VOICE, streams=True)
        ids = [10] * max(2, round(n_tokens / _TOKENS_PER_ID))
        request = tiny.request(asked, [ids], _PROMPT, player, CHUNKS)
        request.starts, request.began_at = self.starts, self.now
        sequence = request.next_sequence(_LAYOUT)
        self.requests[request] = sequence
        self._n_left[sequence] = n_tokens + _PREFILL_STEPS
        return player

    def _go_on(self) -> None:
        """Lets time pass until the next step ends."""
        decodes = self._begin_decode()
        while len(self._renders) < self._n_renderers and (render := self._queue.take()):
            self._renders.append((render, [self._render_step_s(render), self.now]))
        decode_rate, render_rate = self._rates(decodes)
        passed = min(
            [left[0] / render_rate for _, left in self._renders]
            + ([self._decode_left_s / decode_rate] if decodes else [])
        )
        self.now += passed
        for _, left in self._renders:
            left[0] -= passed * render_rate
        if decodes:
            self._decode_left_s -= passed * decode_rate
            if self._decode_left_s <= 1e-9:
                self._decoded()
        for render, left in [*self._renders]:
            if left[0] <= 1e-9:
                self._renders.remove((render, left))
                self._rendered(render, self.now - left[1])

    def _begin_decode(self) -> bool:
        running = [sequence for sequence in self._n_left if self._n_left[sequence]]
        pauses = self.speed.one_core and len(self.requests) == 1 and any(r.n_spans for r in self.requests)
        if not running or pauses:
            return False
        if self._decode_left_s <= 1e-9:
            self._decode_began_s = self.now
            self._decode_left_s = self._noisy(self.speed.token_s * (1 + 0.2 * (len(running) - 1)))
        return True

    def _rates(self, decodes: bool) -> tuple[float, float]:
        """The speeds of a decode step and of each render, of that which each has alone."""
        if not self.speed.one_core or len(self._renders) < 2 - decodes:
            return 1.0, 1.0
        free = 1 if decodes else 2  # the cores that decoding leaves
        return 1.0, free / len(self._renders) / self.speed.one_core

    def _decoded(self) -> None:
        self.starts.decoded(self.now - self._decode_began_s)
        for request, sequence in [*self.requests.items()]:
            if not self._n_left.get(sequence):
                continue
            self._n_left[sequence] -= 1
            if self._n_left[sequence] < cast(Player, request.sink).n_tokens:
                sequence.tokens.append(1)
            if not self._n_left[sequence]:
                del self._n_left[sequence]
                request.take(sequence)
            self._add(request)

    def _add(self, request: EngineRequest) -> None:
        for span in request.next_spans():
            self._queue.add(span)

    def _render_step_s(self, span: Span) -> float:
        span.progress = (span.progress or 0) + 1
        if span.progress <= self.speed.flow_steps:
            return self._noisy(self._flow_step_s(span))
        window = span.window
        return self._noisy(self.speed.vocoder_call_s(window.end - window.first + (0 if window.last else 6)))

    def _rendered(self, span: Span, took_s: float) -> None:
        span.spent_s += took_s
        if span.progress <= self.speed.flow_steps:
            self._queue.give_back(span, ended=False)
            return
        self._queue.give_back(span, ended=True)
        window, request = span.window, span.request
        end = window.end - (0 if window.last else _HELD_BACK)
        span.pcm = np.zeros(960 * (end - max(0, window.first - _HELD_BACK)), np.float32)
        self.starts.rendered(span)
        request.deliver(span)
        request.n_rendering -= 1
        self._add(request)
        if not request.n_undecided and not request.n_spans:
            del self.requests[request]

    def _flow_step_s(self, span: Span) -> float:
        return self.speed.flow_step_s(len(_PROMPT.speech_tokens) + len(span.tokens))

    def _noisy(self, seconds: float) -> float:
        return seconds * max(0.5, self._random.gauss(1.0, self.speed.noise))
