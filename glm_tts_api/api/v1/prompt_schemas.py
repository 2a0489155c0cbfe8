"""The bodies of /api/v1/prompts, as clients and /docs see them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.v1.schemas import Warnings
from glm_tts_api.voices.about import INDEX_RULE, NOTES, Gender, Language
from glm_tts_api.voices.check import CheckName, Status

RecordingPath = Annotated[
    str | None,
    Field(
        default=None,
        description="In place of prompt_audio: the name of a file in configs/ or PROMPTS_DIR. The file is "
        "copied.",
        examples=["my_voice.wav"],
    ),
]
Consent = Annotated[
    str | None,
    Field(
        default=None,
        description="Who has agreed to which use of the voice. The text is kept and shown with the voice, "
        "but not checked. At most 500 characters; a blank text removes it.",
        examples=["Recorded and agreed to by Li Hua for our audio guide, 2026-11-02."],
    ),
]
LanguageNote = Annotated[
    Literal[Language, "none"] | None,
    Field(
        default=None,
        description="The language of the voice. none: the language is taken from the transcript.",
        examples=["zh"],
    ),
]
GenderNote = Annotated[
    Literal[Gender, "none"] | None,
    Field(
        default=None,
        description="The gender of the voice, by its owner's choice. none removes the note.",
        examples=["female"],
    ),
]
Description = Annotated[
    str | None,
    Field(
        default=None,
        description="A description in free words, at most 500 characters. A blank text removes it.",
        examples=["Warm and slow, for audio guides."],
    ),
]
TrimSilence = Annotated[
    bool,
    Field(
        default=False,
        description="true: cut away the silence before and after the speech, except 0.2 s.",
        examples=[True],
    ),
]
_TRANSCRIPT = "The recording's exact transcript."
_NEEDED = (
    f"{_TRANSCRIPT} If it is left out, the error has the words that a recogniser hears, if there is one."
)
_SAID = ["录音里说的每一个字。"]


class _Notes(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    consent: Consent
    language: LanguageNote
    gender: GenderNote
    description: Description

    @property
    def about(self) -> dict[str, str]:
        """The notes that were sent, by their names. An empty text means that the note is to be removed."""
        given = ((note, getattr(self, note)) for note in NOTES)
        return {note: "" if text == "none" else text for note, text in given if text is not None}


class _NewFields(_Notes):
    prompt_text: str | None = Field(default=None, description=_NEEDED, examples=_SAID)
    prompt_audio_path: RecordingPath
    trim_silence: TrimSilence


class NewPromptFields(_NewFields):
    """Fields of POST /prompts, in addition to the file prompt_audio."""

    index: str = Field(description=f"The name of the voice: {INDEX_RULE}.", examples=["my_voice"])
    mood: str | None = Field(
        default=None,
        description="The recording is the already registered voice index in this mood. The name of a mood "
        "has the form of a voice name. The same as index=my_voice:glad.",
        examples=[""],
    )


class ChangedPromptFields(_Notes):
    """Fields of PUT /prompts/{index}, in addition to the file prompt_audio. A field that is left out keeps
    its value."""

    index: str | None = Field(
        default=None,
        description="May only repeat the name in the path: a voice cannot be renamed.",
        examples=["my_voice"],
    )
    prompt_text: str | None = Field(default=None, description=_TRANSCRIPT, examples=_SAID)
    prompt_audio_path: RecordingPath
    trim_silence: TrimSilence


class CheckedPromptFields(_NewFields):
    """Fields of POST /prompts/check, in addition to the file prompt_audio. They are the fields of
    POST /prompts."""

    index: str | None = Field(default=None, description="Not used by the check.", examples=["my_voice"])
    mood: str | None = Field(default=None, description="Not used by the check.", examples=[""])


class Recorded(BaseModel):
    """A recording of a registered voice, as an answer describes it."""

    prompt_text: str = Field(description="The recording's transcript.", examples=_SAID)
    source: Literal["shipped", "own"] = Field(
        description="shipped: the voice is from configs/prompt_cache.json. own: it was added over the API.",
        examples=["shipped"],
    )
    audio_url: str = Field(
        description="The URL path of the recording.", examples=["/api/v1/prompts/exampleA/audio"]
    )
    consent: str | None = Field(
        default=None,
        description="Who has agreed to which use of the voice, as it was sent with the voice.",
        examples=[None],
    )


class Mood(Recorded):
    """A recording of a registered voice in a mood, as an answer has it: an item of `Prompt.moods`."""

    name: str = Field(description="The name of the mood.", examples=["glad"])


class Prompt(Recorded):
    """A registered voice, with its notes and its moods."""

    index: str = Field(description="The name of the voice.", examples=["exampleA"])
    language: Literal[Language, "mixed", "other"] = Field(
        description="The language that the owner has noted, else that of the transcript.", examples=["zh"]
    )
    gender: Gender | None = Field(
        default=None, description="The gender that the owner has noted.", examples=[None]
    )
    description: str | None = Field(
        default=None, description="The owner's description of the voice.", examples=[None]
    )
    moods: list[Mood] = Field(
        default=[],
        description="Further recordings of the voice. mood=glad speaks with one of them, and so does the "
        "voice my_voice:glad.",
    )


class PromptAnswer(BaseModel):
    """The answer with one voice."""

    success: Literal[True] = True
    message: str = Field(examples=["Voice 'my_voice' is registered."])
    prompt: Prompt
    warnings: list[str] = Field(
        default=[],
        description="Sent fields that this server does not know and has not used. After POST and PUT also "
        "doubtful points of the recording or its transcript, as POST /prompts/check finds "
        "them.",
        examples=[["Speech at -47 dBFS: very quiet. Record closer to the microphone, or turn it up."]],
    )


class PromptList(BaseModel):
    """The registered voices."""

    success: Literal[True] = True
    count: int = Field(examples=[2])
    prompts: list[Prompt]
    writable: bool = Field(
        description="Whether the client may add, change and delete voices.", examples=[True]
    )


class PromptCheck(BaseModel):
    """One check of a recording, and its result."""

    name: CheckName = Field(
        description="The name of the check. recording: the server would refuse the recording, so nothing "
        "else was measured.",
        examples=["silence"],
    )
    status: Status = Field(
        description="warning: the voice could be better. error: the recording cannot be a voice.",
        examples=["warning"],
    )
    message: str = Field(
        description="The finding, and what to do.",
        examples=[
            "1.2 s of silence at the start, 0.1 s at the end; cut it away with trim_silence: 1.00 s to 6.48 "
            "s stay."
        ],
    )
    measured: dict[str, float | str] = Field(
        description="The measured figures: seconds, dBFS, shares (docs/voices.md).",
        examples=[{"start_seconds": 1.2, "end_seconds": 0.1, "keep_from": 1.0, "keep_to": 6.48}],
    )


class PromptReport(BaseModel):
    """The results of all checks of a recording and its transcript."""

    success: Literal[True] = True
    message: str = Field(examples=["1 warning, no errors."])
    status: Status = Field(description="The worst of the checks.", examples=["warning"])
    checks: list[PromptCheck]
    not_checked: list[str] = Field(
        description="The checks that did not run, each with the cause.",
        examples=[["The check 'words' did not run. The server has no recogniser of speech (ASR_MODEL_DIR)."]],
    )
    heard: str | None = Field(
        default=None, description="The words that a recogniser hears, if there is one.", examples=[None]
    )
    warnings: Warnings = []
