"""When what is heard, in the audio that a job has without a gap. Knows numbers and strings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from glm_tts_api.longform.folder import JobFolder, Made
from glm_tts_api.longform.job import Job
from glm_tts_api.longform.subtitles import TimedText
from glm_tts_api.text.markup.marks import without_marks


@dataclass(frozen=True, slots=True)
class ChapterTime:
    title: str
    start_s: float
    end_s: float


def chapter_times(job: Job, made: Made, n_units: int) -> list[ChapterTime]:
    """Of the chapters in the first `n_units` units; the last one may go on."""
    times, at = list[ChapterTime](), 0
    for chapter in job.chapters:
        if chapter.first >= n_units:
            break
        units = slice(chapter.first, min(chapter.first + chapter.n_units, n_units))
        end = at + sum(made.speech[units]) + sum(made.silence[units])
        times.append(ChapterTime(chapter.title, at / job.sample_rate, end / job.sample_rate))
        at = end
    return times


def timed_texts(folder: JobFolder, job: Job, made: Made, n_units: int) -> Iterator[TimedText]:
    """The text of each unit and when it is said; the units of a block are one paragraph. Blocking."""
    at = paragraph = 0
    block: tuple[int, int] | None = None
    for unit in islice(folder.units(), n_units):
        if (unit.chapter, unit.block) != block:
            block, paragraph = (unit.chapter, unit.block), paragraph + 1
        end = at + made.speech[unit.index]
        if end > at:
            yield TimedText(without_marks(unit.text), at / job.sample_rate, end / job.sample_rate, paragraph)
        at = end + made.silence[unit.index]
