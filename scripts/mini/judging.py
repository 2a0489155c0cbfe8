"""Judges one spoken segment beside espeak-ng's own: what is heard, how long it is, whose voice it is."""

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
TAIL_UNITS = {"en": 3, "zh": 6}  # words, phones


class Reference:
    """espeak-ng, the voice that the mini learned from, saying the same segments."""

    def __init__(self, folder: Path) -> None:
        self._espeak = Espeak(folder)
        self._features = FeatureExtractor()

    def say(self, text: str, language: str, *, voice: int = 0) -> tuple[Wave, list[str]]:
        """The 24 kHz wave and the phones of a segment in one of the mini's training voices."""
        speech = self._espeak.synthesize(text, language=language, voice=VOICES[voice % len(VOICES)].name)
        start, end = trim_bounds(speech.wave)
        wave = self._features.prepare(speech.wave[start:end]).numpy()
        return wave, [phone for _, phone in spoken_phones(speech)]


@dataclass(frozen=True)
class Verdict:
    """A segment as heard. Units are words (en) or phones (zh).

    run_on: more than 1.5 times espeak-ng's length, or at least 3 words (6 phones) after the text's last one;
    early_stop: less than 0.67 times its length, or the text's last 3 words (6 phones) missing.
    `f0`: median in Hz; `melody`: how well the pitch follows espeak-ng's (1: the same);
    `own`, `other`: similarity to the prompt's speaker, and to the other prompt's.
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
    """The recognisers, the reference voice and the speaker encoder of the model under test."""

    def __init__(self, folder: Path, speaker_onnx: Path) -> None:
        self.reference = Reference(folder)
        self.meter = VoiceMeter(speaker_onnx)
        self._english = EnglishListener()
        self._chinese = Listener.from_dir(folder / "recogniser")
        self._referred = cache(self._refer)

    def judge(self, wave: Wave, text: str, language: str, *, prompt: Wave, other: Wave) -> Verdict:
        """`wave` 24 kHz, of one segment; `text` what it should say, without phoneme tokens."""
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
        """The text's units, espeak-ng's speech and the errors heard in that."""
        wave, phones = self.reference.say(text, language, voice=len(text))
        units = words(text) if language == "en" else phones
        return units, wave, align(units, self._listen(wave, language)).errors

    def _listen(self, wave: Wave, language: str) -> list[str]:
        if language == "en":
            return self._english.words(wave)
        return self._chinese.phones(resample(torch.from_numpy(wave), 24000, 16000).numpy())
