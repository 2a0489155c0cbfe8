"""Measures pitch and word errors of espeak-ng's reading of the held-out sentences in the prompts' voices.

    python -m scripts.mini.teacher

evaluate.py compares the mini model with espeak-ng in all eight training voices, and its F0 with that of the
Chinese prompts. The mini model speaks in only two of these voices, and espeak-ng's English has a higher pitch
than its Chinese.
"""

import argparse
from pathlib import Path
from statistics import median

import torch

from scripts.mini.espeak import Espeak, trim_bounds
from scripts.mini.features import FeatureExtractor
from scripts.mini.heldout import CHINESE, ENGLISH
from scripts.mini.measures import EnglishListener, Wave, align, median_f0, words
from scripts.mini.prompts import PROMPTS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    args = parser.parse_args()
    engine, extractor, listener = Espeak(args.folder), FeatureExtractor(), EnglishListener()

    def spoken(text: str, language: str, voice: str) -> Wave:
        speech = engine.synthesize(text.lower(), language=language, voice=voice)
        start, end = trim_bounds(speech.wave)
        wave: Wave = extractor.prepare(speech.wave[start:end]).numpy()
        return wave

    def pitch(wave: Wave) -> float:
        return median_f0(extractor.mel_and_pitch(torch.from_numpy(wave)).numpy())

    for name, (language, voice, text) in PROMPTS.items():
        prompt = pitch(spoken(text, language, voice))
        english = [spoken(sentence, "en", voice) for sentence in ENGLISH]
        chinese = [spoken(sentence, "zh", voice) for sentence in CHINESE]
        ratios = [median(map(pitch, waves)) / prompt for waves in (english, chinese)]
        found = [align(words(t), listener.words(w)) for t, w in zip(ENGLISH, english, strict=True)]
        errors, total = sum(a.errors for a in found), sum(a.n_units for a in found)
        print(f"{name}: F0 of the prompt {prompt:.0f} Hz, en {ratios[0]:.3f}, zh {ratios[1]:.3f} times that; "
              f"English WER {errors / total:.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
