"""The bodies of /api/v1/jobs, as clients and /docs see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from glm_tts_api.api.fields import Answer, described
from glm_tts_api.api.heard import VerifiedSegment
from glm_tts_api.api.v1.schemas import SpeechFields, Warnings
from glm_tts_api.contracts import SAMPLE_RATE, AudioFormat, JobState, SampleRate, Verdict
from glm_tts_api.longform.reading import MAX_CHARACTERS
from glm_tts_api.validation import AnyCase, FormNumber

EXAMPLE_JOB = "2f0c8a1d4a5c4f0f8f6a9a7c3f0f2f11"
_STATE: Any = described("The state of the job. message says why a job has paused or failed.", "running")


class JobFields(SpeechFields):
    """Fields of POST /jobs, in addition to the files prompt_audio and file. They include all fields of
    POST /tts."""

    input_text: str = described(
        f"The text, at most {MAX_CHARACTERS:,} characters; or send it as file.",
        "# 第一章 春天\n\n江南的春天来得很早。",
        default="",
    )
    use_cache: bool = described("Not used: each piece of a job is spoken by itself.", True, default=True)
    sample_rate: Annotated[SampleRate, FormNumber] = described(
        "The sample rate: 24000 Hz (HiFT vocoder) or 32000 Hz (Vocos2D).", 24000, default=SAMPLE_RATE
    )
    response_format: Annotated[Literal["json", AudioFormat], AnyCase] = described(
        "Not used: GET .../audio chooses the format.", "json", default="json"
    )
    stream: bool = described(
        "Not used: GET .../audio gives the audio that is made so far.", False, default=False
    )
    cast: str | dict[str, Any] | None = described(
        "The voices of the lines that begin with a name and a colon: an object of names and voices. The name "
        "旁白 or narrator stands for all other text. In a form, the object is sent as JSON text.",
        '{"旁白": "exampleA", "小王": "exampleB"}',
        default=None,
    )
    pauses: str | dict[str, Any] | None = described(
        "The seconds of silence after a heading, paragraph, item, verse or chapter, as an object. In a form, "
        "the object is sent as JSON text.",
        '{"paragraph": 0.6}',
        default=None,
    )
    timing: Annotated[Literal["exact"] | None, AnyCase] = described(
        "exact: the speech of each subtitle in file (.srt, .vtt or .ass) begins at its time, to dub a film.",
        "exact",
        default=None,
    )
    title: str = described(
        "The title of the book. If left out, it is taken from the text.",
        "江南的春天",
        default="",
        max_length=500,
    )
    author: str = described("The author of the book.", "某人", default="", max_length=500)


class JobChapter(BaseModel):
    """A chapter of a job, and how much of it is spoken."""

    title: str = Field(examples=["第一章 春天"])
    segments: int = described("The number of pieces in which the chapter is spoken.", 40)
    segments_done: int = Field(examples=[40])


class JobRow(BaseModel):
    """A job in the list of jobs, and how much of it is spoken."""

    id: str = Field(examples=[EXAMPLE_JOB])
    state: JobState = _STATE
    message: str = described("Why the job is paused or has failed, and what to do.", "")
    title: str = described("The title of the book, or that of its first chapter.", "江南的春天")
    author: str = Field(examples=["某人"])
    created_at: float = described("Seconds since 1970.", 1764230400.0)
    segments: int = described(
        "The number of pieces in which the text is spoken; 0 until they are counted.", 79
    )
    segments_done: int = Field(examples=[36])
    audio_seconds: float = described("The length of the audio that is spoken so far.", 355.2)
    eta_s: float | None = described(
        "The estimated seconds until the job is done, from its pace so far; null if unknown.", 420.0
    )
    chapter_count: int = Field(examples=[12])
    timing: Literal["exact"] | None = described("exact: subtitles keep their times.", None)


class JobAnswer(JobRow):
    """One job, with its chapters."""

    success: Literal[True] = True
    chapters: list[JobChapter]


class NewJobAnswer(JobAnswer):
    """The new job."""

    warnings: Warnings


class JobList(Answer):
    """The jobs that the client may see, the newest first."""

    count: int = Field(examples=[1])
    jobs: list[JobRow]


class JobVerdicts(Answer):
    """A recogniser's verdicts on the segments of a job so far. `segment` is a segment's number in the job."""

    count: dict[Verdict, int] = described(
        "The number of segments with each verdict.", {"ok": 78, "inconclusive": 1, "drift": 0}
    )
    doubtful: list[VerifiedSegment] = Field(description="The segments whose verdict is not ok.")


class DubbedCue(BaseModel):
    """A subtitle of a job with timing=exact, and how its speech fits. Times are in seconds."""

    number: int = described("The subtitle's number in its file.", 1)
    speaker: str = described("The speaker's name; empty if the file or the cast names none.", "小王")
    start_s: float = Field(examples=[12.5])
    wanted_s: float = described("The length of the subtitle.", 2.0)
    natural_s: float = described("The length of its speech as spoken.", 3.1)
    tempo: float = described("How many times as fast it was made: 1 to 1.6.", 1.24)
    borrowed_s: float = described("How much of the silence behind the subtitle it takes.", 0.5)
    cut_s: float = described("How much of the speech at its end is cut off.", 0.0)
    late_s: float = described("How much later than the subtitle it begins.", 0.0)


class DubbedCues(Answer):
    """How the speech of each subtitle fits that is spoken so far, in the order of time."""

    count: int = Field(examples=[1])
    cues: list[DubbedCue]


class LinkAnswer(Answer):
    """A link that opens the audio of one job without a key."""

    link: str = Field(examples=["1764273600-5f1d"])
    expires_at: int = described("Seconds since 1970.", 1764273600)


class ChapterMark(BaseModel):
    """A chapter and its times, as in the JSON chapters of Podcasting 2.0."""

    startTime: float = described("Seconds.", 0.0)
    endTime: float = described("Seconds.", 182.4)
    title: str = Field(examples=["第一章 春天"])


class ChapterMarks(BaseModel):
    """The chapters in the audio that is made so far."""

    version: str = Field(default="1.2.0", examples=["1.2.0"])
    title: str = Field(examples=["江南的春天"])
    chapters: list[ChapterMark]
