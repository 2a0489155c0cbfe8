"""Checks a recording and its transcript before they become a voice, and reports good and doubtful properties
with the measured values. docs/voices.md has the thresholds with their reasons. Knows no HTTP."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.audio.measure import Measured, measure, without_silence
from glm_tts_api.contracts import Recording, Verdict, Voice
from glm_tts_api.errors import PromptRejected, quote
from glm_tts_api.voices.decoded import digest_of
from speech_text import spoken_seconds

CheckName = Literal[
    "recording", "length", "level", "clipping", "noise", "silence", "speech_rate", "language", "words"
]
Status = Literal["ok", "warning", "error"]
STATUSES: tuple[Status, ...] = ("ok", "warning", "error")  # from the best to the worst
_BEST_S = (3.0, 12.0)
_QUIET_DB = -40.0
_CLIPPED, _MUCH_CLIPPED = 1e-4, 0.05  # shares of the samples
_LEAST_SNR_DB = 15.0
_MOST_SILENCE_S = 0.6
_RATIO, _POSSIBLE_RATIO = (0.7, 2.0), (0.35, 4.0)  # length of the speech / time to say its transcript
_MOST_HEARD = 300  # characters
_LEAST_LIKELY_S = 0.1
_LANGUAGES = {"zh": "Chinese", "en": "English", "mixed": "Chinese and English"}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `message` says what was found and what to do about it. `measured` has the
    figures."""

    name: CheckName
    status: Status
    message: str
    measured: Mapping[str, float | str]


def voice_to_check(
    data: bytes, transcript: str, limits: RecordingLimits, *, trim_silence: bool = False
) -> Voice | Finding:
    """Decodes the recording's file `data` and returns it as a Voice with `transcript`. If the server would
    refuse the recording, returns a Finding with the reason instead. With `trim_silence` the silence at the
    recording's ends is cut off first. Raises NotAudio. Blocking."""
    try:
        if trim_silence:
            data = without_silence(data, limits)
        recording = decode_audio(data, limits)
    except PromptRejected as refused:
        return Finding("recording", "error", refused.message, {})
    return Voice(recording, transcript, digest_of(data))


def check_recording(recording: Recording, transcript: str) -> list[Finding]:
    """Runs all checks that need no model, which takes some milliseconds, and returns their results."""
    measured = measure(recording)
    return [
        _length(measured.seconds),
        _level(measured.speech_db),
        _clipping(measured.clipped),
        _noise(measured),
        _silence(measured),
        _rate(measured.speech_s, spoken_seconds(transcript)),
        check_language(transcript),
    ]


def words_heard(heard: str, verdict: Verdict | None) -> Finding:
    """Returns the finding for the text that a recogniser `heard` in the recording. `verdict` is the result of
    comparing this text with the transcript; None means that there is no transcript yet. Every verdict but
    "ok" gives a warning."""
    said, figures = f"'{quote(heard, _MOST_HEARD)}' is heard", {"heard": heard}
    if verdict == "ok":
        return _finding("words", f"{said}, as the transcript has it", figures)
    if verdict == "drift":
        does = "the transcript has other words. Write every word that is said, or record it as it is written"
    elif verdict == "inconclusive":
        does = "the transcript has other words, but the recogniser is not sure. Compare them"
    else:
        does = "there is no transcript yet. Send these words as prompt_text, put right where they are wrong"
    return _finding("words", said, figures, f"; {does}")


def _finding(
    name: CheckName, said: str, figures: Mapping[str, float | str], does: str = "", status: Status = "warning"
) -> Finding:
    """Returns a finding that is ok, or with `does`, the words that say what to do, has the `status`."""
    return Finding(name, status if does else "ok", f"{said}{does}.", figures)


def _length(seconds: float) -> Finding:
    least, most = _BEST_S
    does = ""
    if seconds < least:
        does = ": the voice comes out closer with 3 to 10 s. Record more"
    elif seconds > most:
        does = f": more than {most:g} s make each sentence slower and no better. Keep 3 to 10 s"
    return _finding("length", f"{seconds:.1f} s long", {"seconds": round(seconds, 2)}, does)


