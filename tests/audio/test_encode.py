"""Eight formats, whole and piece by piece, read back by decoders that are not the encoders' own."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from glm_tts_api.audio.encode import Encoder, encode, open_encoder, played_rate
from glm_tts_api.audio.resample import Resampled
from glm_tts_api.contracts import AudioFormat
from tests.recordings import voice

FORMATS: tuple[AudioFormat, ...] = ("wav", "flac", "mp3", "opus", "aac", "pcm", "mulaw", "alaw")
TELEPHONE = {"mulaw": "ULAW", "alaw": "ALAW"}  # in libsndfile
FRAME = {("mp3", 24000): 576, ("mp3", 32000): 1152, ("aac", 24000): 1024, ("aac", 32000): 1024}


def in_pieces(encoder: Encoder, pcm: npt.NDArray[np.float32], size: int) -> list[bytes]:
    pieces = [encoder.push(pcm[at : at + size]) for at in range(0, len(pcm), size)]
    return [*pieces, encoder.finish()]


def heard(body: bytes, audio_format: AudioFormat, rate: int) -> npt.NDArray[np.float32]:
    """What FFmpeg makes of a body."""
    if audio_format == "pcm":
        return np.frombuffer(body, "<i2").astype(np.float32) / np.float32(32768)
    if audio_format in TELEPHONE:
        form = {"format": "RAW", "subtype": TELEPHONE[audio_format], "channels": 1, "samplerate": 8000}
        pcm: npt.NDArray[np.float32] = soundfile.read(io.BytesIO(body), dtype="float32", **form)[0]
        return pcm
    with av.open(io.BytesIO(body)) as file:
        resampler = av.AudioResampler("flt", "mono", rate)
        frames = [piece for frame in [*file.decode(audio=0), None] for piece in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def body_of(spoken: npt.NDArray[np.float32], audio_format: AudioFormat, rate: int, streamed: bool) -> bytes:
    encoder = open_encoder(audio_format, rate, n_samples=None if streamed else len(spoken))
    return b"".join(in_pieces(encoder, spoken, rate // 10 if streamed else len(spoken)))


def level_db(pcm: npt.NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.square(pcm).mean()))


@pytest.mark.parametrize("rate", [24000, 32000])
@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("streamed", [False, True])
def test_ffmpeg_hears_the_right_length_and_level(
    audio_format: AudioFormat, rate: int, streamed: bool
) -> None:
    spoken = voice(3.123, rate)
    plays_at = played_rate(audio_format, rate)
    found = heard(body_of(spoken, audio_format, rate, streamed), audio_format, plays_at)
    tolerance_s = FRAME.get((audio_format, rate), 0) / 2 / rate  # these know whole frames alone
    assert abs(len(found) / plays_at - 3.123) <= max(tolerance_s, 0.001)
    assert abs(level_db(found) - level_db(spoken)) < 0.6


@pytest.mark.parametrize("audio_format", FORMATS)
def test_what_is_heard_begins_where_the_speech_does(audio_format: AudioFormat) -> None:
    """The encoders' delay is left out, or declared."""
    spoken = np.concatenate([np.zeros(4800, np.float32), voice(1.0)])
    found = heard(encode(spoken, audio_format, 24000), audio_format, 24000)
    begin = np.flatnonzero(np.abs(found) > 0.1)[0] / played_rate(audio_format, 24000)
    expected = np.flatnonzero(np.abs(spoken) > 0.1)[0] / 24000
    assert abs(begin - expected) < 0.01


def test_opus_has_no_32_khz_and_goes_out_at_48_and_a_telephone_has_8() -> None:
    rates = {
        (name, rate): open_encoder(name, rate).sample_rate for name in FORMATS for rate in (24000, 32000)
    }
    others = {("opus", 32000): 48000, **{(name, rate): 8000 for name in TELEPHONE for rate in (24000, 32000)}}
    assert rates == {which: others.get(which, which[1]) for which in rates}


@pytest.mark.parametrize("audio_format", TELEPHONE)
def test_a_telephone_gets_whole_frames_of_20_ms(audio_format: AudioFormat) -> None:
    spoken = voice(2.01)
    *pieces, last = in_pieces(open_encoder(audio_format, 24000), spoken, 7217)
    assert {len(piece) % 160 for piece in pieces} == {0}
    assert b"".join([*pieces, last]) == encode(spoken, audio_format, 24000)
    assert sum(map(len, pieces)) + len(last) == 16080


