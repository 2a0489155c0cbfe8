"""Writes the audio of a job, which is the server's work on one book, as a file. A job's text is cut into
units, short pieces that are spoken one by one. The file has the audio of the units in order, all at the same
level, with the silence that belongs after each. Every format is possible; M4B and MP3 have chapters.

The functions are blocking calls, hold the audio of one unit at a time, and know no server. Equal units give
equal bytes.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import accumulate, islice
from operator import add
from pathlib import Path
from typing import Final, Literal, cast, get_args

import av
import numpy as np
import soundfile

from glm_tts_api.audio.encode import MARK, media_type, open_encoder
from glm_tts_api.audio.mastering import LEVEL, Preset, mastered
from glm_tts_api.audio.resample import Frames
from glm_tts_api.contracts import AudioFormat, Float32
from glm_tts_api.errors import JobRefuses
from glm_tts_api.longform.shelf import Look
from glm_tts_api.longform.subtitles import TimedText
from speech_text.marks import without_marks

logger = logging.getLogger(__name__)
BookFormat = Literal["m4b", AudioFormat]
BOOK_FORMATS: Final[tuple[BookFormat, ...]] = ("m4b", *get_args(AudioFormat))
_KBITS = {"m4b": 64, "mp3": 96}
_MOST_WAV_BYTES = 2**32 - 2**12


def book_media_type(book_format: BookFormat, sample_rate: int) -> str:
    return "audio/mp4" if book_format == "m4b" else media_type(book_format, sample_rate)


def speech_of(look: Look, index: int) -> Float32:
    """Returns the samples [n] in [-1, 1] of unit number `index`, read from its FLAC. The unit must be spoken
    already. The silence after the unit is not included; a unit without speech gives an empty array. Raises
    JobRefuses if the file is damaged or missing."""
    n_samples, silence = look.made.speech[index], look.made.silence[index]
    if not n_samples:
        return np.zeros(0, np.float32)
    file = look.folder.audio_file(index, n_samples, silence)
    with suppress(OSError, soundfile.LibsndfileError):
        speech: Float32 = soundfile.read(io.BytesIO(file.read_bytes()), dtype="float32")[0]
        if len(speech) == n_samples:
            return speech
    raise JobRefuses(
        f"The audio of segment {index + 1} is damaged or missing on the disk ({file.name}): resume the job, "
        "and this segment is spoken again."
    )


def remove_damaged(look: Look) -> bool:
    """Removes the audio file of each unit that `speech_of` cannot read, so that the next run of the job
    speaks the unit again. All units must be spoken. Returns whether such a unit was found."""
    found = False
    for index, sizes in enumerate(zip(look.made.speech, look.made.silence, strict=True)):
        try:
            speech_of(look, index)
        except JobRefuses as damage:
            logger.warning("Job %s: %s", look.folder.path.name, damage)
            look.folder.audio_file(index, *sizes).unlink(missing_ok=True)
            found = True
    return found


_MP3 = {"write_xing": "0", "id3v2_version": "3", "flush_packets": "1"}
_MUXERS: dict[BookFormat, tuple[str, str, dict[str, str], dict[str, str]]] = {
    "m4b": ("ipod", "aac", {"movflags": "+faststart"}, {"aac_coder": "fast"}),
    "mp3": ("mp3", "libmp3lame", _MP3, {"reservoir": "0"}),
}


def write_audio(
    path: Path,
    book_format: BookFormat,
    look: Look,
    n_units: int,
    *,
    chapter: int | None = None,
    preset: Preset = LEVEL,
) -> Iterator[None]:
    """Writes the audio of the job's first `n_units` units to the file `path`, or with `chapter` (from 1) the
    audio of that chapter alone. All of these units must be spoken. M4B and MP3 files get tags, and those of
    a whole book get chapters; only they take the sample rate and the bit rate of `preset`. Where the format
    has tags, they say that the audio is synthetic. Each step of the generator writes one piece of audio."""
    job, made = look.job, look.made
    numbers, rate = range(n_units), job.sample_rate
    tags = {"title": job.title, "album": job.title, "artist": job.author}
    if chapter is not None:
        planned = job.chapters[chapter - 1]
        numbers = planned.units
        tags |= {"title": planned.title or job.title, "track": f"{chapter}/{len(job.chapters)}"}

    def units() -> Iterator[tuple[Float32, float]]:
        for index in numbers:
            yield speech_of(look, index), made.silence[index] / rate

    pieces = mastered(units, rate, preset)
    if book_format == "m4b" or book_format == "mp3":
        chapters = chapter_times(look, n_units) if chapter is None else []
        muxer, codec, options, codec_options = _MUXERS[book_format]
        with av.open(str(path), "w", format=muxer, options={"fflags": "+bitexact", **options}) as container:
            container.metadata.update({"genre": "Audiobook", **tags, "comment": MARK})
            marks = [
                {
                    "id": number,
                    "start": round(1000 * each.start_s),
                    "end": round(1000 * each.end_s),
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": each.text or str(number + 1)},
                }
                for number, each in enumerate(chapters)
            ]
            container.set_chapters(marks)
            heard = preset.heard_rate(rate)
            stream = cast(av.AudioStream, container.add_stream(codec, rate=heard, layout="mono"))
            context = stream.codec_context
            context.bit_rate = 1000 * (preset.kbits or _KBITS[book_format])
            context.options = codec_options
            context.open()
            frames = Frames(heard, heard, context.format.name, context.frame_size)
            for pcm in pieces:
                for frame in frames.push(pcm):
                    container.mux(stream.encode(frame))
                yield
            for frame in [*frames.finish(), None]:
                container.mux(stream.encode(frame))
        return
    n_samples = sum(made.speech[:n_units]) + sum(made.silence[:n_units])
    known = None if book_format == "flac" or 2 * n_samples > _MOST_WAV_BYTES else n_samples
    encoder = open_encoder(book_format, rate, n_samples=known)
    with path.open("wb") as file:
        for pcm in pieces:
            file.write(encoder.push(pcm))
            yield
        file.write(encoder.finish())


def chapter_times(look: Look, n_units: int) -> list[TimedText]:
    """Returns the titles and times of the chapters in the audio of the job's first `n_units` units. The last
    of these chapters may be incomplete."""
    rate = look.job.sample_rate
    ends = [0, *accumulate(map(add, look.made.speech[:n_units], look.made.silence))]
    return [
        TimedText(each.title, ends[each.first] / rate, ends[min(each.units.stop, n_units)] / rate)
        for each in look.job.chapters
        if each.first < n_units
    ]


def timed_texts(look: Look, numbers: range, *, from_s: float = 0.0) -> Iterator[TimedText]:
    """Yields the text of each unit in `numbers` without its marks, with the times at which it is spoken. The
    audio of the first unit begins at `from_s` seconds. Units without speech are left out. The units of one
    block of the book get the same paragraph number. All of these units must be spoken."""
    made, sample_rate = look.made, look.job.sample_rate
    at, paragraph = round(from_s * sample_rate), 0
    block: tuple[int, int] | None = None
    for unit in islice(look.folder.units(), numbers.start, numbers.stop):
        if (unit.chapter, unit.block) != block:
            block, paragraph = (unit.chapter, unit.block), paragraph + 1
        end = at + made.speech[unit.index]
        if end > at:
            yield TimedText(without_marks(unit.text), at / sample_rate, end / sample_rate, paragraph)
        at = end + made.silence[unit.index]
