"""The engine's core with a model without weights, whose threads take turns, and the judge of what becomes of
its requests. A token is a function of all that stands in its row of the KV cache, audio one of the tokens."""

from __future__ import annotations

import logging
import random
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from glm_tts_api.contracts import Float32, Recording, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.engine import messages
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.event_sink import RemoteSink
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.model.decode_step import Drawn
from glm_tts_api.model.flow import FlowConfig
from tests.simulation import turns, virtual
from tests.simulation.virtual import require

_PACKAGE = Path(messages.__file__).parents[1]
_LOCKING = ("core", "device_thread", "faults", "render_scheduler", "event_sink")
_WATCHED = [str(_PACKAGE / f"engine/{name}.py") for name in (*_LOCKING, "request")]
_N_TOKENS = 64
_SIZES = SimpleNamespace(max_position_embeddings=4096, num_hidden_layers=1, num_key_value_heads=1, head_dim=1)
_VOICES = [VoicePrompt(range(10, 10 + n), [n] * n, torch.zeros(192), torch.zeros(2 * n, 1)) for n in (6, 9)]
_VOICE = Voice(Recording(np.zeros(8, np.float32), 16000), "", "0")


def _asked(draw: random.Random, number: int) -> tuple[messages.Speak, list[Segment]]:
    segments = [
        Segment(
            [draw.randint(0, 150) for _ in range(draw.randint(1, 4))],
            draw.choice(_VOICES),
            pause_s=draw.choice((0.0, 0.0, 0.01)),
            likely=draw.choice((None, None, 15.0, 40.0)),
        )
        for _ in range(draw.randint(1, 4))
    ]
    sampling = SamplingOptions(seed=draw.randrange(2**31), beam_size=draw.choice((1, 1, 1, 2)))
    asked = SpeechRequest(str(number), "", _VOICE, sampling, client=draw.choice(("one", "other")))
    cached, streams, is_last = (draw.random() < often for often in (0.6, 0.5, 0.25))
    return messages.Speak(number, replace(asked, use_cache=cached, streams=streams), {}, 0, is_last), segments


