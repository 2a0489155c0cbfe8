"""Measures word error rates of copy synthesis (recording -> mel -> vocoder), with clean and degraded mels.

python -m scripts.mini.copy_synthesis --sentences 20
"""

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from glm_tts_api.model.mel import log_mel, resample
from glm_tts_api.model.vocoder import HiFT, HiftConfig, Vocos2D
from scripts.mini.espeak import SAMPLE_RATE, VOICES, Espeak, trim_bounds
from scripts.mini.griffin_lim import griffin_lim
from scripts.mini.heldout import ENGLISH
from scripts.mini.measures import EnglishListener, align, words
from scripts.mini.vocoder_data import degrade

Speaker = Callable[[Tensor], Tensor]  # mel [80, T] at the vocoder's rate -> wave at 24 kHz


def speakers(folder: Path) -> dict[str, tuple[int, Speaker]]:
    """Returns the trained vocoders: name -> (sample rate of the mel, function of the mel)."""
    found: dict[str, tuple[int, Speaker]] = {"griffin_lim": (24000, griffin_lim)}
    if (folder / "hift" / "best.pt").exists():
        hift = HiFT(HiftConfig.from_json(folder / "hift" / "config.json"))
        hift.load_state_dict(torch.load(folder / "hift" / "best.pt", weights_only=True))
        hift.fold()
        found["hift"] = (24000, lambda mel: hift(mel[None], noise=torch.Generator().manual_seed(0)))
    if (folder / "vocos2d" / "generator_jit.ckpt").exists():
        vocos = Vocos2D.load(folder / "vocos2d" / "generator_jit.ckpt")
        found["vocos2d"] = (
            32000,
            lambda mel: resample(vocos(mel[None], noise=torch.Generator()), 32000, 24000),
        )
    return found


def recordings(folder: Path, sentences: int) -> list[Tensor]:
    """Returns the first `sentences` held-out sentences, spoken by espeak-ng's voices in turn at 22.05 kHz."""
    engine, waves = Espeak(folder), []
    for index, text in enumerate(ENGLISH[:sentences]):
        speech = engine.synthesize(text, language="en", voice=VOICES[index % len(VOICES)].name)
        start, end = trim_bounds(speech.wave)
        waves.append(torch.from_numpy(speech.wave[start:end].copy()).float() / 32768)
    return waves


def word_error_rate(listener: EnglishListener, waves: list[Tensor]) -> float:
    """Returns the word error rate of 24 kHz waves, one for each of the first held-out sentences."""
    verdicts = [
        align(words(text), listener.words(wave.numpy())) for text, wave in zip(ENGLISH, waves, strict=False)
    ]
    return sum(v.errors for v in verdicts) / sum(v.n_units for v in verdicts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    listener, sources = EnglishListener(), recordings(args.folder, args.sentences)
    source_wer = word_error_rate(listener, [resample(wave, SAMPLE_RATE, 24000) for wave in sources])
    print(f"{'source':<12} WER {source_wer:.3f}", flush=True)
    for name, (rate, speak) in speakers(args.folder).items():
        for kind in ("clean", "degraded"):
            rng = random.Random(1)
            torch.manual_seed(1)
            mels = [log_mel(resample(wave, SAMPLE_RATE, rate), rate) for wave in sources]
            if kind == "degraded":
                mels = [degrade(mel[None], rng, share=1.0)[0] for mel in mels]
            began = time.process_time()
            waves = [speak(mel) for mel in mels]
            factor = (time.process_time() - began) / sum(mel.shape[1] / 50 for mel in mels)
            print(
                f"{name:<12} {kind:<9} WER {word_error_rate(listener, waves):.3f}  RTF {factor:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
