"""Measures how much of espeak-ng's speech survives the checkpoint's speech codes, flow and vocoder.

Prints the word error rate (Whisper tiny.en) of held-out English sentences for several waves: the source, its
mel through Griffin-Lim, and its codes through the flow (after the default prompt) and Griffin-Lim or HiFT.
The language model has no part.

    python -m scripts.mini.resynthesis --sentences 12
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import soundfile as sf
import torch
from torch import Tensor

from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.model.flow.sampler import FlowInput
from glm_tts_api.model.mel import log_mel, resample
from glm_tts_api.model.speaker_encoder import kaldi_fbank
from scripts.mini.data import speaker_statistics
from scripts.mini.espeak import Espeak, trim_bounds
from scripts.mini.features import FeatureExtractor
from scripts.mini.griffin_lim import griffin_lim
from scripts.mini.heldout import ENGLISH
from scripts.mini.measures import EnglishListener, align, words
from scripts.mini.prompts import ASSETS, PROMPTS


def load_prompt(path: Path) -> Tensor:
    wave, rate = sf.read(path, dtype="float32")
    return resample(torch.from_numpy(wave), rate, 24000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=12)
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    parser.add_argument("--checkpoint", type=Path, default=ASSETS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    models = load_checkpoint(args.checkpoint, device=torch.device("cpu"))
    engine, extractor, listener = Espeak(args.folder), FeatureExtractor(), EnglishListener()
    projection = torch.load(args.folder / "speaker" / "projection.pt", weights_only=True)

    def spoken(text: str, voice: str) -> Tensor:
        speech = engine.synthesize(text.lower(), language="en", voice=voice)
        start, end = trim_bounds(speech.wave)
        return extractor.prepare(speech.wave[start:end])

    def codes(wave: Tensor) -> Tensor:
        return models.speech_tokenizer.tokenize([resample(wave, 24000, 16000)])[0]

    prompts = {name: load_prompt(args.checkpoint / "prompts" / f"{name}.wav") for name in PROMPTS}

    def flow(wave: Tensor, name: str, seed: int) -> Tensor:
        prompt = prompts[name]
        fbank = kaldi_fbank(resample(prompt, 24000, 16000))
        speaker = (speaker_statistics(fbank) - projection["mean"]) @ projection["matrix"]
        return models.flow.sample(
            [
                FlowInput(
                    tokens=codes(wave), speaker=speaker, noise=torch.Generator().manual_seed(seed),
                    prompt_tokens=codes(prompt), prompt_mel=log_mel(prompt, 24000).T,
                )
            ]
        )[0][0]  # fmt: skip

    stages: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
        "source": lambda wave, _mel, _seed: wave,
        "Griffin-Lim": lambda wave, _mel, _seed: griffin_lim(log_mel(wave, 24000)),
        "codes, flow, Griffin-Lim": lambda _wave, mel, _seed: griffin_lim(mel),
        "codes, flow, HiFT": lambda _wave, mel, seed: models.vocoders[24000](
            mel[None], noise=torch.Generator().manual_seed(seed)
        ),
    }
    errors = dict.fromkeys(stages, 0)
    total, distance = 0, 0.0
    for i, text in enumerate(ENGLISH[: args.sentences]):
        name = list(PROMPTS)[i % len(PROMPTS)]
        wave = spoken(text, PROMPTS[name][1])
        mel = flow(wave, name, i)
        true = log_mel(wave, 24000)
        length = min(mel.shape[1], true.shape[1])
        distance += float((mel[:, :length] - true[:, :length]).abs().mean()) / args.sentences
        total += len(words(text))
        for stage, speak in stages.items():
            errors[stage] += align(words(text), listener.words(speak(wave, mel, i).numpy())).errors
    print(f"mel distance of the flow to the source: {distance:.3f} nepers")
    for stage, count in errors.items():
        print(f"{stage:<26} WER {count / total:.3f}")


if __name__ == "__main__":
    main()