class World(virtual.Record):
    """An engine and its requests. The server and chance do what they can. `alone` is the same seed, but its
    requests come one after the other, and nothing happens to them."""

    alone: World | None = None

    def __init__(self, seed: int, root: Path | None = None) -> None:
        """Without a `root`, as `alone`."""
        draw, self.chance = random.Random(seed), random.Random(seed + 1)
        self.config = EngineConfig(
            n_rows=draw.randint(2, 6),
            prefill_chunk=draw.choice((3, 8)),
            max_segment_ids=8,
            max_prompt_seconds=1,
            stream_chunks=(2, 4, 8),
            gapless_start=False,
            threads=draw.choice((1, 2, 4)),
            cached_voices=draw.choice((1, 2)),
        )
        self.asked = [_asked(draw, number) for number in range(draw.randint(1, 7))]
        often = self.fault_rate = 0.0
        self.leaves: dict[int, int] = {}  # by request: after how many messages its client leaves
        if root is not None:
            self.alone = World(seed)
            often, self.fault_rate = self.chance.choice((0.0, 0.02, 0.2)), self.chance.choice((0.0, 0.02))
            leaving = (n for n in range(len(self.asked)) if self.chance.random() < 0.4)
            self.leaves = {number: self.chance.randint(1, 12) for number in leaving}
        self.turns = turns.Turns(self.chance, _WATCHED, often)
        super().__init__(seed, self.turns)
        self.told: dict[int, list[Any]] = defaultdict(list)
        self.sinks: dict[int, RemoteSink] = {}
        self.untaken: dict[int, list[float]] = defaultdict(list)
        self.begun: dict[int, int] = {}  # by request: its first segment
        self.hurt, self.left, self.lost = set[int](), set[int](), False

    def tell(self, what: str, number: int = -1) -> None:
        self.note(f"{self.turns.n:6} {self.turns.current.name}: {what} {number}", reaches=what)

    # -- the model

    def _work(self, what: str, owner: Any) -> None:
        """Others may run in a step of the model, and the step may fail."""
        self.turns.hand_on()
        if self.chance.random() < self.fault_rate:
            self._hurt(what, owner)
            raise self.chance.choice((torch.OutOfMemoryError("out of memory"), RuntimeError(what + " fails")))

    def _hurt(self, what: str, owner: Any) -> None:
        self.hurt.add(int(owner.speech.request_id))
        self.tell(f"a fault in {what}", int(owner.speech.request_id))

    def _models(self) -> Any:
        llm = SimpleNamespace(device=torch.device("cpu"), dtype=torch.float32, config=_SIZES)
        llm.sampled_ids = range(_N_TOKENS + 1)
        flow = SimpleNamespace(config=FlowConfig(), most_threads=4, pack=lambda dtype: None)
        ids = SimpleNamespace(audio_start=200, begin_of_audio=199)
        cpu = {"cpu_kernels": None, "n_engines": 1, "followed": None}
        return SimpleNamespace(llm=llm, flow=flow, vocoders={24000: None}, text_tokenizer=ids, **cpu)

    def _prefill(self, ids: Sequence[int], *, cache: Any, slot: int, start: int) -> None:
        self._work("prefill", self.core.decoder._rows[slot].owner)
        cache.keys[0, slot, 0, start : start + len(ids), 0] = torch.tensor(ids, dtype=torch.float32)

    def _decode_step(self, llm: object, cache: Any, **_: object) -> Any:
        step: Any = partial(self._decode, cache)
        step.kernels, step.prefill = "plain", partial(self._prefill, cache=cache)
        return step

    def _decode(self, cache: Any, rows: Sequence[Any]) -> list[Drawn]:
        self._work("decode", rows[-1].owner)
        draws = []
        for row in rows:
            keys = cache.keys[0, row.slot, 0, :, 0]
            keys[row.n_read] = row.next_id
            drawn = zlib.crc32(keys[: row.n_read + 1].numpy().tobytes(), row.sampling.seed % 2**32)
            column = _N_TOKENS if row.may_end and drawn % 8 == 0 else drawn // 8 % _N_TOKENS
            draws.append(Drawn(column, -(drawn % 1000) / 1000))
        if self.chance.random() < self.fault_rate:
            self._hurt("logits", rows[0].owner)
            draws[0] = Drawn(0, float("nan"))
        return draws

    def _sampler(self, span: Span, *, steps: int) -> Any:
        return SimpleNamespace(step=partial(self._flow_step, span), mel=lambda: torch.zeros(0))

    def _flow_step(self, span: Span) -> bool:
        self._work("render", span.request)
        return self.chance.random() < 0.25

    def _vocoder_step(self, span: Span, _mel: object) -> Float32:
        self._work("render", span.request)
        window, carried = span.window, span.request.carried
        said = span.tokens[window.first - window.start : window.end - window.start]
        sums = np.cumsum([carried.pop(span.segment, span.request.speech.sampling.seed % 97), *said]) % 1021
        if not window.last:
            carried[span.segment] = sums[-1]
        return sums[1:].astype(np.float32)

    # -- what the engine tells

    def _faulted(self, error: BaseException) -> None:
        require(isinstance(error, EngineLost), f"a fault of no request: {error!r}")
        self.lost = True
        self.tell("lost")

    def _send(self, number: int, message: Any) -> None:
        require(not any(isinstance(each, messages.Released) for each in self.told[number]), "told too late")
        self.told[number].append(message)
        if isinstance(message, messages.Chunk):
            self.untaken[number].append(message.audio.seconds)
        self.tell(type(message).__name__, number)

    # -- what the server does

    def _submit(self, number: int) -> None:
        self.tell("submit", number)
        buffer_s, (speak, segments) = 1e9, self.asked[number]
        if self.alone:
            buffer_s = self.chance.choice((1e9, 0.01, 0.0005))
            if self.chance.random() < 0.3:  # from another engine
                tokens = dict([*self.alone.tokens(number).items()][: self.chance.randint(0, len(segments))])
                heard = next(n for n in range(len(segments) + 1) if n not in tokens)
                first = self.chance.randint(0, min(heard, len(segments) - 1))
                speak = messages.Speak(number, speak.request, tokens, first, speak.is_background)
                self.tell("resumed", number)
        sink = RemoteSink(number, partial(self._send, number), buffer_s, self.sinks.pop)
        self.sinks[number], self.begun[number] = sink, speak.first
        chunks = self.config.stream_chunks
        self.core.submit(EngineRequest(speak, segments, sink, pause_s=0.01, chunks=chunks))

    def _leave(self, number: int) -> None:
        self.tell("leave", number)
        del self.leaves[number]
        self.left.add(number)
        self.sinks[number].closed = True
        self.core.wake()

    def _take(self, number: int) -> None:
        if self.sinks[number].took(self.untaken[number].pop(0)):
            self.tell("take", number)
            self.core.wake()

    def run(self) -> None:
        """Speaks all requests to their end, and judges what is left."""
        logging.disable()
        if self.alone:
            self.alone.run()
        replaced: dict[str, Any] = {
            "engine.device_thread.queue": SimpleNamespace(SimpleQueue=partial(turns.Queue, self.turns)),
            "engine.device_thread.Future": partial(turns.Answer, self.turns),
            "engine.device_thread.end_helpers": lambda: None,
            "engine.device_thread.limit_threads": lambda n: None,
            "engine.cores.limit_threads": lambda n: None,
            "engine.core._RENDER_NICENESS": 0,
            "engine.decode_batcher.CpuDecodeStep": self._decode_step,
            "engine.token2wav.Token2Wav._sampler": self._sampler,
            "engine.token2wav.Token2Wav._speak": self._vocoder_step,
            "engine.token2wav.must_be_fixed": lambda *_: False,
        }
        own = SimpleNamespace(Thread=partial(turns.Thread, self.turns), Lock=partial(turns.Lock, self.turns))
        replaced |= {f"engine.{name}.threading": own for name in _LOCKING}
        with pytest.MonkeyPatch.context() as patch:
            for name, fake in replaced.items():
                patch.setattr(f"glm_tts_api.{name}", fake)
            patch.setattr(virtual, "clock", self.turns)
            sys.settrace(self.turns.trace)
            try:
                self._speak_all()
            finally:
                sys.settrace(None)

    def _speak_all(self) -> None:
        coming, loaded = [*range(len(self.asked))], list[object]()
        self.core = EngineCore(self.config, on_fault=self._faulted)
        self.core.start(self._models, on_loaded=loaded.append, on_failed=loaded.append)
        self.turns.hand_on(lambda: loaded)
        require(not isinstance(loaded[0], BaseException), f"not loaded: {loaded[0]!r}")
        closes = self.alone is not None and self.chance.random() < 0.05
        while (coming or self.sinks) and not self.lost:
            if closes and self.chance.random() < 0.1:
                break
            able = self._able(coming)
            self.n_seen = -1 if able else len(self.events)
            if able:
                self.chance.choice(able)()
            self.turns.hand_on(lambda: self.lost or len(self.events) > self.n_seen)
        else:
            self.turns.hand_on(self.turns.others_wait)
            if not self.lost:
                self._judge()
        self.core.close()
        require(len(self.turns.threads) == 1, "a thread outlives the engine")

    def _able(self, coming: list[int]) -> list[Callable[[], object]]:
        """Returns the acts of the server that are possible now."""
        able: list[Callable[[], object]] = [partial(self._take, n) for n in self.sinks if self.untaken[n]]
        if coming and len(self.sinks) < (self.config.n_rows if self.alone else 1):
            able.append(lambda: self._submit(coming.pop(0)))
        leaving = [n for n in self.sinks if n in self.leaves and len(self.told[n]) >= self.leaves[n]]
        able += [partial(self._leave, number) for number in leaving]
        if self.alone and self.chance.random() < 0.02:
            able.append(lambda: self.core.release_memory().result())
        return able

    # -- the judge

    def tokens(self, number: int) -> dict[int, list[int]]:
        return {each.segment: each.tokens for each in self.told[number] if isinstance(each, messages.Decoded)}

    def audio(self, number: int, first: int = 0) -> bytes:
        chunks = [each.audio for each in self.told[number] if isinstance(each, messages.Chunk)]
        return b"".join(chunk.pcm.tobytes() for chunk in chunks if chunk.segment >= first)

    def _judge(self) -> None:
        """Once all requests have ended and no thread has work."""
        decoder, queue, plan = self.core.decoder, self.core.token2wav.queue, self.core._scheduler
        held = (plan.n_busy, plan._held, decoder._rows, decoder._reading, self.core._requests, queue._spans)
        require(not any(held), f"held at rest: {held}")
        for number in range(len(self.asked)):
            told = Counter(type(each).__name__ for each in self.told[number])
            ended = [each.fault for each in self.told[number] if isinstance(each, messages.Ended)]
            require(told["Released"] == 1 and len(ended) <= 1, f"request {number} ended as {told}")
            require(ended or number in self.left, f"request {number} has no end")
            require(not any(ended) or number in self.hurt, f"request {number} failed: {ended}")
            if self.alone:
                heard, wanted = self.audio(number), self.alone.audio(number, self.begun[number])
                is_same = heard == wanted or (ended != [None] and wanted.startswith(heard))
                require(is_same, f"other audio of {number}")
                said, of_alone = self.tokens(number), self.alone.tokens(number)
                require(said.items() <= of_alone.items(), f"other tokens of {number}")
