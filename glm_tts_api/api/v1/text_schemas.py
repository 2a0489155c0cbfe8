"""The bodies of /api/v1/text, as clients and /docs see them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.v1.schemas import InputType, OwnLexicon, VerbatimField, Warnings


class TextFields(BaseModel):
    """Fields of POST /text/normalize: those of POST /tts that change how a text is read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input_text: str = Field(
        description="The text, as POST /tts takes it.", examples=["预计3-5天送到，一共￥39.8元。"]
    )
    use_phoneme: bool = Field(default=False, description="As POST /tts takes it.", examples=[False])
    verbatim: VerbatimField
    lexicon: OwnLexicon
    input_type: InputType


class ShownPart(BaseModel):
    """A part of a segment, to be shown beside what is written."""

    text: str = Field(
        description="What is said: unchanged words in the case in which they are written; empty where a sign "
        "is dropped.",
        examples=["三到五"],
    )
    written: str | None = Field(
        description="What stands for it in the text; null: the same words; empty: it stands in the segment "
        "before.",
        examples=["3-5"],
    )


class ShownSegment(BaseModel):
    """A segment: the words that are spoken in one go."""

    text: str = Field(description="In words.", examples=["预计三到五天送到，一共三十九点八元。"])
    phonemes: str = Field(
        description="As the model is given it: with phonemes where use_phoneme or a mark asks for them.",
        examples=["预计三到五天送到，一共三十九点八元。"],
    )
    parts: list[ShownPart] = Field(description="Its `text` again, cut where it is said otherwise.")
    pause: float = Field(
        description="Seconds of silence before it, by a mark or a paragraph's end.", examples=[0.0]
    )
    voice: str | None = Field(
        description="That a mark calls for; null: the request's.", examples=["exampleB"]
    )
    speed: float = Field(description="That a mark asks for, times the request's.", examples=[1.0])
    seconds: float = Field(description="What it takes to say, roughly, its pause included.", examples=[3.9])


class ShownChange(BaseModel):
    """A place that is said otherwise than it is written."""

    written: str = Field(
        description="As it stands in input_text; empty where words are added.", examples=["3-5天"]
    )
    said: str = Field(description="As it is said; empty where it is dropped.", examples=["三到五天"])
    start: int = Field(description="Where it begins in `marked`, in characters from 0.", examples=[2])
    rule: str | None = Field(
        description="The kind of the reading rule behind it; mark or lexicon where the user asked for it; "
        "null where no rule that has a name did it.",
        examples=["span"],
    )


class TextAnswer(BaseModel):
    """The text as POST /tts speaks it."""

    success: Literal[True] = True
    message: str = Field(examples=["1 segment, some 3.9 s of speech."])
    text: str = Field(description="All of it in words.", examples=["预计三到五天送到，一共三十九点八元。"])
    marked: str = Field(
        description="What `start` counts in: input_text, or the text with marks that its SSML means.",
        examples=["预计3-5天送到，一共￥39.8元。"],
    )
    segments: list[ShownSegment]
    seconds: float = Field(description="What it takes to say, roughly.", examples=[3.9])
    changes: list[ShownChange]
    warnings: Warnings = []


class CharacterReadings(BaseModel):
    """A character of the word."""

    character: str = Field(examples=["重"])
    readings: list[str] = Field(
        description="In pinyin; the one that it has in this word first. Empty: it is no Hanzi.",
        examples=[["chong2", "zhong4", "tong2"]],
    )


class ReadingsAnswer(BaseModel):
    """The possible readings of a word."""

    success: Literal[True] = True
    message: str = Field(description="As the word is read by itself.", examples=["chong2 qing4"])
    characters: list[CharacterReadings]
