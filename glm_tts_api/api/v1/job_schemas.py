"""The bodies of /api/v1/jobs, as clients and /docs see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from glm_tts_api.api.v1.schemas import SpeechFields, Warnings
from glm_tts_api.contracts import AudioFormat, JobState
from glm_tts_api.longform.reading import MAX_CHARACTERS
from glm_tts_api.validation import AnyCase

EXAMPLE_JOB = "2f0c8a1d4a5c4f0f8f6a9a7c3f0f2f11"
_STATE: Any = Field(
    description="queued, running, paused, done, failed or cancelled; message says why it paused or failed.",
    examples=["running"],
)


class JobFields(SpeechFields):
    """Fields of POST /jobs beside the files prompt_audio and file: those of POST /tts."""

    input_text: str = Field(
        default="",
        description=f"The text, at most {MAX_CHARACTERS:,} characters; or send it as file.",
        examples=["# 第一章 春天\n\n江南的春天来得很早。"],
    )
    use_cache: bool = Field(
        default=True, description="Not used: each piece of a job is spoken by itself.", examples=[True]
    )
    response_format: Annotated[Literal["json", AudioFormat], AnyCase] = Field(
        default="json", description="Not used: GET .../audio says which format.", examples=["json"]
    )
    stream: bool = Field(
        default=False, description="Not used: GET .../audio gives what there is.", examples=[False]
    )
    cast: str | dict[str, Any] | None = Field(
        default=None,
        description="Who speaks the lines that begin with a name and a colon: names and their voices, 旁白 "
        "or narrator for all the rest; in a form its text as JSON.",
        examples=['{"旁白": "exampleA", "小王": "exampleB"}'],
    )
    pauses: str | dict[str, Any] | None = Field(
        default=None,
        description="Seconds of silence behind a heading, paragraph, item, verse or chapter; in a form its "
        "text as JSON.",
        examples=['{"paragraph": 0.6}'],
    )
    title: str = Field(
        default="", max_length=500, description="Of the book; else the text's own.", examples=["江南的春天"]
    )
    author: str = Field(default="", max_length=500, description="Of the book.", examples=["某人"])


class JobChapter(BaseModel):
    """A chapter, and how far it is."""

    title: str = Field(examples=["第一章 春天"])
    segments: int = Field(description="Pieces that it is spoken in.", examples=[40])
    segments_done: int = Field(examples=[40])


class JobRow(BaseModel):
    """A job in the list of all, and how far it is."""

    id: str = Field(examples=[EXAMPLE_JOB])
    state: JobState = _STATE
    message: str = Field(description="Why it is paused or failed, and what to do.", examples=[""])
    title: str = Field(description="Or that of its first chapter.", examples=["江南的春天"])
    author: str = Field(examples=["某人"])
    created_at: float = Field(description="Seconds since 1970.", examples=[1764230400.0])
    segments: int = Field(
        description="Pieces that the text is spoken in; 0 until they are counted.", examples=[79]
    )
    segments_done: int = Field(examples=[36])
    audio_seconds: float = Field(description="Of what is spoken by now.", examples=[355.2])
    eta_s: float | None = Field(
        description="Seconds until it is done, by its pace so far; null where nobody can say.",
        examples=[420.0],
    )
    chapter_count: int = Field(examples=[12])


class JobAnswer(JobRow):
    """One job, with its chapters."""

    success: Literal[True] = True
    chapters: list[JobChapter]


class NewJobAnswer(JobAnswer):
    """The job that was made."""

    warnings: Warnings = []


class JobList(BaseModel):
    """The jobs that who asks may see, the newest first."""

    success: Literal[True] = True
    count: int = Field(examples=[1])
    jobs: list[JobRow]


class LinkAnswer(BaseModel):
    """A link that opens the audio of one job without a key."""

    success: Literal[True] = True
    link: str = Field(examples=["1764273600-5f1d"])
    expires_at: int = Field(description="Seconds since 1970.", examples=[1764273600])


class ChapterMark(BaseModel):
    """As in the JSON chapters of Podcasting 2.0."""

    startTime: float = Field(description="Seconds.", examples=[0.0])
    endTime: float = Field(description="Seconds.", examples=[182.4])
    title: str = Field(examples=["第一章 春天"])


class ChapterMarks(BaseModel):
    """The chapters in the audio that there is."""

    version: str = Field(default="1.2.0", examples=["1.2.0"])
    title: str = Field(examples=["江南的春天"])
    chapters: list[ChapterMark]
