"""Writes the audio of a job, which is the server's work on one book, as a file. A job's text is cut into
units, short pieces that are spoken one by one. The file has the audio of the units in order, all at the same
level, with the silence that belongs after each; a timed job has each subtitle at its time. Every format is
possible; M4B and MP3 have chapters.

The functions are blocking calls, hold the audio of one unit at a time, and know no server. Equal units give
equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import accumulate, groupby, islice
from operator import add
from pathlib import Path
from typing import Final, Literal, cast, get_args

import av

from glm_tts_api.audio.encode import MARK, media_type, open_encoder
from glm_tts_api.audio.mastering import LEVEL, Preset, mastered
from glm_tts_api.audio.resample import Frames
from glm_tts_api.contracts import AudioFormat, Float32
from glm_tts_api.longform.dubbing import Dubbed, dub_pieces, dubbed, length_of
from glm_tts_api.longform.script import Cue
from glm_tts_api.longform.shelf import Look
from glm_tts_api.longform.speech import speech_of
from glm_tts_api.longform.subtitles import TimedText
from speech_text.blocks import join_lines
from speech_text.marks import without_marks

BookFormat = Literal["m4b", AudioFormat]
BOOK_FORMATS: Final[tuple[BookFormat, ...]] = ("m4b", *get_args(AudioFormat))
_KBITS = {"m4b": 64, "mp3": 96}
_MOST_WAV_BYTES = 2**32 - 2**12


def book_media_type(book_format: BookFormat, sample_rate: int) -> str:
    return "audio/mp4" if book_format == "m4b" else media_type(book_format, sample_rate)


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
    speaker: str | None = None,
) -> Iterator[None]:
    """Writes the audio of the job's first `n_units` units to the file `path`, or with `chapter` (from 1) the
    audio of that chapter alone. All of these units must be spoken. M4B and MP3 files get tags, and those of
    a whole book get chapters; only they take the sample rate and the bit rate of `preset`. Where the format
    has tags, they say that the audio is synthetic. Each step of the generator writes one piece of audio. Of a
    timed job, the file has the speech of `speaker` alone if that is given."""
    job, made = look.job, look.made
    numbers, rate = range(n_units), job.sample_rate
    tags = {"title": job.title, "album": job.title, "artist": job.author}
    if chapter is not None:
        planned = job.chapters[chapter - 1]
        numbers = planned.units
        tags |= {"title": planned.title or job.title, "track": f"{chapter}/{len(job.chapters)}"}

    cues = list[Dubbed]()
    for cue in dubbed(look, n_units):
        cues.append(cue)
        yield
    if job.is_timed:
        pieces = mastered(partial(dub_pieces, look, cues, speaker), rate, preset)
    else:
        pieces = mastered(partial(_units, look, numbers), rate, preset)
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
    spoken = sum(made.speech[:n_units]) + sum(made.silence[:n_units])
    n_samples = length_of(cues) if job.is_timed else spoken
    known = None if book_format == "flac" or 2 * n_samples > _MOST_WAV_BYTES else n_samples
    encoder = open_encoder(book_format, rate, n_samples=known)
    with path.open("wb") as file:
        for pcm in pieces:
            file.write(encoder.push(pcm))
            yield
        file.write(encoder.finish())


def _units(look: Look, numbers: range) -> Iterator[tuple[Float32, float]]:
    for index in numbers:
        yield speech_of(look, index), look.made.silence[index] / look.job.sample_rate


def chapter_times(look: Look, n_units: int) -> list[TimedText]:
    """Returns the titles and times of the chapters in the audio of the job's first `n_units` units. The last
    of these chapters may be incomplete. The audio of a timed job has none."""
    if look.job.is_timed:
        return []
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
    block of the book get the same paragraph number. All of these units must be spoken. Of a timed job, yields
    each subtitle with its own times."""
    if look.job.is_timed:
        for cue, text in _texts_of_cues(look, numbers):
            yield TimedText(text, cue.start_s, cue.end_s, cue.number)
        return
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


def _texts_of_cues(look: Look, numbers: range) -> Iterator[tuple[Cue, str]]:
    units = islice(look.folder.units(), numbers.start, numbers.stop)
    for cue, said in groupby(units, lambda unit: unit.cue):
        assert cue is not None
        yield cue, join_lines([without_marks(unit.text) for unit in said])
