"""The bodies of /api/v1/text, as clients and /docs see them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.v1.schemas import InputType, OwnLexicon, VerbatimField, Warnings


class TextFields(BaseModel):
    """Fields of POST /text/normalize: those of POST /tts that change how a text is read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input_text: str = Field(
        description="The text; it may have everything that POST /tts accepts.",
        examples=["预计3-5天送到，一共￥39.8元。"],
    )
    use_phoneme: bool = Field(default=False, description="The same as in POST /tts.", examples=[False])
    verbatim: VerbatimField
    lexicon: OwnLexicon
    input_type: InputType


class ShownPart(BaseModel):
    """A part of a segment: the words that are said, and the written text that they stand for."""

    text: str = Field(
        description="The words that are said. Unchanged words keep their upper and lower case. Empty if a "
        "character is dropped.",
        examples=["三到五"],
    )
    written: str | None = Field(
        description="The written text that these words stand for. null: the same words. Empty: the "
        "written text belongs to the segment before.",
        examples=["3-5"],
    )


class ShownSegment(BaseModel):
    """A segment: a part of the text that is spoken as one piece."""

    text: str = Field(
        description="The text of the segment in words.", examples=["预计三到五天送到，一共三十九点八元。"]
    )
    phonemes: str = Field(
        description="The text as the model gets it, with phonemes where use_phoneme or a mark asks for them.",
        examples=["预计三到五天送到，一共三十九点八元。"],
    )
    parts: list[ShownPart] = Field(
        description="The `text` of the segment again, cut into parts where the spoken form differs from "
        "the written one."
    )
    pause: float = Field(
        description="Seconds of silence before the segment, because of a mark or the end of a paragraph.",
        examples=[0.0],
    )
    voice: str | None = Field(
        description="The voice that a mark names; null means the request's voice.", examples=["exampleB"]
    )
    speed: float = Field(
        description="The speed that a mark asks for; it is multiplied by the request's speed.", examples=[1.0]
    )
    seconds: float = Field(
        description="Roughly how long the segment lasts when spoken, with its pause.", examples=[3.9]
    )


class ShownChange(BaseModel):
    """A place whose spoken form differs from the written one."""

    written: str = Field(description="The written text. Empty if words are added.", examples=["3-5天"])
    said: str = Field(
        description="The words that are said. Empty if the text is dropped.", examples=["三到五天"]
    )
    start: int = Field(description="Where the place begins in `marked`, in characters from 0.", examples=[2])
    rule: str | None = Field(
        description="The kind of the reading rule that caused the change. mark or lexicon: the user asked "
        "for it. null: the rule has no name.",
        examples=["span"],
    )


class TextAnswer(BaseModel):
    """The text as POST /tts would speak it: in words, in segments, and with the changes."""

    success: Literal[True] = True
    message: str = Field(examples=["1 segment, some 3.9 s of speech."])
    text: str = Field(
        description="The whole text in words.", examples=["预计三到五天送到，一共三十九点八元。"]
    )
    marked: str = Field(
        description="The text in which `start` counts: input_text, or for SSML the same text with marks.",
        examples=["预计3-5天送到，一共￥39.8元。"],
    )
    segments: list[ShownSegment]
    seconds: float = Field(description="Roughly how long the text lasts when spoken.", examples=[3.9])
    changes: list[ShownChange]
    warnings: Warnings = []


class CharacterReadings(BaseModel):
    """A character of the word, and its readings."""

    character: str = Field(examples=["重"])
    readings: list[str] = Field(
        description="The readings in pinyin, first the one that the character has in this word. Empty if "
        "it is no Hanzi.",
        examples=[["chong2", "zhong4", "tong2"]],
    )


class ReadingsAnswer(BaseModel):
    """The readings that each character of a word can have."""

    success: Literal[True] = True
    message: str = Field(description="The reading of the word by itself.", examples=["chong2 qing4"])
    characters: list[CharacterReadings]
