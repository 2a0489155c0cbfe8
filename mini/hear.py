"""Measures a checkpoint through the server's own engine, with Kokoro's voices as prompts.

Speaks held-out sentences in voices that were trained on, in voices that were not, and in the latter as a
phone records them. Whisper base counts the wrong English words or Mandarin syllables, and tiny.en the English
words as well; Kokoro's speech of the same sentences is the reference. F0 is a share of the prompt's.

    python -m mini.hear --sentences 20
    python -m mini.hear --prompt en me.wav "the words of the recording"
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

import numpy as np
import soundfile
import torch
from torch import Tensor

from glm_tts_api.contracts import Recording, Voice
from mini.features import mel_and_pitch
from mini.kokoro_data import Speaker
from mini.measures import (
    Ear,
    Wave,
    median_f0,
    n_errors,
    speech_seconds,
    syllables,
    tiny_english_ear,
    units,
    words,
)
from mini.outside_ears import OpinionScore, VoiceLikeness
from mini.program import Program
from mini.proof import SENTENCES, TRAINED, UNSEEN, spoken
from mini.recording import as_recorded
from mini.speaking import Server

LONG, SHORT = 1.5, 0.67  # times the reference's length: the speech runs on, or stops early


@dataclass(frozen=True)
class Prompt:
    """A voice prompt. `model` is the base voice of Kokoro that speaks the reference."""

    name: str
    language: str
    wave: Tensor  # 24 kHz
    text: str
    model: str


@dataclass
class Row:
    """The figures of one prompt, one entry for each sentence but for the counts."""

    language: str
    errors: int = 0
    tone_errors: int = 0
    errors_of_tiny: int = 0
    total: int = 0
    lengths: list[float] = field(default_factory=list)
    f0: list[float] = field(default_factory=list)
    f0_of_reference: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    reference: list[float] = field(default_factory=list)
    opinion: list[float] = field(default_factory=list)
    opinion_of_reference: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    audio_s: float = 0.0

    def __str__(self) -> str:
        off = sum(not SHORT <= length <= LONG for length in self.lengths) / len(self.lengths)
        other = f"with tones {self.tone_errors / self.total:.3f}"
        if self.language == "en":
            other = f"to tiny.en {self.errors_of_tiny / self.total:.3f}"
        return (
            f"errors {self.errors / self.total:.3f} of {self.total}, {other}, "
            f"length {median(self.lengths):.2f}, too long or short {off:.1%}, "
            f"F0 {median(self.f0):.2f} (Kokoro {median(self.f0_of_reference):.2f}), "
            f"like {median(self.own):.2f} (Kokoro {median(self.reference):.2f}), "
            f"opinion {mean(self.opinion):.2f} (Kokoro {mean(self.opinion_of_reference):.2f}), "
            f"CPU s a second {self.cpu_s / self.audio_s:.2f}"
        )


def kokoro_prompts(speaker: Speaker) -> Iterator[Prompt]:
    """Yields prompts in voices that were trained on, in voices that were not, and in these by phone."""
    for voices, by_phone in ((TRAINED, False), (UNSEEN, False), (UNSEEN, True)):
        for language, names in voices.items():
            for i, name in enumerate(names):
                text = SENTENCES[language][-1 - i]
                wave = spoken(speaker, text, language, name)
                if by_phone:
                    wave = torch.from_numpy(as_recorded(wave.numpy(), random.Random(i)))
                yield Prompt(f"{name}{'_phone' * by_phone}", language, wave, text, name)


class Hearing:
    def __init__(self, server: Server, speaker: Speaker, folder: Path, out: Path) -> None:
        self._server, self._speaker, self._out = server, speaker, out
        self._listener, self._tiny = Ear(folder / "whisper-base"), tiny_english_ear()
        self._likeness = VoiceLikeness(folder / "ears" / "likeness.pt")
        self._opinion = OpinionScore(folder / "ears" / "opinion.onnx")

    async def run(self, prompt: Prompt, n_sentences: int) -> Row:
        """Speaks and judges the first sentences of the prompt's language. Keeps the speech of three."""
        row, wave = Row(prompt.language), prompt.wave.numpy()
        voice = Voice(Recording(wave, 24000), prompt.text, digest=prompt.name)
        prompt_f0, prompt_voice = self._median_f0(wave), self._likeness.embed(wave)
        for i, text in enumerate(SENTENCES[prompt.language][:n_sentences]):
            said = await self._server.say(text, voice, seed=1000 + i)
            heard = np.concatenate(said.segments)
            reference = spoken(self._speaker, text, prompt.language, prompt.model).numpy()
            self._count(row, heard, text, prompt.language)
            row.lengths.append(speech_seconds(heard) / speech_seconds(reference))
            row.f0.append(self._median_f0(heard) / prompt_f0)
            row.f0_of_reference.append(self._median_f0(reference) / prompt_f0)
            row.own.append(self._likeness.between(prompt_voice, heard))
            row.reference.append(self._likeness.between(prompt_voice, reference))
            row.opinion.append(self._opinion.of(heard))
            row.opinion_of_reference.append(self._opinion.of(reference))
            row.cpu_s, row.audio_s = row.cpu_s + said.cpu_s, row.audio_s + said.audio_s
            if i < 3:
                soundfile.write(self._out / f"{prompt.language}_{prompt.name}_{i}.wav", heard, 24000)
        return row

    def _median_f0(self, wave: Wave) -> float:
        return median_f0(mel_and_pitch(torch.from_numpy(wave)).numpy())

    def _count(self, row: Row, wave: Wave, text: str, language: str) -> None:
        heard = self._listener.hear(wave, language)
        wanted = units(text, language)
        row.errors, row.total = row.errors + n_errors(wanted, units(heard, language)), row.total + len(wanted)
        if language == "zh":
            row.tone_errors += n_errors(syllables(text, tones=True), syllables(heard, tones=True))
        else:
            row.errors_of_tiny += n_errors(wanted, words(self._tiny.hear(wave, "en")))


async def hear(hearing: Hearing, server: Server, prompts: list[Prompt], n_sentences: int) -> None:
    async with server.running():
        for prompt in prompts:
            print(f"{prompt.language} {prompt.name:<18} {await hearing.run(prompt, n_sentences)}", flush=True)


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--sentences", type=int, default=20, help="of each prompt")
    parser.add_argument("--prompt", nargs=3, action="append", metavar=("LANGUAGE", "WAV", "TEXT"))
    parser.add_argument("--flow-steps", type=int, help="by default as many as the checkpoint names")
    args = parser.parse_args()
    out = args.folder / "heard"
    out.mkdir(exist_ok=True)
    speaker = Speaker(args.folder / "kokoro")
    prompts = []
    for language, path, text in args.prompt or ():
        samples, rate = soundfile.read(path, dtype="float32")
        if rate != 24000:
            raise SystemExit(f"{path} has {rate} Hz; a prompt needs 24000 Hz")
        prompts.append(
            Prompt(Path(path).stem, language, torch.from_numpy(samples), text, TRAINED[language][0])
        )
    server = Server(args.folder, flow_steps=args.flow_steps)
    hearing = Hearing(server, speaker, args.folder, out)
    asyncio.run(hear(hearing, server, prompts or list(kokoro_prompts(speaker)), args.sentences))


if __name__ == "__main__":
    main()
