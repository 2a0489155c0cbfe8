"""Finds the good and the doubtful in a recording that is to be a voice, with its transcript. It reports
measured values only: it cannot hear whether the recording says these words, or whether one person speaks.
docs/voices.md has the thresholds with their reasons. Knows no HTTP."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.audio.measure import Measured, measure
from glm_tts_api.contracts import Recording
from glm_tts_api.errors import PromptRejected
from glm_tts_api.text.reading import spoken_seconds

CheckName = Literal["recording", "length", "level", "clipping", "noise", "silence", "speech_rate", "language"]
Status = Literal["ok", "warning", "error"]
STATUSES: tuple[Status, ...] = ("ok", "warning", "error")  # from the best to the worst
_BEST_S = (3.0, 12.0)
_QUIET_DB = -40.0
_CLIPPED, _MUCH_CLIPPED = 1e-4, 0.05  # shares of the samples
_LEAST_SNR_DB = 15.0
_MOST_SILENCE_S, _AIR_S = 0.6, 0.2
_RATIO, _POSSIBLE_RATIO = (0.7, 2.0), (0.35, 4.0)  # the speech's length by what its transcript takes to say
_LEAST_LIKELY_S = 0.1
_LANGUAGES = {"zh": "Chinese", "en": "English", "mixed": "Chinese and English"}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: a sentence that says what was found and what to do, and the figures."""

    name: CheckName
    status: Status
    message: str
    measured: Mapping[str, float | str]


def check_voice(data: bytes, transcript: str, limits: RecordingLimits) -> list[Finding]:
    """Checks a recording's file. A file that the server refuses has one finding on the recording, with the
    reason. Raises NotAudio. Blocking."""
    try:
        recording = decode_audio(data, limits)
    except PromptRejected as refused:
        return [Finding("recording", "error", refused.message, {}), _language(transcript)]
    return check_recording(recording, transcript)


def check_recording(recording: Recording, transcript: str) -> list[Finding]:
    """Takes some milliseconds."""
    measured = measure(recording)
    return [
        _length(measured.seconds),
        _level(measured.speech_db),
        _clipping(measured.clipped),
        _noise(measured),
        _silence(measured),
        _rate(measured.speech_s, spoken_seconds(transcript)),
        _language(transcript),
    ]


def _length(seconds: float) -> Finding:
    least, most = _BEST_S
    said, figures = f"{seconds:.1f} s long", {"seconds": round(seconds, 2)}
    if not least <= seconds <= most:
        short = "the voice comes out closer with 3 to 10 s. Record more"
        long = f"more than {most:g} s make each sentence slower and no better. Keep 3 to 10 s"
        does = short if seconds < least else long
        return Finding("length", "warning", f"{said}: {does}.", figures)
    return Finding("length", "ok", f"{said}.", figures)


def _level(speech_db: float) -> Finding:
    said, figures = f"Speech at {speech_db:.0f} dBFS", {"speech_dbfs": round(speech_db, 1)}
    if speech_db < _QUIET_DB:
        does = "very quiet. Record closer to the microphone, or turn it up"
        return Finding("level", "warning", f"{said}: {does}.", figures)
    return Finding("level", "ok", f"{said}.", figures)


def _clipping(share: float) -> Finding:
    said, figures = f"{share:.2%} of the samples are at full scale", {"share": round(share, 6)}
    if share < _CLIPPED:
        return Finding("clipping", "ok", f"{said}.", figures)
    return Finding(
        "clipping",
        "error" if share >= _MUCH_CLIPPED else "warning",
        f"{said}: the peaks are cut off, and the voice will be as harsh. Record again with the microphone "
        "turned down.",
        figures,
    )


def _noise(measured: Measured) -> Finding:
    snr_db = measured.speech_db - measured.noise_db
    figures = {"floor_dbfs": round(measured.noise_db, 1), "signal_to_noise_db": round(snr_db, 1)}
    said = f"The softest moments between the words are {snr_db:.0f} dB below the speech"
    if snr_db < _LEAST_SNR_DB:
        does = (
            "noise, music or echo, or no pause at all. Record in a quiet room, close to the microphone, and "
            "pause between the sentences"
        )
        return Finding("noise", "warning", f"{said}: {does}.", figures)
    return Finding("noise", "ok", f"{said}.", figures)


def _silence(measured: Measured) -> Finding:
    start, end = measured.speech
    before, after = start, max(0.0, measured.seconds - end)
    keep = max(0.0, start - _AIR_S), min(measured.seconds, end + _AIR_S)
    names = ("start_seconds", "end_seconds", "keep_from", "keep_to")
    figures = {name: round(value, 2) for name, value in zip(names, (before, after, *keep), strict=True)}
    said = f"{before:.1f} s of silence at the start, {after:.1f} s at the end"
    if max(before, after) > _MOST_SILENCE_S:
        does = f"cut it away: keep {keep[0]:.2f} s to {keep[1]:.2f} s"
        return Finding("silence", "warning", f"{said}; {does}.", figures)
    return Finding("silence", "ok", f"{said}.", figures)


def _rate(speech_s: float, likely_s: float) -> Finding:
    ratio = speech_s / max(likely_s, _LEAST_LIKELY_S)
    figures = {
        "ratio": round(ratio, 2),
        "speech_seconds": round(speech_s, 2),
        "likely_seconds": round(likely_s, 2),
    }
    said = f"The recording speaks for {speech_s:.1f} s, its transcript takes about {likely_s:.1f} s to say"
    if _RATIO[0] <= ratio <= _RATIO[1]:
        does = "Whether these words are said in it is not heard here"
        return Finding("speech_rate", "ok", f"{said}. {does}.", figures)
    status: Status = "warning" if _POSSIBLE_RATIO[0] <= ratio <= _POSSIBLE_RATIO[1] else "error"
    short, long = "write every word that is said, or cut the rest away", "leave out what is not said in it"
    return Finding("speech_rate", status, f"{said}: {short if ratio > 1 else long}.", figures)


def _language(transcript: str) -> Finding:
    scripts = {_script(char) for char in transcript if char.isalpha()}
    if not scripts or "other" in scripts:
        what = "has letters of other scripts" if scripts else "has no letters"
        does = "the model reads Chinese and English. Write what is said in them"
        return Finding("language", "warning", f"The transcript {what}: {does}.", {"language": "other"})
    code = "mixed" if len(scripts) > 1 else scripts.pop()
    said = f"The transcript is {_LANGUAGES[code]}. Which language is spoken is not heard here."
    return Finding("language", "ok", said, {"language": code})


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    if "CJK" in name or "IDEOGRAPH" in name:
        return "zh"
    return "en" if "LATIN" in name else "other"
