"""The file that is kept of a recording larger than its sound: the same samples to the bit. And the file of
one with silence at its ends."""

from __future__ import annotations

import numpy as np
import pytest

from glm_tts_api.audio.containers import FLAC, WAV, container_of
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.audio.measure import trimmed, without_silence
from tests.recordings import encoded, encoded_by_ffmpeg, voice, voice_wav

LIMITS = RecordingLimits()
MONO = voice(2.0)
STEREO = np.stack([MONO, 0.5 * MONO[::-1]], axis=1)
JUNK = np.random.default_rng(1).bytes(2**20)
TAG = b"ID3\x04\x00\x00" + bytes(len(JUNK) >> shift & 127 for shift in (21, 14, 7, 0)) + JUNK
RECORDINGS = {
    "wav": voice_wav(2.0) + JUNK,
    "stereo": encoded(STEREO, 24000, "WAV") + JUNK,
    "24 bits": encoded(MONO, 48000, "WAV", subtype="PCM_24") + JUNK,
    "24 bits stereo": encoded(STEREO, 48000, "WAV", subtype="PCM_24") + JUNK,
    "three channels": encoded(np.stack([MONO] * 3, axis=1), 24000, "WAV") + JUNK,
    "float": encoded(MONO, 24000, "WAV", subtype="FLOAT") + JUNK,
    "too loud": encoded(4 * MONO, 24000, "WAV", subtype="FLOAT") + JUNK,
    "full scale": encoded(np.sign(MONO), 24000, "WAV") + JUNK,
    "negative zeros": encoded(
        np.where(MONO > 0, np.float32(0.5), np.float32(-0.0)), 24000, "WAV", subtype="FLOAT"
    )
    + JUNK,
    "telephone": encoded(MONO, 8000, "WAV", subtype="ULAW") + JUNK,
    "mp3": TAG + encoded(MONO, 24000, "MP3"),
    "flac": encoded(voice(2.0, 96000), 96000, "FLAC") + JUNK,
    "m4a": encoded_by_ffmpeg(MONO, 24000, "ipod", "aac") + b"\x00\x10\x00\x08free" + JUNK[: 2**20],
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_file_larger_than_its_sound_is_kept_as_its_sound(name: str) -> None:
    data = RECORDINGS[name]
    recording = decode_audio(data, LIMITS)
    kept = trimmed(data, recording)
    assert len(kept) <= recording.samples.nbytes + 4096 < len(data)
    assert container_of(kept) in (FLAC, WAV)
    again = decode_audio(kept, LIMITS)
    assert again.sample_rate == recording.sample_rate
    assert again.samples.tobytes() == recording.samples.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        voice_wav(2.0),
        encoded(STEREO, 24000, "WAV"),
        encoded(MONO, 24000, "FLAC"),
        encoded(MONO, 24000, "MP3"),
        encoded_by_ffmpeg(MONO, 24000, "ipod", "aac"),
    ],
)
def test_what_is_no_larger_stays_as_it_came(data: bytes) -> None:
    assert trimmed(data, decode_audio(data, LIMITS)) is data


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_silence_at_the_ends_is_cut_and_the_speech_stays_to_the_bit(subtype: str) -> None:
    silence = np.zeros(24000, np.float32)
    data = encoded(np.concatenate([silence, MONO, 2 * [*silence]]), 24000, "WAV", subtype=subtype)
    cut = without_silence(data, LIMITS)
    kept, whole = decode_audio(cut, LIMITS), decode_audio(data, LIMITS)
    assert kept.seconds == pytest.approx(2.4, abs=0.05)
    start = round(0.8 * 24000)
    assert kept.samples.tobytes() == whole.samples[start : start + len(kept.samples)].tobytes()
    assert decode_audio(without_silence(cut, LIMITS), LIMITS).samples.tobytes() == kept.samples.tobytes()
