"""Recordings in every promised container, and what is refused, with the measured length in the sentence."""

from __future__ import annotations

import io
import struct
import tracemalloc
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.audio.encode import encode, open_encoder
from glm_tts_api.contracts import AudioFormat, Recording
from glm_tts_api.errors import NotAudio, PromptRejected
from tests.recordings import encoded, encoded_by_ffmpeg, png, voice, voice_wav

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
    np.testing.assert_allclose(recording.samples, voice(2.0), atol=2**-15)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_recordings_keep_their_length_and_their_sound(name: str) -> None:
    recording = decode(LOSSY[name])
    assert recording.seconds == pytest.approx(2.0, abs=0.1)
    rms = float(np.sqrt((recording.samples**2).mean()))
    assert rms == pytest.approx(float(np.sqrt((voice(2.0) ** 2).mean())), rel=0.15)


TELEPHONY = ["ULAW", "ALAW", "GSM610", "G721_32", "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32", "IMA_ADPCM"]


@pytest.mark.parametrize("subtype", TELEPHONY)
def test_what_a_telephone_system_records_plays(subtype: str) -> None:
    recording = decode(encoded(voice(2.0, 8000), 8000, "WAV", subtype=subtype))
    assert recording.sample_rate == 8000
    assert recording.seconds == pytest.approx(2.0, abs=0.05)
    heard, said = recording.samples[:16000], voice(2.0, 8000)
    assert max(np.correlate(heard, said[:-400], "valid")) > 0.8 * np.square(said[:-400]).sum()


def with_format_tag(tag: int) -> bytes:
    data = bytearray(voice_wav(2.0))
    data[20:22] = struct.pack("<H", tag)
    return bytes(data)


def with_an_unknown_sample_entry() -> bytes:
    """An MP4 whose sound is in a codec that nobody knows, its decoder's description gone too."""
    return LOSSY["m4a"].replace(b"mp4a", b"zzzz").replace(b"esds", b"free")


@pytest.mark.parametrize(
    ("data", "codec"),
    [
        (with_format_tag(0x1234), "WAVE format 0x1234"),
        (with_format_tag(0x0092), "WAVE format 0x0092"),
        (LOSSY["webm"].replace(b"A_OPUS", b"A_XYZ1"), "in A_XYZ1,"),
        (with_an_unknown_sample_entry(), "zzzz"),
    ],
    ids=["wav", "wav with AC-3", "webm", "m4a"],
)
def test_a_codec_that_cannot_be_decoded_is_named(data: bytes, codec: str) -> None:
    with pytest.raises(NotAudio, match=codec):
        decode(data)


def test_channels_are_averaged() -> None:
    two = np.stack([voice(2.0), 0.5 * voice(2.0)], axis=1)
    recording = decode(encoded(two, 24000, "WAV", subtype="FLOAT"))
    np.testing.assert_allclose(recording.samples, two.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("silent", [0, 1])
@pytest.mark.parametrize("file_format", ["WAV", "FLAC", "OGG"])
def test_a_silent_channel_takes_nothing_from_the_other(file_format: str, silent: int) -> None:
    two = np.stack([voice(2.0), voice(2.0)], axis=1)
    two[:, silent] = 0
    recording = decode(encoded(two, 24000, file_format))
    said = voice(2.0)
    assert np.square(recording.samples).sum() == pytest.approx(np.square(said).sum(), rel=0.05)


def test_one_channel_comes_back_to_the_bit() -> None:
    said = voice(5.0, 48000)  # many blocks
    np.testing.assert_array_equal(decode(encoded(said, 48000, "WAV", subtype="FLOAT")).samples, said)


def test_eight_channels_need_no_more_memory_than_one_does() -> None:
    """Peak of what numpy allocates while 10 s of eight channels at 192 kHz are decoded: 61 MB if kept."""
    eight = encoded(np.ones((10 * 192_000, 8), np.int16), 192_000, "WAV")
    tracemalloc.start()
    try:
        assert refusal(eight)  # silent
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 45e6


def test_a_float_file_louder_than_full_scale_is_brought_into_range() -> None:
    loud = encoded(8 * voice(2.0), 24000, "WAV", subtype="FLOAT")
    samples = decode(loud).samples
    assert np.abs(samples).max() == pytest.approx(1.0)
    assert np.corrcoef(samples, voice(2.0))[0, 1] == pytest.approx(1.0)


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


def test_a_wav_written_to_a_pipe_does_not_know_its_length_and_is_fine() -> None:
    data = bytearray(voice_wav(2.0))
    data[4:8] = struct.pack("<I", 0xFFFFFFFF)
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    assert decode(bytes(data)).seconds == pytest.approx(2.0)


def test_our_own_answers_can_be_prompts_streamed_ones_too() -> None:
    """A FLAC or WAV that was sent while it was made does not say how long it is."""
    formats: tuple[AudioFormat, ...] = ("wav", "flac", "mp3", "opus", "aac")
    for audio_format in formats:
        encoder = open_encoder(audio_format, 24000)
        spoken = voice(2.0)
        streamed = [*(encoder.push(spoken[at : at + 2400]) for at in range(0, 48000, 2400)), encoder.finish()]
        for body in (b"".join(streamed), encode(spoken, audio_format, 24000)):
            recording = decode(body)
            assert recording.seconds == pytest.approx(2.0, abs=0.05), audio_format


def test_a_small_file_of_many_minutes_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    long = encoded(np.zeros(8000 * 600, np.int16), 8000, "FLAC")
    assert len(long) < 100_000

    def no_sample(*_: object, **__: object) -> None:
        raise AssertionError("samples were decoded")

    for name in ("read", "buffer_read", "buffer_read_into", "blocks"):
        monkeypatch.setattr(soundfile.SoundFile, name, no_sample)
    assert "600.00 s" in refusal(long)


def test_a_small_file_that_hides_its_length_is_decoded_no_further_than_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = encoded_by_ffmpeg(np.zeros(48000 * 60, np.float32), 48000, "adts", "aac")
    assert len(hidden) < 100_000
    seconds = 0.0
    resampler = av.AudioResampler

    class Counting:
        def __init__(self, **options: Any) -> None:
            self._resampler = resampler(**options)

        def resample(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
            nonlocal seconds
            if frame is not None:
                seconds += frame.samples / frame.sample_rate
            frames: list[av.AudioFrame] = self._resampler.resample(frame)
            return frames

    monkeypatch.setattr(av, "AudioResampler", Counting)
    assert "more than 30 s" in refusal(hidden)
    assert 30 < seconds < 32


@pytest.mark.parametrize(("rate", "channels"), [(2000, 1), (24000, 12)])
def test_odd_rates_and_channels(rate: int, channels: int) -> None:
    samples = np.tile(voice(2.0, rate)[:, None], channels)
    assert "channels" in refusal(encoded(samples, rate, "WAV"))


@pytest.mark.parametrize(
    "data",
    [
        png(),
        b"hello, this is text" * 100,
        "不是录音".encode("utf-16"),
        bytes(range(256)) * 40,
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\xff\x0a" + bytes(range(256)) * 40,
        b"\x00",
    ],
    ids=["png", "text", "utf-16", "bytes", "playlist", "concat", "jpeg xl", "one byte"],
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
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    with pytest.raises(NotAudio, match="no sound"):
        decode(buffer.getvalue())


def test_a_rate_that_no_microphone_has_is_named() -> None:
    fast = encoded_by_ffmpeg(voice(2.0, 384_000), 384_000, "matroska", "pcm_s16le")
    assert "1 channels at 384000 Hz" in refusal(fast)
