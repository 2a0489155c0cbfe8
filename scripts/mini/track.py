"""Measures the language model during its training: the phone error rate of speech codes that it generates.

The model speaks held-out sentences after the default prompts, by repetition-aware sampling. The phoneme head
of the speech tokenizer's training decoder reads the codes, without flow and vocoder. For comparison the same
head reads the codes of espeak-ng's speech, which gives the least possible error.

    python -m scripts.mini.track [--count 50]
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from scripts.mini.codes import load_encoder
from scripts.mini.data import Clip, make_clip
from scripts.mini.espeak import Espeak, trim_bounds
from scripts.mini.features import FeatureExtractor
from scripts.mini.heldout import CHINESE, ENGLISH
from scripts.mini.llm import open_vocabulary
from scripts.mini.llm_model import LlmSize, TrainingLlama
from scripts.mini.prompts import PROMPTS
from scripts.mini.speech_encoder import SpeechEncoder
from scripts.mini.tokenizer import Decoder
from scripts.mini.vocabulary import Vocabulary


def edit_distance(a: list[str], b: list[str]) -> int:
    row = np.arange(len(b) + 1)
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(diagonal + (x != y), row[j] + 1, row[j - 1] + 1)
    return int(row[-1])


class Ear:
    """Computes the speech codes of espeak-ng's speech, and recognises phonemes in speech codes."""

    def __init__(self, folder: Path) -> None:
        state = torch.load(folder / "tokenizer" / "state.pt", weights_only=True)
        self.encoder: SpeechEncoder = load_encoder(folder / "tokenizer")
        self._names: list[str] = state["phonemes"]
        self._decoder = Decoder(self.encoder.config.dim, len(self._names))
        self._decoder.load_state_dict(state["decoder"])
        self._engine, self._extractor = Espeak(folder), FeatureExtractor()

    @torch.inference_mode()
    def listen(self, text: str, language: str, voice: str) -> tuple[Clip, Tensor]:
        """Speaks `text` with espeak-ng.

        Returns the clip (with phoneme times) and its speech codes [n_tokens].
        """
        speech = self._engine.synthesize(text, language=language, voice=voice)
        bounds = trim_bounds(speech.wave)
        wave = self._extractor.prepare(speech.wave[bounds[0] : bounds[1]])
        clip = make_clip(
            speech,
            text_id=0,
            text=text,
            language=language,
            voice=voice,
            bounds=bounds,
            length=bounds[1] - bounds[0],
        )
        codes = self.encoder.codes(self.encoder(self._extractor.whisper(wave)[None]))[0]
        return clip, codes

    @torch.inference_mode()
    def phonemes(self, codes: Tensor) -> list[str]:
        logits = self._decoder.labels(self.encoder.codebook[codes][None])[0, :, : len(self._names)]
        return collapse([self._names[i] for i in logits.argmax(1).tolist()])


def collapse(frames: list[str]) -> list[str]:
    return [name for i, name in enumerate(frames) if name and (i == 0 or frames[i - 1] != name)]


@dataclass
class Tally:
    errors: int = 0
    floor_errors: int = 0
    phonemes: int = 0
    codes: int = 0
    true_codes: int = 0
    run_on: int = 0
    early: int = 0

    def line(self, n: int) -> str:
        rate, floor = self.errors / self.phonemes, self.floor_errors / self.phonemes
        length = self.codes / self.true_codes
        return (f"PER {rate:.3f} (espeak's codes {floor:.3f}), duration {length:.2f}, "
                f"run-on {self.run_on}/{n}, early {self.early}/{n}")  # fmt: skip


def load_llm(folder: Path) -> tuple[TrainingLlama, Vocabulary]:
    vocabulary, factors = open_vocabulary(folder)
    model = TrainingLlama(LlmSize(), n_ids=len(vocabulary), factors=factors)
    model.load_state_dict(torch.load(folder / "llm" / "state.pt", weights_only=True)["model"])
    return model.eval(), vocabulary


def measure(
    ear: Ear,
    model: TrainingLlama,
    vocabulary: Vocabulary,
    *,
    prompt: str,
    texts: list[tuple[str, str]],
    temperature: float,
) -> tuple[Tally, list[npt.NDArray[np.int64]]]:
    language, voice, prompt_text = PROMPTS[prompt]
    _, prompt_codes = ear.listen(prompt_text, language, voice)
    head = vocabulary.encode(prompt_text) + vocabulary.encode(" ")
    tail = [vocabulary.added["<|begin_of_audio|>"], *(prompt_codes + vocabulary.audio_start).tolist()]
    ids = [vocabulary.encode(text) for text, _ in texts]
    drawn = model.generate(
        [head + row + tail for row in ids],
        audio=range(vocabulary.audio_start, vocabulary.audio_start + vocabulary.n_codes),
        end=vocabulary.added["<|user|>"], bounds=[(2 * len(row), 20 * len(row)) for row in ids], seed=0,
        temperature=temperature,
    )  # fmt: skip
    tally, codes = Tally(), []
    for (text, kind), row in zip(texts, drawn, strict=True):
        clip, true_codes = ear.listen(text, kind, voice)
        wanted = collapse(clip.frame_phonemes())
        got = torch.tensor(row) - vocabulary.audio_start
        codes.append(got.numpy())
        heard = ear.phonemes(got) if len(got) else []
        tally.errors += min(edit_distance(wanted, heard), len(wanted))
        tally.floor_errors += edit_distance(wanted, ear.phonemes(true_codes))
        tally.phonemes += len(wanted)
        tally.codes += len(got)
        tally.true_codes += len(true_codes)
        tally.run_on += len(got) > 1.3 * len(true_codes) + 12
        tally.early += len(got) < 0.7 * len(true_codes) - 6
    return tally, codes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    parser.add_argument("--count", type=int, default=25)
    parser.add_argument("--temperature", type=float, default=0.6)
    args = parser.parse_args()
    torch.set_num_threads(1)
    ear = Ear(args.folder)
    model, vocabulary = load_llm(args.folder)
    for prompt in PROMPTS:
        for language, sentences in (("zh", CHINESE), ("en", ENGLISH)):
            texts = [(text.lower(), language) for text in sentences[: args.count]]
            tally, _ = measure(
                ear, model, vocabulary, prompt=prompt, texts=texts, temperature=args.temperature
            )
            print(f"{prompt} {language}: {tally.line(len(texts))}", flush=True)


if __name__ == "__main__":
    main()
