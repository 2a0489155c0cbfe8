"""Recordings in every promised container, and what is refused, with the measured length in the sentence."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from recordings import encoded, encoded_by_ffmpeg, png, voice, voice_wav

from glm_tts_api.audio.containers import container_of
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Recording
from glm_tts_api.errors import NotAudio, PromptRejected

LIMITS = RecordingLimits(min_s=1.0, max_s=30.0)
LOSSLESS = {
    "wav": encoded(voice(2.0), 24000, "WAV", subtype="FLOAT"),
    "flac": encoded(voice(2.0), 24000, "FLAC"),
    "aiff": encoded(voice(2.0), 24000, "AIFF"),
}
LOSSY = {
    "mp3": encoded(voice(2.0), 24000, "MP3"),
    "mp3 with a tag": encoded_by_ffmpeg(voice(2.0), 24000, "mp3", "libmp3lame"),
    "ogg vorbis": encoded(voice(2.0), 24000, "OGG", subtype="VORBIS"),
    "ogg opus": encoded_by_ffmpeg(voice(2.0, 48000), 48000, "ogg", "libopus"),
    "m4a": encoded_by_ffmpeg(voice(2.0, 48000), 48000, "mp4", "aac"),
    "webm": encoded_by_ffmpeg(voice(2.0, 48000), 48000, "webm", "libopus"),
    "aac": encoded_by_ffmpeg(voice(2.0, 48000), 48000, "adts", "aac"),
}


def decode(data: bytes) -> Recording:
    return decode_audio(data, LIMITS)


def refusal(data: bytes) -> str:
    with pytest.raises(PromptRejected) as error:
        decode(data)
    return error.value.message


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_recordings_come_back_as_they_were(name: str) -> None:
    recording = decode(LOSSLESS[name])
    assert recording.sample_rate == 24000
    assert recording.samples.dtype == np.float32
    np.testing.assert_allclose(recording.samples, voice(2.0)[None], atol=2**-15)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_recordings_keep_their_length_and_their_sound(name: str) -> None:
    recording = decode(LOSSY[name])
    assert recording.seconds == pytest.approx(2.0, abs=0.1)
    rms = float(np.sqrt((recording.samples**2).mean()))
    assert rms == pytest.approx(float(np.sqrt((voice(2.0) ** 2).mean())), rel=0.15)


def test_channels_are_kept(recording_of_two: np.ndarray) -> None:
    recording = decode(encoded(recording_of_two, 24000, "FLAC"))
    np.testing.assert_allclose(recording.samples, recording_of_two.T, atol=2**-15)


@pytest.fixture
def recording_of_two() -> np.ndarray:
    return np.stack([voice(2.0), 0.5 * voice(2.0)], axis=1)


def test_a_float_file_louder_than_full_scale_is_brought_into_range() -> None:
    loud = encoded(8 * voice(2.0), 24000, "WAV", subtype="FLOAT")
    samples = decode(loud).samples
    assert np.abs(samples).max() == pytest.approx(1.0)
    assert np.corrcoef(samples[0], voice(2.0))[0, 1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, ["0.20 s", "at least 1 s"]), (30.5, ["30.50 s", "at most 30 s"]), (0.0, ["0.00 s"])],
)
def test_too_short_and_too_long_say_how_long(seconds: float, words: list[str]) -> None:
    message = refusal(voice_wav(seconds))
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    "samples",
    [np.zeros(48000), np.full(48000, 0.25), 1e-4 * np.random.default_rng(0).standard_normal(48000)],
    ids=["zeros", "a constant", "dither"],
)
def test_silence(samples: np.ndarray) -> None:
    assert "silent" in refusal(encoded(samples.astype(np.float32), 24000, "WAV"))


def test_a_float_file_with_nan_in_it() -> None:
    samples = voice(2.0)
    samples[100] = np.nan
    assert "damaged" in refusal(encoded(samples, 24000, "WAV", subtype="FLOAT"))


@pytest.mark.parametrize("name", ["wav", "flac", "mp3", "mp3 with a tag", "m4a", "webm"])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_cut_off_files(name: str, share: float) -> None:
    whole = {**LOSSLESS, **LOSSY}[name]
    assert "cut off" in refusal(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
def test_the_first_bytes_of_a_recording_alone(name: str) -> None:
    assert refusal({**LOSSLESS, **LOSSY}[name][:400])


def test_a_wav_written_to_a_pipe_does_not_know_its_length_and_is_fine() -> None:
    data = bytearray(voice_wav(2.0))
    data[4:8] = struct.pack("<I", 0xFFFFFFFF)
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    assert decode(bytes(data)).seconds == pytest.approx(2.0)


@pytest.mark.parametrize(
    "data",
    [
        png(),
        b"hello, this is text" * 100,
        "不是录音".encode("utf-16"),
        bytes(range(256)) * 40,
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\x00",
    ],
    ids=["png", "text", "utf-16", "bytes", "playlist", "concat", "one byte"],
)
def test_no_audio(data: bytes) -> None:
    with pytest.raises(NotAudio):
        decode(data)


@pytest.mark.parametrize(
    "magic", [b"RIFF\x10\x00\x00\x00WAVE", b"fLaC", b"OggS", b"ID3\x03", b"\xff\xfb\x90\x64"]
)
def test_rubbish_behind_the_right_first_bytes(magic: bytes) -> None:
    rubbish = np.random.default_rng(1).bytes(5000)
    assert refusal(magic + rubbish)


def test_a_video_without_sound() -> None:
    with pytest.raises((NotAudio, PromptRejected)):
        decode(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(4000))


def test_a_small_file_of_many_hours_is_refused_by_its_header() -> None:
    hours = encoded(np.zeros(8000 * 3600, np.int16), 8000, "FLAC")
    assert len(hours) < 100_000
    assert "3600.00 s" in refusal(hours)


def test_a_small_file_that_hides_its_length_is_decoded_no_further_than_needed() -> None:
    hidden = encoded_by_ffmpeg(np.zeros(48000 * 120, np.float32), 48000, "adts", "aac")
    assert len(hidden) < 100_000
    assert "more than 30 s" in refusal(hidden)


@pytest.mark.parametrize(("rate", "channels"), [(2000, 1), (24000, 12)])
def test_odd_rates_and_channels(rate: int, channels: int) -> None:
    samples = np.tile(voice(2.0, rate)[:, None], channels)
    assert "channels" in refusal(encoded(samples, rate, "WAV"))


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("wav", "wav"),
        ("flac", "flac"),
        ("mp3", "mp3"),
        ("m4a", "m4a"),
        ("webm", "webm"),
        ("ogg opus", "ogg"),
        ("aac", "aac"),
    ],
)
def test_the_container_is_told_by_the_first_bytes(name: str, extension: str) -> None:
    container = container_of({**LOSSLESS, **LOSSY}[name])
    assert container is not None
    assert container.extension == extension
