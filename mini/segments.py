"""Measures what the bundled model's speech loses, by the longest segment that is allowed.

    python -m mini.segments [--longest 60 36 30]

Speaks each text of heldout.py with long sentences in two voices. Whisper base (kokoro_packages.sh) counts the
wrong English words or Mandarin syllables.
"""

import asyncio
from pathlib import Path

import numpy as np

from mini.heldout import CHINESE_CLAUSES, ENGLISH_CLAUSES
from mini.measures import Ear, n_errors, units
from mini.program import Program
from mini.speaking import Server

TEXTS = {"zh": CHINESE_CLAUSES, "en": ENGLISH_CLAUSES}
VOICES = {
    "zh": ("exampleA", "exampleB", "woman-mandarin", "man-mandarin"),
    "en": ("woman-english", "man-english"),
}
SEED = 100


async def measure(longest: list[float], folder: Path) -> None:
    server, ear = Server(folder), Ear(folder / "whisper-base")
    async with server.running():
        for language in TEXTS:
            for limit in longest:
                print(language, f"{limit:g}:", await heard(server, ear, language, limit), flush=True)


async def heard(server: Server, ear: Ear, language: str, longest: float) -> str:
    """Speaks and hears all texts of `language`, and returns the errors and the CPU time of speaking."""
    server.frontend.longest_segment = longest
    n_wrong = n_units = n_segments = 0
    cpu_s = audio_s = 0.0
    for number, text in enumerate(TEXTS[language]):
        for turn in range(2):
            name = VOICES[language][(2 * number + number // 2 + turn) % len(VOICES[language])]
            said = await server.say(text, server.voice(name), seed=SEED + number)
            hearing = ear.hear(np.concatenate(said.segments), language)
            wanted = units(text, language)
            n_wrong += n_errors(wanted, units(hearing, language))
            n_units += len(wanted)
            n_segments += len(said.segments)
            cpu_s, audio_s = cpu_s + said.cpu_s, audio_s + said.audio_s
    return (
        f"{n_segments} segments, {n_wrong / n_units:.3f} of {n_units} wrong, "
        f"{cpu_s / audio_s:.3f} CPU s a second"
    )


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--longest", type=float, nargs="+", default=[60, 36, 30])
    args = parser.parse_args()
    asyncio.run(measure(args.longest, args.folder))


if __name__ == "__main__":
    main()
