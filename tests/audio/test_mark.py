"""Files that say that they are synthetic, in the words of other programs, with the same samples."""

from __future__ import annotations

import io
import wave

import av
import numpy as np
import pytest
import soundfile

from glm_tts_api.audio.encode import encode, open_encoder
from glm_tts_api.audio.mark import MARK
from glm_tts_api.contracts import AudioFormat
from tests.audio.test_encode import heard, in_pieces
from tests.recordings import voice

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MARKED: list[tuple[AudioFormat, bool]] = [
    ("wav", False),
    *((name, streamed) for name in ("flac", "mp3", "opus") for streamed in (False, True)),
]
PLAIN: list[tuple[AudioFormat, bool]] = [
    ("wav", True),
    *((name, streamed) for name in ("aac", "pcm") for streamed in (False, True)),
]


def body(audio_format: AudioFormat, *, streamed: bool, is_marked: bool = True) -> bytes:
    spoken = voice(1.2345)
    encoder = open_encoder(
        audio_format, 24000, n_samples=None if streamed else len(spoken), is_marked=is_marked
    )
    return b"".join(in_pieces(encoder, spoken, 2400))


def tags(data: bytes) -> dict[str, str]:
    """As FFmpeg tells them, in small letters."""
    with av.open(io.BytesIO(data)) as file:
        found = {**file.metadata, **file.streams.audio[0].metadata}
    return {name.lower(): value for name, value in found.items()}


@pytest.mark.parametrize(("audio_format", "streamed"), MARKED)
def test_ffmpeg_reads_the_mark_and_hears_the_same_samples(audio_format: AudioFormat, streamed: bool) -> None:
    marked = body(audio_format, streamed=streamed)
    assert tags(marked)["comment"] == (SOURCE.rpartition("/")[2] if audio_format == "mp3" else MARK)
    assert SOURCE in MARK
    plain = body(audio_format, streamed=streamed, is_marked=False)
    assert "comment" not in tags(plain)
    np.testing.assert_array_equal(heard(marked, audio_format, 24000), heard(plain, audio_format, 24000))


@pytest.mark.parametrize(("audio_format", "streamed"), PLAIN)
def test_what_has_no_place_for_a_mark_is_as_it_was(audio_format: AudioFormat, streamed: bool) -> None:
    marked, plain = (body(audio_format, streamed=streamed, is_marked=each) for each in (True, False))
    assert marked == plain


def test_the_samples_of_a_marked_wav_begin_at_byte_44_and_each_reader_finds_them_alone() -> None:
    plain, marked = (body("wav", streamed=False, is_marked=each) for each in (False, True))
    assert marked[44 : len(plain)] == plain[44:]
    assert int.from_bytes(marked[4:8], "little") == len(marked) - 8
    with wave.open(io.BytesIO(marked)) as file:
        assert file.readframes(file.getnframes() + 1000) == plain[44:]
    samples, _ = soundfile.read(io.BytesIO(marked), dtype="int16")
    assert samples.tobytes() == plain[44:]


def test_joined_marked_bodies_play_to_their_end() -> None:
    """As Dify joins them; each decoder, PyAV's too, which is strict, takes the mark for no sound."""
    one = encode(voice(2.0), "mp3", 24000, is_marked=True)
    assert b"Xing" not in one  # it would end the playing with the first
    assert b"Info" not in one
    assert abs(len(heard(one + one, "mp3", 24000)) / 24000 - 4.0) < 0.1
    assert abs(soundfile.info(io.BytesIO(one + one)).duration - 4.0) < 0.1
    with av.open(io.BytesIO(one + one)) as file:
        assert abs(sum(frame.samples for frame in file.decode(audio=0)) / 24000 - 4.0) < 0.1
