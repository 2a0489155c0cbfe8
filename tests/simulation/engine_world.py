"""The engine's core with a model without weights, whose threads take turns, and the judge of what becomes of
its requests. A token is a function of all that stands in its row of the KV cache, audio one of the tokens."""

from __future__ import annotations

import logging
import random
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from glm_tts_api.contracts import NO_PROGRESS, Progress, Recording, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.engine import messages
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.core import EngineCore
from glm_tts_api.engine.event_sink import RemoteSink
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.llm_prompt import Segment, VoicedPrompt
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.model.decode_step import Drawn
from glm_tts_api.model.flow import FlowConfig
from tests.simulation import virtual
from tests.simulation.engine_turns import Turns

_PACKAGE = Path(messages.__file__).parents[1]
_LOCKING = (
    "contracts",
    *(f"engine.{name}" for name in ("core", "device_thread", "faults", "render_scheduler", "event_sink")),
)
_WATCHED = [str(_PACKAGE / f"{name.replace('.', '/')}.py") for name in (*_LOCKING[1:], "engine.request")]
_N_TOKENS = 64
_SIZES = SimpleNamespace(max_position_embeddings=4096, num_hidden_layers=1, num_key_value_heads=1, head_dim=1)
_VOICES = [
    VoicedPrompt(range(10, 10 + n), VoicePrompt([n] * n, torch.zeros(192), torch.zeros(2 * n, 1)))
    for n in (6, 9)
]
_VOICE = Voice(Recording(np.zeros(8, np.float32), 16000), "", "0")


