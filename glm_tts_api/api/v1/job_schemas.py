"""The bodies of /api/v1/jobs, as clients and /docs see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from glm_tts_api.api.v1.schemas import SpeechFields, Warnings
from glm_tts_api.api.verified import VerifiedSegment
from glm_tts_api.contracts import AudioFormat, JobState, Verdict
from glm_tts_api.longform.reading import MAX_CHARACTERS
from glm_tts_api.validation import AnyCase

EXAMPLE_JOB = "2f0c8a1d4a5c4f0f8f6a9a7c3f0f2f11"
_STATE: Any = Field(
    description="The state of the job. message says why a job has paused or failed.",
    examples=["running"],
)


class JobFields(SpeechFields):
    """Fields of POST /jobs, in addition to the files prompt_audio and file. They include all fields of
    POST /tts."""

    input_text: str = Field(
        default="",
        description=f"The text, at most {MAX_CHARACTERS:,} characters; or send it as file.",
        examples=["# 第一章 春天\n\n江南的春天来得很早。"],
    )
    use_cache: bool = Field(
        default=True, description="Not used: each piece of a job is spoken by itself.", examples=[True]
    )
    response_format: Annotated[Literal["json", AudioFormat], AnyCase] = Field(
        default="json", description="Not used: GET .../audio chooses the format.", examples=["json"]
    )
    stream: bool = Field(
        default=False,
        description="Not used: GET .../audio gives the audio that is made so far.",
        examples=[False],
    )
    cast: str | dict[str, Any] | None = Field(
        default=None,
        description="The voices of the lines that begin with a name and a colon: an object of names and "
        "voices. The name 旁白 or narrator stands for all other text. In a form, the object is "
        "sent as JSON text.",
        examples=['{"旁白": "exampleA", "小王": "exampleB"}'],
    )
    pauses: str | dict[str, Any] | None = Field(
        default=None,
        description="The seconds of silence after a heading, paragraph, item, verse or chapter, as an "
        "object. In a form, the object is sent as JSON text.",
        examples=['{"paragraph": 0.6}'],
    )
    title: str = Field(
        default="",
        max_length=500,
        description="The title of the book. If left out, it is taken from the text.",
        examples=["江南的春天"],
    )
    author: str = Field(default="", max_length=500, description="The author of the book.", examples=["某人"])


class JobChapter(BaseModel):
    """A chapter of a job, and how much of it is spoken."""

    title: str = Field(examples=["第一章 春天"])
    segments: int = Field(description="The number of pieces in which the chapter is spoken.", examples=[40])
    segments_done: int = Field(examples=[40])


class JobRow(BaseModel):
    """A job in the list of jobs, and how much of it is spoken."""

    id: str = Field(examples=[EXAMPLE_JOB])
    state: JobState = _STATE
    message: str = Field(description="Why the job is paused or has failed, and what to do.", examples=[""])
    title: str = Field(
        description="The title of the book, or that of its first chapter.", examples=["江南的春天"]
    )
    author: str = Field(examples=["某人"])
    created_at: float = Field(description="Seconds since 1970.", examples=[1764230400.0])
    segments: int = Field(
        description="The number of pieces in which the text is spoken; 0 until they are counted.",
        examples=[79],
    )
    segments_done: int = Field(examples=[36])
    audio_seconds: float = Field(
        description="The length of the audio that is spoken so far.", examples=[355.2]
    )
    eta_s: float | None = Field(
        description="The estimated seconds until the job is done, from its pace so far; null if unknown.",
        examples=[420.0],
    )
    chapter_count: int = Field(examples=[12])


class JobAnswer(JobRow):
    """One job, with its chapters."""

    success: Literal[True] = True
    chapters: list[JobChapter]


class NewJobAnswer(JobAnswer):
    """The new job."""

    warnings: Warnings = []


class JobList(BaseModel):
    """The jobs that the client may see, the newest first."""

    success: Literal[True] = True
    count: int = Field(examples=[1])
    jobs: list[JobRow]


class LinkAnswer(BaseModel):
    """A link that opens the audio of one job without a key."""

    success: Literal[True] = True
    link: str = Field(examples=["1764273600-5f1d"])
    expires_at: int = Field(description="Seconds since 1970.", examples=[1764273600])


class ChapterMark(BaseModel):
    """A chapter and its times, as in the JSON chapters of Podcasting 2.0."""

    startTime: float = Field(description="Seconds.", examples=[0.0])
    endTime: float = Field(description="Seconds.", examples=[182.4])
    title: str = Field(examples=["第一章 春天"])


class ChapterMarks(BaseModel):
    """The chapters in the audio that is made so far."""

    version: str = Field(default="1.2.0", examples=["1.2.0"])
    title: str = Field(examples=["江南的春天"])
    chapters: list[ChapterMark]


class JobVerdicts(BaseModel):
    """A recogniser's verdicts on the segments of a job so far. `segment` is a segment's number in the job."""

    success: Literal[True] = True
    count: dict[Verdict, int] = Field(
        description="The number of segments with each verdict.",
        examples=[{"ok": 78, "inconclusive": 1, "drift": 0}],
    )
    doubtful: list[VerifiedSegment] = Field(description="The segments whose verdict is not ok.")
