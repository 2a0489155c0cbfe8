"""Runs espeak-ng in this process with clean voices of our own: text in, samples and timed events out.

The voices are plain formant variants without stress-dependent lengthening, flutter, roughness or echo. So the
same text has nearly the same timing in every voice, and frames of two voices can be compared in training.
"""

import ctypes
import shutil
from collections.abc import Iterable
from ctypes import CFUNCTYPE, POINTER, Structure, Union, c_char, c_char_p, c_int, c_short, c_uint, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 22050
RATE_WPM = 150
_SYSTEM_DATA = (
    "/usr/lib/x86_64-linux-gnu/espeak-ng-data",
    "/usr/share/espeak-ng-data",
    "/usr/lib/espeak-ng-data",
)
_WORD_EVENT, _PHONEME_EVENT = 1, 7
LANGUAGE = {"zh": "cmn", "en": "en-us"}


@dataclass(frozen=True)
class VoiceVariant:
    """A voice of espeak-ng: the range of its pitch in Hz; the frequency of each formant in percent, and the
    height and width of all."""

    name: str
    pitch: tuple[int, int]
    frequencies: tuple[int, ...]
    height: int = 100
    width: int = 100

    def text(self) -> str:
        gender = "female" if self.name.startswith("minif") else "male"
        lines = [
            "language variant",
            f"name {self.name}",
            f"gender {gender}",
            "pitch {} {}".format(*self.pitch),
        ]
        formants = enumerate(self.frequencies)
        return "\n".join([*lines, *(f"formant {i} {f} {self.height} {self.width}" for i, f in formants), ""])


VOICES = (
    VoiceVariant("minim1", (72, 106), (98, 97, 97, 97, 97, 105, 95, 100, 100)),
    VoiceVariant("minim2", (84, 126), (100, 96, 96, 96, 95, 95, 100, 100, 100)),
    VoiceVariant("minim3", (96, 142), (100, 101, 103, 103, 104, 104, 104, 100, 100), height=90),
    VoiceVariant("minim4", (64, 98), (103, 103, 103, 103, 106, 106, 106, 103, 103)),
    VoiceVariant("minif1", (140, 205), (110, 116, 104, 113, 110, 110, 105, 110, 110), height=80, width=140),
    VoiceVariant("minif2", (152, 222), (105, 110, 110, 110, 115, 115, 110, 110, 110), height=80, width=140),
    VoiceVariant("minif3", (170, 250), (106, 114, 117, 118, 120, 120, 115, 110, 110), height=80, width=140),
    VoiceVariant("minif4", (128, 186), (112, 108, 107, 108, 110, 110, 108, 110, 110), height=85, width=130),
)


@dataclass(frozen=True)
class Speech:
    """The result of one synthesis: int16 samples at 22.05 kHz, and times in ms from the first sample.

    `phonemes` holds pairs (start, espeak-ng's name). `words` holds (start, index of the first character,
    length in characters).
    """

    wave: npt.NDArray[np.int16]
    phonemes: tuple[tuple[int, str], ...]
    words: tuple[tuple[int, int, int], ...]


class _EventId(Union):
    _fields_ = (("number", c_int), ("name", c_char_p), ("string", c_char * 8))


class _Event(Structure):
    _fields_ = (
        ("type", c_int),
        ("unique_identifier", c_uint),
        ("text_position", c_int),
        ("length", c_int),
        ("audio_position", c_int),
        ("sample", c_int),
        ("user_data", c_void_p),
        ("id", _EventId),
    )


_Callback = CFUNCTYPE(c_int, POINTER(c_short), c_int, POINTER(_Event))


def install_voices(folder: Path) -> Path:
    """Copies espeak-ng's data below `folder` and adds our voices. Returns the data path for espeak-ng.

    Raises FileNotFoundError if espeak-ng is not installed.
    """
    target = folder / "espeak-ng-data"
    if not target.exists():
        source = next((Path(p) for p in _SYSTEM_DATA if Path(p).is_dir()), None)
        if source is None:
            raise FileNotFoundError("espeak-ng's data was not found; install espeak-ng")
        shutil.copytree(source, target)
    for voice in VOICES:
        (target / "voices" / "!v" / voice.name).write_text(voice.text())
    return folder


class Espeak:
    """The library espeak-ng. A process may have only one instance, since the library keeps global state."""

    def __init__(self, folder: Path) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        rate = self._library.espeak_Initialize(2, 0, str(install_voices(folder)).encode(), 1)
        if rate != SAMPLE_RATE:
            raise RuntimeError(f"espeak-ng answered {rate} instead of a sample rate of {SAMPLE_RATE}")
        self._chunks: list[npt.NDArray[np.int16]] = []
        self._phonemes: list[tuple[int, str]] = []
        self._words: list[tuple[int, int, int]] = []
        self._callback = _Callback(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave: Any, n_samples: int, events: Any) -> int:
        if n_samples > 0:
            self._chunks.append(np.ctypeslib.as_array(wave, (n_samples,)).copy())
        i = 0
        while events[i].type != 0:
            event = events[i]
            if event.type == _WORD_EVENT:
                self._words.append((event.audio_position, event.text_position - 1, event.length))
            elif event.type == _PHONEME_EVENT:
                self._phonemes.append((event.audio_position, event.id.string.decode("utf8", "ignore")))
            i += 1
        return 0

    def synthesize(self, text: str, *, language: str, voice: str, pitch: int = 50) -> Speech:
        """Speaks a text in one of VOICES. Raises ValueError if espeak-ng does not have the voice.

        `language` is "zh" (Latin words are read as English) or "en". `pitch` is 0 to 99, and 50 is neutral.
        """
        self._chunks.clear()
        self._phonemes.clear()
        self._words.clear()
        name = f"{LANGUAGE[language]}+{voice}"
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {name}")
        self._library.espeak_SetParameter(1, RATE_WPM, 0)
        self._library.espeak_SetParameter(3, pitch, 0)
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 0, 0, 1, None, None)
        self._library.espeak_Synchronize()
        wave = np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        return Speech(wave, tuple(self._phonemes), tuple(self._words))

    def phonemes(self, words: Iterable[str], *, language: str) -> list[list[str]]:
        """Returns the phoneme names of each word, spoken on its own, without pauses and language switches."""
        result = []
        for word in words:
            speech = self.synthesize(word, language=language, voice=VOICES[0].name)
            result.append([p for p in (clean_phoneme(name) for _, name in speech.phonemes) if p])
        return result


def clean_phoneme(name: str) -> str:
    """Returns the phoneme without stress and length marks, or "" for pauses and language switches."""
    bare = name.strip("',%=|")
    return "" if not bare or bare.startswith(("_", "(", ";")) else bare
