"""The bodies of the registered voices, as clients and /docs see them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.v1.schemas import Warnings
from glm_tts_api.voices.check import CheckName, Status
from glm_tts_api.voices.names import INDEX_RULE

RecordingPath = Annotated[
    str | None,
    Field(
        default=None,
        description="In place of prompt_audio: a file in configs/ or PROMPTS_DIR; it is copied.",
        examples=["my_voice.wav"],
    ),
]
Consent = Annotated[
    str | None,
    Field(
        default=None,
        description="Who agreed to what: kept with the voice and shown with it, not checked. At most 500 "
        "characters; blanks alone remove it.",
        examples=["Recorded and agreed to by Li Hua for our audio guide, 2026-11-02."],
    ),
]
_TRANSCRIPT = "The recording's exact transcript."
_SAID = ["录音里说的每一个字。"]


class NewPromptFields(BaseModel):
    """Fields of POST /prompts beside the file prompt_audio."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    index: str = Field(description=f"Its name: {INDEX_RULE}.", examples=["my_voice"])
    prompt_text: str = Field(description=_TRANSCRIPT, examples=_SAID)
    prompt_audio_path: RecordingPath
    consent: Consent


class ChangedPromptFields(BaseModel):
    """Fields of PUT /prompts/{index} beside the file prompt_audio. A field that is left out keeps its
    value."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    index: str | None = Field(
        default=None,
        description="May repeat the name that the path has; a voice is not renamed.",
        examples=["my_voice"],
    )
    prompt_text: str | None = Field(default=None, description=_TRANSCRIPT, examples=_SAID)
    prompt_audio_path: RecordingPath
    consent: Consent


class CheckedPromptFields(BaseModel):
    """Fields of POST /prompts/check beside the file prompt_audio: those of POST /prompts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    index: str | None = Field(default=None, description="Not looked at.", examples=["my_voice"])
    prompt_text: str = Field(description=_TRANSCRIPT, examples=_SAID)
    prompt_audio_path: RecordingPath
    consent: str | None = Field(default=None, description="Not looked at.", examples=[None])


class Prompt(BaseModel):
    """A registered voice."""

    index: str = Field(description="Its name.", examples=["exampleA"])
    prompt_text: str = Field(description="The recording's transcript.", examples=_SAID)
    source: Literal["shipped", "own"] = Field(
        description="shipped: from configs/prompt_cache.json; own: added over the API.", examples=["shipped"]
    )
    audio_url: str = Field(description="Where the recording is.", examples=["/api/v1/prompts/exampleA/audio"])
    consent: str | None = Field(
        default=None, description="Who agreed to what, as it was sent with the voice.", examples=[None]
    )


class PromptAnswer(BaseModel):
    """A voice."""

    success: Literal[True] = True
    message: str = Field(examples=["Voice 'my_voice' is registered."])
    prompt: Prompt
    warnings: list[str] = Field(
        default=[],
        description="Fields by other names than ours, which were not used; of POST and PUT also what is "
        "doubtful in the recording or its transcript, as POST /prompts/check finds it.",
        examples=[["Speech at -47 dBFS: very quiet. Record closer to the microphone, or turn it up."]],
    )


class PromptList(BaseModel):
    """Every voice."""

    success: Literal[True] = True
    count: int = Field(examples=[2])
    prompts: list[Prompt]
    writable: bool = Field(description="Whether who asks may add, change and delete them.", examples=[True])


class PromptCheck(BaseModel):
    """One check of a recording."""

    name: CheckName = Field(
        description="recording: the server would not take it, and nothing else of it was measured.",
        examples=["silence"],
    )
    status: Status = Field(
        description="warning: the voice can be better; error: it will not do.", examples=["warning"]
    )
    message: str = Field(
        description="What was found, and what to do.",
        examples=["1.2 s of silence at the start, 0.1 s at the end; cut it away: keep 1.00 s to 6.48 s."],
    )
    measured: dict[str, float | str] = Field(
        description="The figures: seconds, dBFS, shares (docs/voices.md).",
        examples=[{"start_seconds": 1.2, "end_seconds": 0.1, "keep_from": 1.0, "keep_to": 6.48}],
    )


class PromptReport(BaseModel):
    """Good and doubtful points of a recording and its transcript."""

    success: Literal[True] = True
    message: str = Field(examples=["1 warning, no errors."])
    status: Status = Field(description="The worst of the checks.", examples=["warning"])
    checks: list[PromptCheck]
    warnings: Warnings = []