def _level(speech_db: float) -> Finding:
    quiet = ": very quiet. Record closer to the microphone, or turn it up"
    figures = {"speech_dbfs": round(speech_db, 1)}
    said = f"Speech at {speech_db:.0f} dBFS"
    return _finding("level", said, figures, quiet if speech_db < _QUIET_DB else "")


def _clipping(share: float) -> Finding:
    said, figures = f"{share:.2%} of the samples are at full scale", {"share": round(share, 6)}
    if share < _CLIPPED:
        return _finding("clipping", said, figures)
    harsh = ": the peaks are cut off, and the voice will be as harsh"
    does = f"{harsh}. Record again with the microphone turned down"
    return _finding("clipping", said, figures, does, "error" if share >= _MUCH_CLIPPED else "warning")


def _noise(measured: Measured) -> Finding:
    snr_db = measured.speech_db - measured.noise_db
    figures = {"floor_dbfs": round(measured.noise_db, 1), "signal_to_noise_db": round(snr_db, 1)}
    said = f"The softest moments between the words are {snr_db:.0f} dB below the speech"
    noisy = (
        ": noise, music or echo, or no pause at all. Record in a quiet room, close to the microphone, and "
        "pause between the sentences"
    )
    return _finding("noise", said, figures, noisy if snr_db < _LEAST_SNR_DB else "")


def _silence(measured: Measured) -> Finding:
    before, after = measured.speech[0], max(0.0, measured.seconds - measured.speech[1])
    keep = measured.keep
    names = ("start_seconds", "end_seconds", "keep_from", "keep_to")
    figures = {name: round(value, 2) for name, value in zip(names, (before, after, *keep), strict=True)}
    said = f"{before:.1f} s of silence at the start, {after:.1f} s at the end"
    does = f"; cut it away with trim_silence: {keep[0]:.2f} s to {keep[1]:.2f} s stay"
    return _finding("silence", said, figures, does if max(before, after) > _MOST_SILENCE_S else "")


def _rate(speech_s: float, likely_s: float) -> Finding:
    ratio = speech_s / max(likely_s, _LEAST_LIKELY_S)
    figures = {
        "ratio": round(ratio, 2),
        "speech_seconds": round(speech_s, 2),
        "likely_seconds": round(likely_s, 2),
    }
    said = f"The recording speaks for {speech_s:.1f} s, its transcript takes about {likely_s:.1f} s to say"
    if _RATIO[0] <= ratio <= _RATIO[1]:
        does = ". The time does not tell whether these words are said in it"
        return _finding("speech_rate", f"{said}{does}", figures)
    status: Status = "warning" if _POSSIBLE_RATIO[0] <= ratio <= _POSSIBLE_RATIO[1] else "error"
    short, long = "write every word that is said, or cut the rest away", "leave out what is not said in it"
    return _finding("speech_rate", said, figures, f": {short if ratio > 1 else long}", status)


def language_of(transcript: str) -> Literal["zh", "en", "mixed", "other"]:
    scripts = {_script(char) for char in transcript if char.isalpha()}
    if not scripts or "other" in scripts:
        return "other"
    return "mixed" if len(scripts) > 1 else scripts.pop()


def check_language(transcript: str) -> Finding:
    code = language_of(transcript)
    if code == "other":
        what = "has letters of other scripts" if any(map(str.isalpha, transcript)) else "has no letters"
        does = "the model reads Chinese and English. Write what is said in them"
        return Finding("language", "warning", f"The transcript {what}: {does}.", {"language": "other"})
    said = f"The transcript is {_LANGUAGES[code]}. The text does not tell which language is spoken."
    return Finding("language", "ok", said, {"language": code})


def _script(letter: str) -> Literal["zh", "en", "other"]:
    name = unicodedata.name(letter, "")
    if "CJK" in name or "IDEOGRAPH" in name:
        return "zh"
    return "en" if "LATIN" in name else "other"
