"""Counts the faulty segments of the bundled model, without and with the guard that decodes them again.

    python -m bench.guard [--sentences 400] [--seed 7] [--texts TEXTS] [--streams] [--json FILE]

The guard (glm_tts_api/engine/guard.py) finds segments whose speech tokens cannot be right. The program
decodes the lines of TEXTS or sentences of tests/speech_text/readings, half of them Chinese, in both voices.
Prints the range of lengths, the faults, and the tokens that the guard costs. guard_heard.py reads FILE.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from bench.arguments import Arguments
from glm_tts_api.contracts import SamplingOptions, SegmentFault, SpeechRequest, Voice
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.guard import faults_in
from glm_tts_api.engine.input_processor import InputProcessor
from glm_tts_api.engine.messages import Speak
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.model.sequence import SpeechSequence
from glm_tts_api.settings import BUNDLED_MODEL
from mini.speaking import WaveSink, shipped_voices
from speech_text import TextFrontend
from tests.speech_text.readings.accepted import sentences

VOICES = ("exampleA", "exampleB")
ROWS = 16


@dataclass
class Outcome:
    """The result of one sentence: `voice` speaks `text` with `seed`. `first` is the fault of the first try,
    and `last` the fault that remains after the guard. `n_drawn` counts the sampled tokens of all tries,
    `n_spoken` those that are spoken. `ratio` is the first try's tokens over the likely number."""

    text: str
    voice: str
    seed: int
    first: SegmentFault | None
    last: SegmentFault | None
    n_drawn: int
    n_spoken: int
    ratio: float


@dataclass
class Run:
    """One sentence while it is decoded. `takes` are its tries."""

    request: EngineRequest
    sink: WaveSink
    takes: list[SpeechSequence] = field(default_factory=list)

    def outcome(self) -> Outcome:
        (said,) = self.request.segments
        spoken = next(take for take in self.takes if take.tokens == self.sink.tokens)
        assert said.likely is not None
        asked = self.request.speech
        return Outcome(
            asked.text,
            asked.request_id,
            asked.sampling.seed,
            first=next(iter(faults_in(self.takes[0], said)), None),
            last=next(iter(faults_in(spoken, said)), None),
            n_drawn=sum(len(take.tokens) - len(take.kept.path if take.kept else ()) for take in self.takes),
            n_spoken=len(spoken.tokens),
            ratio=len(self.takes[0].tokens) / said.likely,
        )


def chosen(n: int, seed: int) -> Iterator[str]:
    """Yields `n` random sentences of tests/speech_text/readings: n/2 Chinese ones, then n/2 English ones."""
    for language in ("zh", "en"):
        texts = sorted({one.text for one in sentences() if one.language == language and "\n" not in one.text})
        yield from random.Random(seed).sample(texts, n // 2)


def runs(
    texts: Iterable[str], processor: InputProcessor, voices: Mapping[str, Voice], seed: int, *, streams: bool
) -> Iterator[Run]:
    for number, text in enumerate(texts):
        for name, voice in voices.items():
            asked = SpeechRequest(name, text, voice, SamplingOptions(seed=seed + number), streams=streams)
            request = processor.request(Speak(0, asked), sink := WaveSink())
            if len(request.segments) == 1:
                yield Run(request, sink)


def decode(waiting: Iterator[Run], decoder: DecodeBatcher) -> Iterator[Outcome]:
    free, running = [*range(ROWS)], dict[EngineRequest, Run]()
    while True:
        while free and (run := next(waiting, None)) is not None:
            running[run.request] = run
            decoder.join(free.pop(), run.request.next_sequence(decoder.layout))
        if not decoder.awake:
            return
        for sequence in decoder.step():
            run = running[sequence.owner]
            run.takes.append(sequence)
            run.request.take(sequence)
            if not run.request.n_undecided:
                free.append(sequence.slot)
                yield running.pop(sequence.owner).outcome()
            else:
                decoder.join(sequence.slot, run.request.next_sequence(decoder.layout))
        for request in running:
            list(request.next_spans())  # cuts the spans of a stream


def main() -> None:
    parser = Arguments(__doc__)
    parser.add_argument("--sentences", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--texts", type=lambda file: Path(file).read_text().splitlines())
    parser.add_argument("--streams", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    models = load_checkpoint(BUNDLED_MODEL, device="cpu")
    with tempfile.TemporaryDirectory() as scratch:
        frontend = TextFrontend(cache_dir=Path(scratch))
        store = shipped_voices(Path(scratch))
        config = EngineConfig(n_rows=ROWS).on("cpu")
        features = VoiceFeatures(models, len(VOICES))
        processor = InputProcessor(models, frontend, features, config.stream_chunks, guard=True)
        texts = arguments.texts or chosen(arguments.sentences, arguments.seed)
        voices = {name: store.get(name) for name in VOICES}
        waiting = runs(texts, processor, voices, arguments.seed, streams=arguments.streams)
        outcomes = [*decode(waiting, DecodeBatcher(models, config))]
    show(outcomes)
    if arguments.json is not None:
        lines = (json.dumps(asdict(one), ensure_ascii=False) for one in outcomes)
        arguments.json.write_text("\n".join(lines))


def show(outcomes: list[Outcome]) -> None:
    ratios = np.quantile([one.ratio for one in outcomes], (0, 0.005, 0.5, 0.995, 1)).round(2)
    print(f"{len(outcomes)} segments; tokens over the likely number, at 0, 0.5, 50, 99.5 and 100 %:")
    print(f"  {ratios.tolist()}")
    print(f"faults without the guard: {dict(Counter(one.first for one in outcomes if one.first))}")
    print(f"faults with the guard:    {dict(Counter(one.last for one in outcomes if one.last))}")
    drawn, first = sum(one.n_drawn for one in outcomes), sum(one.n_spoken for one in outcomes)
    print(f"tokens drawn over tokens spoken: {drawn / first:.4f}")
    for one in outcomes:
        if one.first:
            print(f"  {one.first} x{one.ratio:.1f}, then {one.last or 'good'}: {one.text}")


if __name__ == "__main__":
    main()
