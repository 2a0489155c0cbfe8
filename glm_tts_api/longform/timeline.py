"""Calculates when each chapter and each text is heard in the audio of a job. Works on numbers and strings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from glm_tts_api.longform.folder import Made
from glm_tts_api.longform.job import Job, Unit
from glm_tts_api.longform.subtitles import TimedText
from speech_text.markup.marks import without_marks


@dataclass(frozen=True, slots=True)
class ChapterTime:
    title: str
    start_s: float
    end_s: float


def chapter_times(job: Job, made: Made, n_units: int) -> list[ChapterTime]:
    """Returns the times of the chapters in the audio of the job's first `n_units` units. The last of these
    chapters may be incomplete."""
    times, at = list[ChapterTime](), 0
    for chapter in job.chapters:
        if chapter.first >= n_units:
            break
        units = slice(chapter.first, min(chapter.first + chapter.n_units, n_units))
        end = at + sum(made.speech[units]) + sum(made.silence[units])
        times.append(ChapterTime(chapter.title, at / job.sample_rate, end / job.sample_rate))
        at = end
    return times


def timed_texts(
    units: Iterable[Unit], made: Made, sample_rate: int, *, from_s: float = 0.0
) -> Iterator[TimedText]:
    """Yields the text of each unit without its marks, with the times at which it is spoken. The audio of the
    first unit begins at `from_s` seconds. Units without speech are left out. The units of one block of the
    book get the same paragraph number. `made` is the job's progress, which must have all `units`."""
    at, paragraph = round(from_s * sample_rate), 0
    block: tuple[int, int] | None = None
    for unit in units:
        if (unit.chapter, unit.block) != block:
            block, paragraph = (unit.chapter, unit.block), paragraph + 1
        end = at + made.speech[unit.index]
        if end > at:
            yield TimedText(without_marks(unit.text), at / sample_rate, end / sample_rate, paragraph)
        at = end + made.silence[unit.index]
