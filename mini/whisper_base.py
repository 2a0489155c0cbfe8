"""Recognises speech with Whisper base: English words, and Mandarin syllables with or without tones.

Whisper writes homophones and traditional characters, so Mandarin is compared in pinyin.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glm_tts_api.model.mel import resample
from mini.measures import Wave, words

_DIGITS = "零一二三四五六七八九"


class WhisperBase:
    """Whisper base in int8 on one thread, with a beam of 5 and temperature 0.

    `folder` holds its files, as kokoro_packages.sh arranges them.
    """

    def __init__(self, folder: Path) -> None:
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )

    def hear(self, wave: Wave, language: str) -> str:
        """Returns the recognised text of a 24 kHz wave of at most 30 s. `language` is "en" or "zh"."""
        padded = torch.from_numpy(np.pad(wave, (6000, 6000)))
        segments, _ = self._model.transcribe(
            resample(padded, 24000, 16000).numpy(),
            language=language,
            beam_size=5,
            temperature=0,
            condition_on_previous_text=False,
            without_timestamps=True,
            initial_prompt="以下是普通话的句子。" if language == "zh" else None,
        )
        return " ".join(segment.text for segment in segments)


def syllables(text: str, *, tones: bool = False) -> list[str]:
    """Returns the pinyin syllables of the Hanzi of a text. Figures are read digit by digit."""
    from pypinyin import Style, lazy_pinyin

    in_characters = re.sub(r"[0-9]", lambda digit: _DIGITS[int(digit[0])], text)
    characters = "".join(re.findall("[\u4e00-\u9fff]", in_characters))
    return list(lazy_pinyin(characters, style=Style.TONE3 if tones else Style.NORMAL))


def units(text: str, language: str) -> list[str]:
    """Returns the units in which errors are counted: the words of English, the syllables of Mandarin."""
    return words(text) if language == "en" else syllables(text)