@pytest.mark.parametrize("heard_rate", [8000, 16000, 22050, 24000])
@pytest.mark.parametrize("rate", [24000, 32000])
def test_what_a_rate_cannot_hold_is_80_db_down_and_what_it_can_is_whole(rate: int, heard_rate: int) -> None:
    def gain_db(frequency: float) -> float:
        tone = np.sin(2 * np.pi * frequency * np.arange(rate) / rate).astype(np.float32)
        resampled = Resampled(rate, heard_rate)
        pcm = np.concatenate([resampled.push(tone), resampled.finish()])
        return level_db(pcm[len(pcm) // 4 : -len(pcm) // 4]) - level_db(tone)

    highest = heard_rate / 2
    assert all(abs(gain_db(part * highest)) < 0.1 for part in (0.1, 0.5, 0.9))
    above = [part * highest for part in (1.01, 1.05, 1.2, 1.5, 1.9) if part * heard_rate < rate]
    assert all(gain_db(frequency) < -80 for frequency in above)


@pytest.mark.parametrize("heard_rate", [8000, 22050, 44100, 48000])
def test_pieces_are_resampled_to_the_same_samples_as_the_whole(heard_rate: int) -> None:
    spoken = voice(1.2345)
    made = []
    for size in (len(spoken), 7217, 480):
        resampled = Resampled(24000, heard_rate)
        pieces = [resampled.push(spoken[at : at + size]) for at in range(0, len(spoken), size)]
        made.append(np.concatenate([*pieces, resampled.finish()]))
    assert len(made[0]) == int(len(spoken) * heard_rate / 24000 + 0.5)
    assert all(np.array_equal(each, made[0]) for each in made)


@pytest.mark.parametrize("rate", [24000, 32000])
@pytest.mark.parametrize(
    ("audio_format", "within"), [("wav", 1), ("pcm", 1), ("opus", 1), ("flac", 1), ("mp3", 2), ("aac", 2)]
)
def test_bytes_leave_with_the_first_audio(audio_format: AudioFormat, within: int, rate: int) -> None:
    """No muxer waits for more than a frame's worth: sound is on its way after 100 ms of audio, or 200."""
    first = in_pieces(open_encoder(audio_format, rate), voice(1.0, rate), rate // 10)[:within]
    assert sum(map(len, first)) > 200


def test_a_streamed_wav_says_that_its_length_is_unknown_in_one_write_with_its_first_audio() -> None:
    header, *_ = in_pieces(open_encoder("wav", 24000), voice(0.2), 2400)
    assert len(header) == 44 + 2 * 2400
    assert struct.unpack_from("<I", header, 4) == struct.unpack_from("<I", header, 40) == (0xFFFFFFFF,)


@pytest.mark.parametrize("audio_format", ["wav", "flac"])
@pytest.mark.parametrize("streamed", [False, True])
def test_lossless_formats_hold_every_sample_and_no_more(audio_format: AudioFormat, streamed: bool) -> None:
    spoken = voice(1.2345)
    with av.open(io.BytesIO(body_of(spoken, audio_format, 24000, streamed))) as file:
        found = np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])
    assert len(found) == len(spoken)
    np.testing.assert_allclose(found, spoken * 32767, atol=1.01)


def test_what_is_louder_than_full_scale_is_clipped_and_does_not_wrap() -> None:
    wav = encode(np.array([2.0, -2.0, 1.0, -1.0], np.float32), "wav", 24000)
    samples, _ = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert samples.tolist() == [32767, -32767, 32767, -32767]


@pytest.mark.parametrize("audio_format", FORMATS)
def test_nothing_at_all_is_no_fault(audio_format: AudioFormat) -> None:
    encoder = open_encoder(audio_format, 24000)
    assert isinstance(encoder.push(np.zeros(0, np.float32)) + encoder.finish(), bytes)


def test_opus_bodies_of_other_speech_are_other_streams() -> None:
    """Joined they are a chain, and each of its links needs a serial number of its own (RFC 3533, 4)."""
    serials = {encode(voice(seconds), "opus", 24000)[14:18] for seconds in (0.5, 0.6, 0.7)}
    assert len(serials) == 3