class WrongError(Exception):
    """The history shows a fault of the engine."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise WrongError(what)


def asked(draw: random.Random, number: int) -> tuple[SpeechRequest, list[Segment]]:
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
    return SpeechRequest(
        str(number),
        "",
        _VOICE,
        sampling,
        use_cache=draw.random() < 0.6,
        streams=draw.random() < 0.5,
        is_background=draw.random() < 0.25,
        client=draw.choice(("one", "other")),
    ), segments


class World:
    """An engine and its requests. With `alone` (the same seed's World after its end) the server and chance do
    what they can; without, the requests come one after the other, and nothing happens to them."""

    def __init__(self, seed: int, alone: World | None = None) -> None:
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
        self.seed, self.alone = seed, alone
        self.waits: dict[str, float] = {}
        self.asked = [asked(draw, number) for number in range(draw.randint(1, 7))]
        often = 0.0 if alone is None else self.chance.choice((0.0, 0.02, 0.2))
        self.fault_rate = 0.0 if alone is None else self.chance.choice((0.0, 0.02))
        self.turns = self.loop = Turns(self.chance, _WATCHED, often)
        self.events, self.reached = list[str](), Counter[str]()
        self.told: dict[int, list[Any]] = defaultdict(list)
        self.sinks: dict[int, RemoteSink] = {}
        self.untaken: dict[int, list[float]] = defaultdict(list)
        self.hurt, self.left, self.lost = set[int](), set[int](), False

    def note(self, what: str, number: int = -1) -> None:
        self.reached[what] += 1
        self.events.append(f"{self.turns.n:6} {self.turns.current.name}: {what} {number}")

    # -- the model

    def work(self, what: str, owner: Any) -> None:
        """Others may run in a step of the model, and the step may fail."""
        self.turns.hand_on()
        if self.chance.random() < self.fault_rate:
            self._hurt(what, owner)
            raise self.chance.choice((torch.OutOfMemoryError("out of memory"), RuntimeError(what + " fails")))

    def _hurt(self, what: str, owner: Any) -> None:
        self.hurt.add(int(owner.asked.request_id))
        self.note(f"a fault in {what}", int(owner.asked.request_id))

    def models(self) -> Any:
        llm = SimpleNamespace(device=torch.device("cpu"), dtype=torch.float32, config=_SIZES)
        llm.sampled_ids, llm.prefill = range(_N_TOKENS + 1), self._prefill
        flow = SimpleNamespace(config=FlowConfig(), most_threads=4, pack=lambda dtype: None)
        ids = SimpleNamespace(audio_start=200, begin_of_audio=199)
        return SimpleNamespace(
            llm=llm, flow=flow, vocoders={24000: None}, text_tokenizer=ids, cpu_kernels=None, n_engines=1
        )

    def _prefill(self, ids: Sequence[int], *, cache: Any, slot: int, start: int) -> None:
        self.work("prefill", self.core.decoder._rows[slot].owner)
        cache.keys[0, slot, 0, start : start + len(ids), 0] = torch.tensor(ids, dtype=torch.float32)

    def _decode(self, cache: Any, rows: Sequence[Any]) -> list[Drawn]:
        self.work("decode", rows[-1].owner)
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

    def _render(self, span: Span) -> bool:
        """A step of a render. Each sample depends on all tokens before it."""
        self.work("render", span.request)
        span.progress = (span.progress or self.chance.randint(2, 9)) - 1
        if span.progress:
            return False
        window, carried = span.window, span.request.carried
        said = span.tokens[window.first - window.start : window.end - window.start]
        sums = np.cumsum([carried.pop(span.segment, span.request.asked.sampling.seed % 97), *said]) % 1021
        if not window.last:
            carried[span.segment] = sums[-1]
        span.pcm = sums[1:].astype(np.float32)
        return True

    # -- what the engine tells

    def faulted(self, error: BaseException) -> None:
        require(isinstance(error, EngineLost), f"a fault of no request: {error!r}")
        self.lost = True
        self.note("lost")

    def send(self, number: int, message: Any) -> None:
        require(not any(isinstance(each, messages.Released) for each in self.told[number]), "told too late")
        self.told[number].append(message)
        if isinstance(message, messages.Chunk):
            self.untaken[number].append(message.audio.seconds)
        self.note(type(message).__name__, number)

    # -- what the server does

    def submit(self, number: int) -> None:
        self.note("submit", number)
        buffer_s = self.chance.choice((1e9, 0.01, 0.0005)) if self.alone else 1e9
        sink = RemoteSink(number, partial(self.send, number), buffer_s, self.sinks.pop)
        self.sinks[number], (asked, segments) = sink, self.asked[number]
        progress, chunks = NO_PROGRESS, self.config.stream_chunks
        if self.alone and self.chance.random() < 0.3:  # from another engine
            tokens = [*self.alone.tokens(number).items()][: self.chance.randint(0, len(segments))]
            heard = next(n for n in range(len(segments) + 1) if n not in dict(tokens))
            first = self.chance.randint(0, min(heard, len(segments) - 1))
            progress = Progress(dict(tokens), first)
            self.note("resumed", number)
        self.core.submit(EngineRequest(asked, segments, sink, pause_s=0.01, chunks=chunks, progress=progress))
        self.begun[number] = progress.first

    def leave(self, number: int) -> None:
        self.note("leave", number)
        del self.leaves[number]
        self.left.add(number)
        self.sinks[number].closed = True
        self.core.wake()

    def take(self, number: int) -> None:
        if self.sinks[number].took(self.untaken[number].pop(0)):
            self.note("take", number)
            self.core.wake()

    def run(self) -> World:
        """Speaks all requests to their end, and judges what is left. Returns itself."""
        self.begun = dict[int, int]()
        moments = [
            (kind, n) for kind in ("Segments", "StageChanged", "Decoded", "Chunk") for n in range(1, 5)
        ]
        self.leaves = {
            n: self.chance.choice(moments) for n in range(len(self.asked)) if self.chance.random() < 0.4
        }
        coming, loaded = [*range(len(self.asked))], list[object]()
        with self._in_turns():
            self.core = EngineCore(self.config, on_fault=self.faulted)
            self.core.start(self.models, on_loaded=loaded.append, on_failed=loaded.append)
            self.turns.hand_on(lambda: bool(loaded))
            require(not isinstance(loaded[0], BaseException), f"not loaded: {loaded[0]!r}")
            closes = self.alone is not None and self.chance.random() < 0.05
            while (coming or self.sinks) and not self.lost:
                if closes and self.chance.random() < 0.1:
                    break
                n_events, able = len(self.events), self._able(coming)
                if able:
                    self.chance.choice(able)()
                self.turns.hand_on(partial(self._has_news, -1 if able else n_events))
            else:
                self.turns.hand_on(self.turns.others_wait)
                if not self.lost:
                    self._judge()
            self.core.close()
            require(len(self.turns.threads) == 1, "a thread outlives the engine")
        return self

    def _able(self, coming: list[int]) -> list[Callable[[], object]]:
        """Returns the acts of the server that are possible now."""
        able: list[Callable[[], object]] = [
            partial(self.take, number) for number in self.sinks if self.untaken[number]
        ]
        if coming and len(self.sinks) < (self.config.n_rows if self.alone else 1):
            able.append(lambda: self.submit(coming.pop(0)))
        if self.alone:
            able += [partial(self.leave, number) for number in self.sinks if self._is_left(number)]
            if self.chance.random() < 0.02:
                able.append(lambda: self.core.release_memory().result())
        return able

    def _is_left(self, number: int) -> bool:
        kind, n = self.leaves.get(number, ("", 1))
        return sum(type(message).__name__ == kind for message in self.told[number]) >= n

    def _has_news(self, n_events: int) -> bool:
        return self.lost or len(self.events) > n_events

    @contextmanager
    def _in_turns(self) -> Iterator[None]:
        turns = self.turns

        def step(llm: object, cache: Any, **_: object) -> Any:
            step = partial(self._decode, cache)
            step.kernels = "plain"  # type: ignore[attr-defined]
            return step

        replaced: dict[str, Any] = {
            **{f"{one}.threading": SimpleNamespace(Thread=turns.thread, Lock=turns.lock) for one in _LOCKING},
            "engine.device_thread.queue": SimpleNamespace(SimpleQueue=turns.queue),
            "engine.device_thread.Future": turns.future,
            "engine.device_thread.end_helpers": lambda: None,
            "engine.device_thread.limit_threads": lambda n: None,
            "engine.cores.limit_threads": lambda n: None,
            "engine.core._RENDER_NICENESS": 0,
            "engine.decode_batcher.CpuDecodeStep": step,
            "engine.token2wav.Token2Wav._advance": lambda _, span: self._render(span),
            "engine.token2wav.must_be_fixed": lambda *_: False,
        }
        with ExitStack() as stack:
            for name, fake in replaced.items():
                stack.enter_context(patch(f"glm_tts_api.{name}", fake))
            stack.callback(virtual.follow, None)
            stack.callback(sys.settrace, None)
            virtual.follow(turns)
            sys.settrace(turns.trace)
            yield

    # -- the judge

    def tokens(self, number: int) -> dict[int, list[int]]:
        return {each.segment: each.tokens for each in self.told[number] if isinstance(each, messages.Decoded)}

    def audio(self, number: int, first: int = 0) -> bytes:
        """From the segment number `first` on."""
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
            require(bool(ended) or number in self.left, f"request {number} has no end")
            require(not any(ended) or number in self.hurt, f"request {number} failed: {ended}")
            if self.alone is None:
                continue
            first, is_whole = self.begun[number], ended == [None]
            heard, wanted = self.audio(number), self.alone.audio(number, first)
            require(
                wanted.startswith(heard) and (heard == wanted or not is_whole), f"other audio of {number}"
            )
            said, of_alone = self.tokens(number), self.alone.tokens(number)
            require(said.items() <= of_alone.items(), f"other tokens of {number}")


def simulated(seed: int, _: object) -> tuple[World, BaseException | None]:
    """Runs one seed. Returns its world, and the fault that was found."""
    logging.disable()
    world = World(seed)
    try:
        world = World(seed, world.run())
        world.run()
    except (Exception, virtual.StuckError) as error:
        return world, error
    return world, None
