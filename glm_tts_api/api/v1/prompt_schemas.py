"""The bodies of /api/v1/prompts, as clients and /docs see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from glm_tts_api.api.fields import Answer, Fields, described
from glm_tts_api.api.v1.schemas import Warnings
from glm_tts_api.voices.about import ALLOWED, INDEX_RULE, NOTES, Gender, Language
from glm_tts_api.voices.check import CheckName, Status

RecordingPath = Annotated[
    str | None,
    described(
        "In place of prompt_audio: the name of a file in configs/ or PROMPTS_DIR. The file is copied.",
        "my_voice.wav",
        default=None,
    ),
]
TrimSilence = Annotated[
    bool,
    described("true: cut away the silence before and after the speech, except 0.2 s.", True, default=False),
]
_TRANSCRIPT = "The recording's exact transcript."
_NEEDED = (
    f"{_TRANSCRIPT} If it is left out, the error has the words that a recogniser hears, if there is one."
)
_SAID = "录音里说的每一个字。"


class _Notes(Fields):
    consent: str | None = described(
        "Who has agreed to which use of the voice. The text is kept and shown with the voice, but not "
        "checked. At most 500 characters; a blank text removes it.",
        "Recorded and agreed to by Li Hua for our audio guide, 2026-11-02.",
        default=None,
    )
    language: Literal[Language, "none"] | None = described(
        "The language of the voice. none: the language is taken from the transcript.", "zh", default=None
    )
    gender: Literal[Gender, "none"] | None = described(
        "The gender of the voice, by its owner's choice. none removes the note.", "female", default=None
    )
    description: str | None = described(
        "A description in free words, at most 500 characters. A blank text removes it.",
        "Warm and slow, for audio guides.",
        default=None,
    )

    @property
    def about(self) -> dict[str, str]:
        """The notes that were sent, by their names. An empty text means that the note is to be removed."""
        given = ((note, getattr(self, note)) for note in NOTES)
        return {note: "" if text == "none" else text for note, text in given if text is not None}


class _NewFields(_Notes):
    prompt_text: str | None = described(_NEEDED, _SAID, default=None)
    prompt_audio_path: RecordingPath
    trim_silence: TrimSilence


class PromptQuery(Fields):
    """The fields in the query string of GET /prompts."""

    language: Language | None = Field(default=None, description="Only voices of this language or both.")
    gender: Gender | None = Field(default=None, description="Only voices of this gender.")
    search: str = described("Part of the name, the description or a mood's name.", "warm", default="")

    def selects(self, voice: Mapping[str, Any]) -> bool:
        """Whether `voice`, as answers show it, has the notes of this query, and `search` in its texts."""
        wanted = {note: getattr(self, note) for note in ALLOWED}
        texts = (voice["index"], voice["description"] or "", *(mood["name"] for mood in voice["moods"]))
        return self.search.casefold() in "\n".join(texts).casefold() and all(
            value is None or voice[note] in (value, "mixed") for note, value in wanted.items()
        )


class NewPromptFields(_NewFields):
    """Fields of POST /prompts, in addition to the file prompt_audio."""

    index: str = described(f"The name of the voice: {INDEX_RULE}.", "my_voice")
    mood: str | None = described(
        "The recording is the already registered voice index in this mood. The name of a mood has the form "
        "of a voice name. The same as index=my_voice:glad.",
        "",
        default=None,
    )


class ChangedPromptFields(_Notes):
    """Fields of PUT /prompts/{index}, in addition to the file prompt_audio. A field that is left out keeps
    its value."""

    index: str | None = described(
        "May only repeat the name in the path: a voice cannot be renamed.", "my_voice", default=None
    )
    prompt_text: str | None = described(_TRANSCRIPT, _SAID, default=None)
    prompt_audio_path: RecordingPath
    trim_silence: TrimSilence


class CheckedPromptFields(_NewFields):
    """Fields of POST /prompts/check, in addition to the file prompt_audio. They are the fields of
    POST /prompts."""

    index: str | None = described("Not used by the check.", "my_voice", default=None)
    mood: str | None = described("Not used by the check.", "", default=None)


class Recorded(BaseModel):
    """A recording of a registered voice, as an answer describes it."""

    prompt_text: str = described("The recording's transcript.", _SAID)
    source: Literal["shipped", "own"] = described(
        "shipped: the voice is from configs/prompt_cache.json. own: it was added over the API.", "shipped"
    )
    audio_url: str = described("The URL path of the recording.", "/api/v1/prompts/exampleA/audio")
    consent: str | None = described(
        "Who has agreed to which use of the voice, as it was sent with the voice.", None, default=None
    )


class Mood(Recorded):
    """A recording of a registered voice in a mood, as an answer has it: an item of `Prompt.moods`."""

    name: str = described("The name of the mood.", "glad")


class Prompt(Recorded):
    """A registered voice, with its notes and its moods."""

    index: str = described("The name of the voice.", "exampleA")
    language: Literal[Language, "mixed", "other"] = described(
        "The language that the owner has noted, else that of the transcript.", "zh"
    )
    gender: Gender | None = described("The gender that the owner has noted.", None, default=None)
    description: str | None = described("The owner's description of the voice.", None, default=None)
    moods: list[Mood] = Field(
        default=[],
        description="Further recordings of the voice. mood=glad speaks with one of them, and so does the "
        "voice my_voice:glad.",
    )


class PromptAnswer(Answer):
    """The answer with one voice."""

    message: str = Field(examples=["Voice 'my_voice' is registered."])
    prompt: Prompt
    warnings: list[str] = described(
        "Sent fields that this server does not know and has not used. After POST and PUT also doubtful "
        "points of the recording or its transcript, as POST /prompts/check finds them.",
        ["Speech at -47 dBFS: very quiet. Record closer to the microphone, or turn it up."],
        default=[],
    )


class PromptList(Answer):
    """The registered voices."""

    count: int = Field(examples=[2])
    prompts: list[Prompt]
    writable: bool = described("Whether the client may add, change and delete voices.", True)


class PromptCheck(BaseModel):
    """One check of a recording, and its result."""

    name: CheckName = described(
        "The name of the check. recording: the server would refuse the recording, so nothing else was "
        "measured.",
        "silence",
    )
    status: Status = described(
        "warning: the voice could be better. error: the recording cannot be a voice.", "warning"
    )
    message: str = described(
        "The finding, and what to do.",
        "1.2 s of silence at the start, 0.1 s at the end; cut it away with trim_silence: 1.00 s to 6.48 "
        "s stay.",
    )
    measured: dict[str, float | str] = described(
        "The measured figures: seconds, dBFS, shares (docs/voices.md).",
        {"start_seconds": 1.2, "end_seconds": 0.1, "keep_from": 1.0, "keep_to": 6.48},
    )


class PromptReport(Answer):
    """The results of all checks of a recording and its transcript."""

    message: str = Field(examples=["1 warning, no errors."])
    status: Status = described("The worst of the checks.", "warning")
    checks: list[PromptCheck]
    not_checked: list[str] = described(
        "The checks that did not run, each with the cause.",
        ["The check 'words' did not run. The server has no recogniser of speech (ASR_MODEL_DIR)."],
    )
    heard: str | None = described("The words that a recogniser hears, if there is one.", None, default=None)
    warnings: Warnings
