"""How high espeak-ng itself speaks held-out sentences in the default prompts' voices, beside the prompts.

    python -m scripts.mini.prompt_pitch

What evaluate.py says of F0 is to be read beside this: the prompts are Chinese, and espeak-ng's English is
higher.
"""

import argparse
from pathlib import Path
from statistics import median

from scripts.mini.espeak import Espeak, trim_bounds
from scripts.mini.features import FeatureExtractor
from scripts.mini.heldout import CHINESE, ENGLISH
from scripts.mini.measures import median_f0
from scripts.mini.prompts import PROMPTS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    args = parser.parse_args()
    engine, extractor = Espeak(args.folder), FeatureExtractor()

    def pitch(text: str, language: str, voice: str) -> float:
        speech = engine.synthesize(text.lower(), language=language, voice=voice)
        start, end = trim_bounds(speech.wave)
        return median_f0(extractor.mel_and_pitch(extractor.prepare(speech.wave[start:end])).numpy())

    for name, (language, voice, text) in PROMPTS.items():
        prompt = pitch(text, language, voice)
        ratios = {
            spoken: median(pitch(sentence, spoken, voice) for sentence in sentences) / prompt
            for spoken, sentences in (("en", ENGLISH), ("zh", CHINESE))
        }
        print(f"{name}: prompt {prompt:.0f} Hz, " + ", ".join(f"{k} {v:.3f}" for k, v in ratios.items()))


if __name__ == "__main__":
    main()
