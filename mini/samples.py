"""Writes samples to listen to: the shipped model, its teacher and espeak-ng say the same sentences.

Five English and five Mandarin held-out sentences, in the two voices of each language that the model ships.
Needs espeak-ng.

    python -m mini.samples        writes docs/samples/NN_{mini,kokoro,espeak}.opus
"""

import asyncio
import io
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch

from glm_tts_api.audio.encode import encode
from glm_tts_api.audio.loudness import integrated_loudness
from glm_tts_api.model.mel import resample
from mini.espeak import LANGUAGE
from mini.heldout import CHINESE, ENGLISH
from mini.kokoro_data import Speaker
from mini.measures import Wave
from mini.program import Program
from mini.prompts import PROMPTS
from mini.proof import spoken
from mini.speaking import Server

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
_OUT = Path("docs/samples")
_RATE = 24000
_LOUDNESS = -20.0  # LUFS


def espeak(text: str, language: str) -> Wave:
    """Returns the 24 kHz wave of a text in espeak-ng's own voice."""
    command = ["espeak-ng", "-v", LANGUAGE[language], "--stdout", text]
    said = subprocess.run(command, check=True, capture_output=True).stdout
    samples, rate = soundfile.read(io.BytesIO(said), dtype="float32")
    wave: Wave = resample(torch.from_numpy(samples), rate, _RATE).numpy()
    return wave


def at_one_loudness(wave: Wave) -> Wave:
    return wave * np.float32(10 ** ((_LOUDNESS - integrated_loudness([wave], _RATE)) / 20))


async def write_all(server: Server, speaker: Speaker) -> None:
    async with server.running():
        for number, (text, voice) in enumerate(SAMPLES, 1):
            language, model, _ = PROMPTS[voice]
            said = await server.say(text, server.voice(voice), seed=0)
            waves = {
                "mini": np.concatenate(said.segments),
                "kokoro": spoken(speaker, text, language, model).numpy(),
                "espeak": espeak(text, language),
            }
            for name, wave in waves.items():
                sound = encode(at_one_loudness(wave), "opus", _RATE)
                (_OUT / f"{number:02}_{name}.opus").write_bytes(sound)
            print(number, voice, text, flush=True)


def main() -> None:
    parser = Program(__doc__)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(Path(scratch))
        asyncio.run(write_all(server, Speaker(args.folder / "kokoro")))


if __name__ == "__main__":
    main()
