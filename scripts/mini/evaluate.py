"""Measures a checkpoint through the server's own engine, on texts that were never trained on.

    python -m scripts.mini.evaluate --model glm_tts_api/assets/mini            every figure
    python -m scripts.mini.evaluate --model glm_tts_api/assets/mini --quick    10 + 10 sentences, 2 paragraphs

English is judged by the word error rate of Whisper tiny.en. Chinese is judged by the phone error rate of our
own recogniser, without tones (train it first: python -m scripts.mini.recogniser). The audio of espeak-ng for
the same text is judged too, for comparison. OUT receives figures.json, every verdict, a spectrogram and some
of the speech.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

from scripts.mini import heldout
from scripts.mini.figures import HEADER, Row, bars, error_rate, line, summary
from scripts.mini.judging import Judge, Verdict
from scripts.mini.measures import Wave, median_f0
from scripts.mini.speaking import Said, Server, prompt_wave

VOICES = ("exampleA", "exampleB")
FIRST_SEED = 1000


@dataclass(frozen=True)
class Condition:
    name: str
    language: str
    texts: tuple[str, ...]
    voices: tuple[str, ...]
    use_cache: bool = True
    use_phoneme: bool = False


def conditions(voices: tuple[str, ...], *, quick: bool) -> list[Condition]:
    """Returns the test conditions: which texts are spoken in which voices, and how.

    `quick` takes fewer texts, and speaks paragraphs and phonemes only in the first voice.
    """
    n_sentences, n_paragraphs = (10, 1) if quick else (50, 5)
    some = voices[:1] if quick else voices
    english, chinese = heldout.ENGLISH[:n_sentences], heldout.CHINESE[:n_sentences]
    english_long = heldout.ENGLISH_PARAGRAPHS[:n_paragraphs]
    chinese_long = heldout.CHINESE_PARAGRAPHS[:n_paragraphs]
    return [
        Condition("en sentences", "en", english, voices),
        Condition("zh sentences", "zh", chinese, voices),
        Condition("zh sentences, phoneme", "zh", chinese, some, use_phoneme=True),
        Condition("en paragraphs", "en", english_long, some),
        Condition("en paragraphs, no cache", "en", english_long, some, use_cache=False),
        Condition("zh paragraphs", "zh", chinese_long, some),
        Condition("zh paragraphs, no cache", "zh", chinese_long, some, use_cache=False),
    ]


class Evaluation:
    """Speaks the texts of test conditions, judges the speech, and keeps the verdicts and some samples."""

    def __init__(self, server: Server, judge: Judge, out: Path) -> None:
        self._server, self._judge, self._out = server, judge, out
        self.verdicts: dict[str, list[Verdict]] = {}
        self.samples: dict[tuple[str, str], Wave] = {}  # the first text's wave, by condition and voice

    async def run(self, condition: Condition, voice_name: str, other_name: str) -> Row:
        """Speaks and judges one condition in one voice.

        `other_name` is another voice. The speech should resemble `voice_name` more than this voice.
        """
        voice = self._server.voice(voice_name)
        prompt, other = prompt_wave(voice), prompt_wave(self._server.voice(other_name))
        verdicts: list[Verdict] = []
        spoken: list[Said] = []
        for i, text in enumerate(condition.texts):
            said = await self._server.say(
                text,
                voice,
                seed=FIRST_SEED + i,
                use_cache=condition.use_cache,
                use_phoneme=condition.use_phoneme,
            )
            spoken.append(said)
            for segment, wave in zip(self._server.frontend.prepare(text), said.segments, strict=True):
                verdicts.append(
                    self._judge.judge(wave, segment, condition.language, prompt=prompt, other=other)
                )
            if i == 0:
                sample = np.concatenate(said.segments)
                self.samples[condition.name, voice_name] = sample
                name = f"{condition.name} {voice_name}".replace(",", "").replace(" ", "_")
                soundfile.write(self._out / f"{name}.wav", sample, 24000)
            print(
                f"{condition.name}, {voice_name}: {i + 1}/{len(condition.texts)}, "
                f"errors {error_rate(verdicts):.3f}",
                file=sys.stderr,
                flush=True,
            )
        self.verdicts.setdefault(condition.name, []).extend(verdicts)
        prompt_f0 = median_f0(self._judge.meter.mel_and_pitch(prompt))
        return summary(condition.name, voice_name, verdicts=verdicts, spoken=spoken, prompt_f0=prompt_f0)


def draw(path: Path, judge: Judge, wave: Wave, text: str) -> None:
    """Draws the mel of `wave` above the mel of espeak-ng's speech of the same text, and saves it."""
    from matplotlib import pyplot

    reference, _ = judge.reference.say(text, "en")
    figure, axes = pyplot.subplots(2, 1, figsize=(12, 6), layout="constrained")
    for axis, title, shown in zip(axes, (f"model: {text}", "espeak-ng"), (wave, reference), strict=True):
        mel = judge.meter.mel_and_pitch(shown)[:, :-1]
        axis.imshow(mel.T, origin="lower", aspect="auto", vmin=-9, vmax=1, extent=(0, len(mel) / 50, 0, 80))
        axis.set(title=title, xlabel="seconds", ylabel="mel bin")
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


async def speak_and_judge(
    server: Server, evaluation: Evaluation, plan: list[tuple[Condition, str, str]]
) -> list[Row]:
    """Runs (condition, voice, other voice) of `plan`, and prints each row at once: a run may take an hour."""
    rows = []
    async with server.running():
        for condition, voice, other in plan:
            rows.append(await evaluation.run(condition, voice, other))
            print(HEADER, line(rows[-1]), sep="\n", file=sys.stderr, flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=Path("glm_tts_api/assets/mini"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--voices", nargs=2, default=VOICES, metavar="VOICE")
    parser.add_argument("--flow-steps", type=int, default=10)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument("--folder", type=Path, default=Path(".mini"), help="what training has left")
    parser.add_argument("--out", type=Path, default=Path(".mini/evaluation"))
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of a table")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    out: Path = arguments.out
    model: Path = arguments.model
    out.mkdir(parents=True, exist_ok=True)
    judge = Judge(arguments.folder, model / "frontend" / "campplus.onnx")
    server = Server(model, arguments.configs, arguments.folder, flow_steps=arguments.flow_steps)
    evaluation = Evaluation(server, judge, out)
    first, second = arguments.voices
    plan = [
        (condition, voice, second if voice == first else first)
        for condition in conditions((first, second), quick=arguments.quick)
        for voice in condition.voices
    ]
    rows = asyncio.run(speak_and_judge(server, evaluation, plan))
    size_mb = sum(file.stat().st_size for file in model.rglob("*") if file.is_file()) / 1e6
    limits = bars(evaluation.verdicts, rows, size_mb=size_mb)
    figures = {"rows": [asdict(row) for row in rows], "bars": [asdict(bar) for bar in limits]}
    verdicts = {name: [asdict(verdict) for verdict in found] for name, found in evaluation.verdicts.items()}
    (out / "figures.json").write_text(
        json.dumps(figures | {"verdicts": verdicts}, ensure_ascii=False, indent=1)
    )
    draw(out / "spectrogram.png", judge, evaluation.samples["en sentences", first], heldout.ENGLISH[0])
    if arguments.json:
        print(json.dumps(figures, indent=1))
    else:
        print(HEADER, *map(line, rows), *limits, sep="\n")


if __name__ == "__main__":
    main()
