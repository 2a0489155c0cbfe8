"""Files that say that they are synthetic, in the words of other programs, with the same samples."""

from __future__ import annotations

import io
import wave

import av
import pytest
import soundfile

from glm_tts_api.audio.encode import MARK, encode
from glm_tts_api.contracts import AudioFormat
from tests.audio.test_encode import body_of, heard
from tests.recordings import voice

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MARKED: list[tuple[AudioFormat, bool]] = [
    ("wav", False),
    *((name, streamed) for name in ("flac", "mp3", "opus") for streamed in (False, True)),
]


def tags(data: bytes) -> dict[str, str]:
    """As FFmpeg tells them, in small letters."""
    with av.open(io.BytesIO(data)) as file:
        found = {**file.metadata, **file.streams.audio[0].metadata}
    return {name.lower(): value for name, value in found.items()}


@pytest.mark.parametrize(("audio_format", "streamed"), MARKED)
def test_ffmpeg_reads_the_mark(audio_format: AudioFormat, streamed: bool) -> None:
    found = tags(body_of(voice(1.2345), audio_format, 24000, streamed))
    assert found["comment"] == (SOURCE.rpartition("/")[2] if audio_format == "mp3" else MARK)
    assert SOURCE in MARK


def test_the_samples_of_a_wav_begin_at_byte_44_and_each_reader_finds_them_alone() -> None:
    spoken = voice(1.2345)
    wav, pcm = encode(spoken, "wav", 24000), encode(spoken, "pcm", 24000)
    assert wav[44 : 44 + len(pcm)] == pcm
    assert int.from_bytes(wav[4:8], "little") == len(wav) - 8
    with wave.open(io.BytesIO(wav)) as file:
        assert file.readframes(file.getnframes() + 1000) == pcm
    samples, _ = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert samples.tobytes() == pcm


def test_joined_marked_bodies_play_to_their_end() -> None:
    """As Dify joins them; each decoder, PyAV's too, which is strict, takes the mark for no sound."""
    one = encode(voice(2.0), "mp3", 24000)
    assert b"Xing" not in one  # it would end the playing with the first
    assert b"Info" not in one
    assert abs(len(heard(one + one, "mp3", 24000)) / 24000 - 4.0) < 0.1
    assert abs(soundfile.info(io.BytesIO(one + one)).duration - 4.0) < 0.1
    with av.open(io.BytesIO(one + one)) as file:
        assert abs(sum(frame.samples for frame in file.decode(audio=0)) / 24000 - 4.0) < 0.1
