"""Judges the speech of one segment in comparison with espeak-ng's: its words, its length and its voice."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from glm_tts_api.model.mel import resample
from scripts.mini.espeak import VOICES, Espeak, trim_bounds
from scripts.mini.features import FeatureExtractor
from scripts.mini.measures import EnglishListener, VoiceMeter, Wave, align, median_f0, speech_seconds, words
from scripts.mini.melody import pitch_correlation
from scripts.mini.phone_recogniser import Listener, spoken_phones

LONG, SHORT = 1.5, 0.67
TAIL_UNITS = {"en": 3, "zh": 6}  # English words and Chinese phones at the end of a text


class Reference:
    """Speaks segments with espeak-ng, from which the mini model learned, as a reference."""

    def __init__(self, folder: Path) -> None:
        self._espeak = Espeak(folder)
        self._features = FeatureExtractor()

    def say(self, text: str, language: str, *, voice: int = 0) -> tuple[Wave, list[str]]:
        """Returns the 24 kHz wave and the phones of `text`, spoken by espeak-ng's voice number `voice`."""
        speech = self._espeak.synthesize(text, language=language, voice=VOICES[voice % len(VOICES)].name)
        start, end = trim_bounds(speech.wave)
        wave = self._features.prepare(speech.wave[start:end]).numpy()
        return wave, [phone for _, phone in spoken_phones(speech)]


@dataclass(frozen=True)
class Verdict:
    """The judgement on a segment. Units are words (English) or phones (Chinese).

    `run_on` says that the speech is over 1.5 times as long as espeak-ng's, or has at least 3 words (6 phones)
    after the end of the text. `early_stop` says that it is less than 0.67 times as long, or that the last 3
    words (6 phones) are missing. `f0` is the median pitch in Hz. `melody` is the correlation of the pitch
    with espeak-ng's (1 is the same). `own` and `other` are the similarities to the speaker of the prompt and
    of another prompt.
    """

    text: str
    heard: str
    errors: int
    n_units: int
    reference_errors: int
    duration_ratio: float
    run_on: bool
    early_stop: bool
    f0: float
    melody: float
    own: float
    other: float


class Judge:
    """Judges segments by recognisers, by espeak-ng's speech, and by the tested model's speaker encoder."""

    def __init__(self, folder: Path, speaker_onnx: Path) -> None:
        self.reference = Reference(folder)
        self.meter = VoiceMeter(speaker_onnx)
        self._english = EnglishListener()
        self._chinese = Listener.from_dir(folder / "recogniser")
        self._referred = cache(self._refer)

    def judge(self, wave: Wave, text: str, language: str, *, prompt: Wave, other: Wave) -> Verdict:
        """Judges the 24 kHz `wave` of one segment, which should say `text` (without phoneme tokens).

        `prompt` and `other` are recordings of the right speaker and of another speaker.
        """
        units, reference, reference_errors = self._referred(text, language)
        frames = self.meter.mel_and_pitch(wave)
        heard = self._listen(wave, language)
        found = align(units, heard)
        ratio = speech_seconds(wave) / speech_seconds(reference)
        tail = TAIL_UNITS[language]
        return Verdict(
            text=text,
            heard=" ".join(heard),
            errors=found.errors,
            n_units=found.n_units,
            reference_errors=reference_errors,
            duration_ratio=ratio,
            run_on=ratio > LONG or found.n_extra_at_end >= tail,
            early_stop=ratio < SHORT or found.n_missing_at_end >= tail,
            f0=median_f0(frames),
            melody=pitch_correlation(frames, self.meter.mel_and_pitch(reference)),
            own=self.meter.similarity(wave, prompt),
            other=self.meter.similarity(wave, other),
        )

    def _refer(self, text: str, language: str) -> tuple[list[str], Wave, int]:
        """Returns the text's units, espeak-ng's wave of the text, and the errors heard in that wave."""
        wave, phones = self.reference.say(text, language, voice=len(text))
        units = words(text) if language == "en" else phones
        return units, wave, align(units, self._listen(wave, language)).errors

    def _listen(self, wave: Wave, language: str) -> list[str]:
        if language == "en":
            return self._english.words(wave)
        return self._chinese.phones(resample(torch.from_numpy(wave), 24000, 16000).numpy())
