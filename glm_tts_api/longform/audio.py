"""A job's audio as a file: its units one after the other with their silences, all as loud as each other, in
any format, with chapters where the format has them. Blocking; holds one unit at a time. Knows no server.

Equal units are equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final, Literal, cast, get_args

import av
import numpy as np
import soundfile

from glm_tts_api.audio.encode import media_type, open_encoder
from glm_tts_api.audio.mark import MARK
from glm_tts_api.audio.resample import Frames
from glm_tts_api.contracts import AudioFormat, Float32
from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import Job
from glm_tts_api.longform.loudness import LEVEL, Preset, mastered
from glm_tts_api.longform.timeline import ChapterTime, chapter_times

BookFormat = Literal["m4b", AudioFormat]
BOOK_FORMATS: Final[tuple[BookFormat, ...]] = ("m4b", *get_args(AudioFormat))
_KBITS = {"m4b": 64, "mp3": 96}
_MOST_WAV_BYTES = 2**32 - 2**12


def book_media_type(book_format: BookFormat, sample_rate: int) -> str:
    return "audio/mp4" if book_format == "m4b" else media_type(book_format, sample_rate)


def pcm_of(folder: JobFolder, made: Made, units: range, sample_rate: int) -> Iterator[tuple[Float32, float]]:
    """The samples of units in [-1, 1], and the seconds of silence behind each."""
    for index in units:
        yield speech_of(folder, made, index), made.silence[index] / sample_rate


def speech_of(folder: JobFolder, made: Made, index: int) -> Float32:
    """The samples [n] of a unit in [-1, 1], without the silence behind it."""
    n_samples, silence = made.speech[index], made.silence[index]
    if not n_samples:
        return np.zeros(0, np.float32)
    speech: Float32 = soundfile.read(folder.audio_file(index, n_samples, silence), dtype="float32")[0]
    return speech


def write_audio(
    path: Path,
    book_format: BookFormat,
    folder: JobFolder,
    job: Job,
    made: Made,
    n_units: int,
    *,
    preset: Preset = LEVEL,
    is_marked: bool = False,
) -> Iterator[None]:
    """Writes the file at `path`, a step for each piece of audio. M4B and MP3 have chapters. `preset`: for the
    level. `is_marked`: the file says that it is synthetic, where the format has a place for that."""
    units = partial(pcm_of, folder, made, range(n_units), job.sample_rate)
    pieces = mastered(units, job.sample_rate, preset)
    if book_format == "m4b" or book_format == "mp3":
        chapters = chapter_times(job, made, n_units)
        tags = {"title": job.title, "album": job.title, "artist": job.author, **_mark(is_marked)}
        yield from _write_tagged(path, book_format, pieces, job.sample_rate, tags=tags, chapters=chapters)
        return
    n_samples = sum(made.speech[:n_units]) + sum(made.silence[:n_units])
    is_long = book_format == "flac" or 2 * n_samples > _MOST_WAV_BYTES
    encoder = open_encoder(
        book_format, job.sample_rate, n_samples=None if is_long else n_samples, is_marked=is_marked
    )
    with path.open("wb") as file:
        for pcm in pieces:
            file.write(encoder.push(pcm))
            yield
        file.write(encoder.finish())


def _mark(is_marked: bool) -> dict[str, str]:
    return {"comment": MARK} if is_marked else {}


def write_chapter(
    path: Path,
    folder: JobFolder,
    job: Job,
    made: Made,
    chapter: int,
    preset: Preset,
    *,
    is_marked: bool = False,
) -> Iterator[None]:
    """Writes an MP3 of one chapter, from 0, whose units are all there; a step for each piece of audio."""
    planned = job.chapters[chapter]
    numbers = range(planned.first, planned.first + planned.n_units)
    pieces = mastered(partial(pcm_of, folder, made, numbers, job.sample_rate), job.sample_rate, preset)
    tags = {
        "title": planned.title or job.title,
        "album": job.title,
        "artist": job.author,
        "track": f"{chapter + 1}/{len(job.chapters)}",
        **_mark(is_marked),
    }
    rate = preset.heard_rate(job.sample_rate)
    yield from _write_tagged(path, "mp3", pieces, rate, tags=tags, kbits=preset.kbits)


_MP3 = {"write_xing": "0", "id3v2_version": "3", "flush_packets": "1"}
_MUXERS: dict[BookFormat, tuple[str, str, dict[str, str], dict[str, str]]] = {
    "m4b": ("ipod", "aac", {"movflags": "+faststart"}, {"aac_coder": "fast"}),
    "mp3": ("mp3", "libmp3lame", _MP3, {"reservoir": "0"}),
}


def _write_tagged(
    path: Path,
    book_format: Literal["m4b", "mp3"],
    pieces: Iterable[Float32],
    sample_rate: int,
    *,
    tags: Mapping[str, str],
    chapters: Sequence[ChapterTime] = (),
    kbits: int | None = None,
) -> Iterator[None]:
    """Writes a file with tags and chapters, a step for each piece. `kbits` a second, where not the usual."""
    muxer, codec, options, codec_options = _MUXERS[book_format]
    with av.open(str(path), "w", format=muxer, options={"fflags": "+bitexact", **options}) as container:
        container.metadata.update({"genre": "Audiobook", **tags})
        container.set_chapters([_chapter(number, each) for number, each in enumerate(chapters)])
        stream = cast(av.AudioStream, container.add_stream(codec, rate=sample_rate, layout="mono"))
        context = stream.codec_context
        context.bit_rate, context.options = 1000 * (kbits or _KBITS[book_format]), codec_options
        context.open()
        frames = Frames(sample_rate, sample_rate, context.format.name, context.frame_size)
        for pcm in pieces:
            for frame in frames.push(pcm):
                container.mux(stream.encode(frame))
            yield
        for frame in [*frames.finish(), None]:
            container.mux(stream.encode(frame))


def _chapter(number: int, chapter: ChapterTime) -> dict[str, object]:
    """As PyAV takes it."""
    return {
        "id": number,
        "start": round(1000 * chapter.start_s),
        "end": round(1000 * chapter.end_s),
        "time_base": Fraction(1, 1000),
        "metadata": {"title": chapter.title or str(number + 1)},
    }
