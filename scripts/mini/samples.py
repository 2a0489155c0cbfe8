"""Writes samples to listen to: the shipped model, its teacher and espeak-ng say the same sentences.

Five English and five Mandarin held-out sentences, in the two voices of each language that the model ships.
Needs ffmpeg and espeak-ng.

    python -m scripts.mini.samples        writes docs/samples/NN_{mini,kokoro,espeak}.opus
"""

import argparse
import asyncio
import io
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch

from glm_tts_api.settings import BUNDLED_MODEL
from scripts.mini.heldout import CHINESE, ENGLISH
from scripts.mini.kokoro_data import Speaker
from scripts.mini.measures import Wave
from scripts.mini.prompts import PROMPTS
from scripts.mini.proof import spoken
from scripts.mini.speaking import Server

# A sentence and a voice of the service.
SAMPLES = (
    (ENGLISH[0], "woman-english"),
    (ENGLISH[7], "man-english"),
    (ENGLISH[15], "woman-english"),
    (ENGLISH[26], "man-english"),
    (ENGLISH[46], "woman-english"),
    (CHINESE[2], "woman-mandarin"),
    (CHINESE[7], "man-mandarin"),
    (CHINESE[21], "woman-mandarin"),
    (CHINESE[33], "man-mandarin"),
    (CHINESE[46], "woman-mandarin"),
)
_ESPEAK_LANGUAGE = {"en": "en-us", "zh": "cmn"}


def espeak(text: str, language: str) -> bytes:
    command = ["espeak-ng", "-v", _ESPEAK_LANGUAGE[language], "--stdout", text]
    return subprocess.run(command, check=True, capture_output=True).stdout


def write_opus(path: Path, wav: bytes) -> None:
    """Encodes a WAV file at 32 kbit/s, at a common loudness of -20 LUFS."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", "-", "-af", "loudnorm=I=-20", "-ar", "24000", "-ac", "1",
         "-c:a", "libopus", "-b:a", "32k", "-map_metadata", "-1", "-fflags", "+bitexact", str(path)],
        input=wav, check=True,
    )  # fmt: skip


def as_wav(samples: Wave) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 24000, format="WAV", subtype="PCM_16")
    return file.getvalue()


async def write_all(server: Server, speaker: Speaker, out: Path) -> None:
    async with server.running():
        for number, (text, voice) in enumerate(SAMPLES, 1):
            language, model, _ = PROMPTS[voice]
            said = await server.say(text, server.voice(voice), seed=0)
            write_opus(out / f"{number:02}_mini.opus", as_wav(np.concatenate(said.segments)))
            reference = spoken(speaker, text, language, model).numpy()
            write_opus(out / f"{number:02}_kokoro.opus", as_wav(reference))
            write_opus(out / f"{number:02}_espeak.opus", espeak(text, language))
            print(number, voice, text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL)
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    parser.add_argument("--out", type=Path, default=Path("docs/samples"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(args.model, Path("configs"), Path(scratch), flow_steps=10)
        asyncio.run(write_all(server, Speaker(args.folder / "kokoro"), args.out))


if __name__ == "__main__":
    main()
