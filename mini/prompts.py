"""Makes the recordings of the default voices: texts that are not in the training data, spoken by Kokoro.

python -m mini.prompts      writes glm_tts_api/assets/mini/prompts/*.wav
"""

import numpy as np
import soundfile as sf

from glm_tts_api.settings import BUNDLED_MODEL
from mini.kokoro_data import Speaker, speech_bounds, whole_tokens
from mini.program import Program
from mini.timbres import Timbre

SPEED = {"zh": 0.88, "en": 1.0}  # Kokoro speaks Mandarin fast
LEVEL_DB = -21.0  # root mean square
PROMPTS = {  # the language, the voice of Kokoro, the text
    "exampleA": ("zh", "zm_yunxi", "大家好，我是播音员，很高兴和大家见面。"),
    "exampleB": ("zh", "zf_xiaobei", "欢迎收听我们的节目，祝您下午愉快。"),
    "woman-mandarin": ("zh", "zf_xiaoxiao", "您好，我是您的语音助手，有什么可以帮您？"),
    "man-mandarin": ("zh", "zm_yunjian", "各位听众晚上好，今天为您讲一个老故事。"),
    "woman-english": ("en", "af_heart", "Hello, I can read your messages, your news and your books to you."),
    "man-english": (
        "en",
        "am_michael",
        "Good evening, and welcome back. Tonight we have a new story for you.",
    ),
}


def main() -> None:
    parser = Program(__doc__)
    args, out = parser.parse_args(), BUNDLED_MODEL / "prompts"
    speaker = Speaker(args.folder / "kokoro")
    out.mkdir(parents=True, exist_ok=True)
    for name, (language, voice, text) in PROMPTS.items():
        reading = speaker.reader.read(text.lower(), language)
        said = speaker.say(reading, Timbre(((voice, 1.0),), 1.0), voice, speed=SPEED[language]).wave
        start, end = speech_bounds([said])
        wave = whole_tokens(said[start:end])
        wave *= 10 ** (LEVEL_DB / 20) / np.sqrt(np.square(wave).mean())
        sf.write(out / f"{name}.wav", wave, 24000, subtype="PCM_16")
        print(f"{name}: {len(wave) / 24000:.2f} s, {voice}: {text}")


if __name__ == "__main__":
    main()
