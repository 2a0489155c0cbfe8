"""Makes the default prompt recordings: texts that are not in the training data, in a male and a female voice.

python -m scripts.mini.prompts      writes glm_tts_api/assets/mini/prompts/*.wav
"""

import argparse
from pathlib import Path

import soundfile as sf

from scripts.mini.espeak import Espeak, trim_bounds
from scripts.mini.features import FeatureExtractor

ASSETS = Path("glm_tts_api/assets/mini")
PROMPTS = {
    "exampleA": ("zh", "minim2", "大家好，我是播音员，很高兴和大家见面。"),
    "exampleB": ("zh", "minif2", "欢迎收听我们的节目，祝您下午愉快。"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    parser.add_argument("--out", type=Path, default=ASSETS / "prompts")
    args = parser.parse_args()
    engine, extractor = Espeak(args.folder), FeatureExtractor()
    args.out.mkdir(parents=True, exist_ok=True)
    for name, (language, voice, text) in PROMPTS.items():
        speech = engine.synthesize(text, language=language, voice=voice)
        start, end = trim_bounds(speech.wave)
        wave = extractor.prepare(speech.wave[start:end])
        sf.write(args.out / f"{name}.wav", wave.numpy(), 24000, subtype="PCM_16")
        print(f"{name}: {len(wave) / 24000:.2f} s, {voice}: {text}")


if __name__ == "__main__":
    main()
