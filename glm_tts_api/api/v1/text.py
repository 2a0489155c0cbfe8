"""/api/v1/text: shows how a text would be spoken, without speaking it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.background import background_work
from glm_tts_api.api.dialects import OWN
from glm_tts_api.api.fields import Answer, Fields, described
from glm_tts_api.api.openapi import body_docs, error_docs
from glm_tts_api.api.speech_request import named_voices, require_text
from glm_tts_api.api.v1.lexicon import own_lexicon
from glm_tts_api.api.v1.schemas import InputType, OwnLexicon, SpeechFields, VerbatimField, Warnings
from glm_tts_api.errors import of_text
from glm_tts_api.http.body import read_body
from glm_tts_api.http.middleware import cancelled_on_disconnect
from speech_text import ReadingOptions, ShownReading, TextError, with_marks
from speech_text.marks import MOOD_SIGN, voices_in


class TextFields(Fields):
    """Fields of POST /text/normalize: those of POST /tts that change how a text is read."""

    input_text: str = described(
        "The text; it may have everything that POST /tts accepts.", "预计3-5天送到，一共￥39.8元。"
    )
    index: str | None = described("The voice; figures alone are in its language.", "exampleA", default=None)
    use_phoneme: bool = described("The same as in POST /tts.", False, default=False)
    verbatim: VerbatimField
    lexicon: OwnLexicon
    input_type: InputType


class ShownPart(BaseModel):
    """A part of a segment: the words that are said, and the written text that they stand for."""

    text: str = described(
        "The words that are said. Unchanged words keep their upper and lower case. Empty if a character is "
        "dropped.",
        "三到五",
    )
    written: str | None = described(
        "The written text that these words stand for. null: the same words. Empty: the written text belongs "
        "to the segment before.",
        "3-5",
    )


class ShownSegment(BaseModel):
    """A segment: a part of the text that is spoken as one piece."""

    text: str = described("The text of the segment in words.", "预计三到五天送到，一共三十九点八元。")
    phonemes: str = described(
        "The text as the model gets it, with phonemes where use_phoneme or a mark asks for them.",
        "预计三到五天送到，一共三十九点八元。",
    )
    parts: list[ShownPart] = Field(
        description="The `text` of the segment again, cut into parts where the spoken form differs from "
        "the written one."
    )
    pause: float = described(
        "Seconds of silence before the segment, because of a mark or the end of a paragraph.", 0.0
    )
    voice: str | None = described("The voice that a mark names; null means the request's voice.", "exampleB")
    speed: float = described("The speed that a mark asks for; it is multiplied by the request's speed.", 1.0)
    seconds: float = described("Roughly how long the segment lasts when spoken, with its pause.", 3.9)


class ShownChange(BaseModel):
    """A place whose spoken form differs from the written one."""

    written: str = described("The written text. Empty if words are added.", "3-5天")
    said: str = described("The words that are said. Empty if the text is dropped.", "三到五天")
    start: int = described("Where the place begins in `marked`, in characters from 0.", 2)
    rule: str | None = described(
        "The kind of the reading rule that caused the change. mark or lexicon: the user asked for it. null: "
        "the rule has no name.",
        "span",
    )


class TextAnswer(Answer):
    """The text as POST /tts would speak it: in words, in segments, and with the changes."""

    message: str = Field(examples=["1 segment, some 3.9 s of speech."])
    text: str = described("The whole text in words.", "预计三到五天送到，一共三十九点八元。")
    marked: str = described(
        "The text in which `start` counts: input_text, or for SSML the same text with marks.",
        "预计3-5天送到，一共￥39.8元。",
    )
    segments: list[ShownSegment]
    seconds: float = described("Roughly how long the text lasts when spoken.", 3.9)
    changes: list[ShownChange]
    warnings: Warnings


class CharacterReadings(BaseModel):
    """A character of the word, and its readings."""

    character: str = Field(examples=["重"])
    readings: list[str] = described(
        "The readings in pinyin, first the one that the character has in this word. Empty if it is no Hanzi.",
        ["chong2", "zhong4", "tong2"],
    )


class ReadingsAnswer(Answer):
    """The readings that each character of a word can have."""

    message: str = described("The reading of the word by itself.", "chong2 qing4")
    characters: list[CharacterReadings]


router = OWN.router("/api/v1/text", 401, 403, 500, tag="text")
_EXAMPLE = {"input_text": "预计3-5天送到，一共￥39.8元。"}


@router.post(
    "/normalize",
    response_model=TextAnswer,
    openapi_extra=body_docs(TextFields, name="Text", example=_EXAMPLE, files={}),
    responses=error_docs(400, 404, 408, 413, 422, 503),
)
async def normalize(request: Request, state: AppStateDep) -> Response:
    """Reads the text as POST /tts does, without speaking it. Returns the text in words and in segments, and
    each place whose spoken form differs from the written one. No speech request waits for this. One short
    text and one long text are read at a time."""
    state.speech.require_ready()
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(TextFields, files=())
    require_text(fields.input_text, state.config.max_text_length, field="input_text")
    admitted = background_work(request, state, len(fields.input_text))
    async with cancelled_on_disconnect(request.receive), admitted:
        text, more = await marked_text(fields, state)
        named = [fields.index or "", *(name for name in voices_in(text) if not name.startswith(MOOD_SIGN))]
        voices = await state.pools.files.run(lambda: named_voices(named, state, None))
        own = voices.get(named[0])
        sent = fields.lexicon
        lexicon = await state.pools.files.run(own_lexicon, sent, state.lexicon) if sent else ()
        options = ReadingOptions(fields.use_phoneme, fields.verbatim, lexicon)
        reading = await state.speech.engines.read(text, options, own.transcript if own else "")
        answer = await state.pools.files.run(_answer, reading, text, [*warnings, *more])
        return Response(answer, media_type="application/json")


@router.get("/readings", response_model=ReadingsAnswer, responses=error_docs(400, 422))
async def readings(
    word: Annotated[
        str, Query(min_length=1, max_length=50, description="A word in Hanzi.", examples=["重庆"])
    ],
    state: AppStateDep,
) -> dict[str, Any]:
    """The readings in pinyin that the dictionary has for each character of a word. One of them can be used in
    a mark or in the lexicon."""
    known = await state.pools.files.run(lambda: state.lexicon.current().readings(word))
    return {
        "message": " ".join(each[0] if each else char for char, each in zip(word, known, strict=True)),
        "characters": [{"character": char, "readings": each} for char, each in zip(word, known, strict=True)],
    }


async def marked_text(fields: SpeechFields | TextFields, state: AppState) -> tuple[str, list[str]]:
    """Returns the text of a request, in which marks stand for the SSML if the text is SSML, and warnings that
    name the SSML that has no effect. Raises InvalidField."""
    if fields.input_type != "ssml":
        return fields.input_text, []
    try:
        return await state.pools.files.run(with_marks, fields.input_text)
    except TextError as error:
        raise of_text(error) from None


def _answer(reading: ShownReading, text: str, warnings: list[str]) -> bytes:
    """Makes the JSON of TextAnswer. `text` is the text with marks. Blocking, because a text may have
    thousands of changes."""
    n = len(reading.segments)
    answer = TextAnswer(
        message=f"{n} segment{'s'[: n != 1]}, some {reading.seconds:.1f} s of speech.",
        text=reading.text,
        marked=text,
        segments=[
            ShownSegment(
                text=shown.segment.text,
                phonemes=shown.segment.spoken,
                parts=[ShownPart(text=part.text, written=part.written) for part in shown.parts],
                pause=shown.segment.pause_s,
                voice=shown.segment.voice,
                speed=shown.segment.speed,
                seconds=round(shown.seconds, 2),
            )
            for shown in reading.segments
        ],
        seconds=round(reading.seconds, 2),
        changes=[ShownChange(**asdict(change)) for change in reading.changes],
        warnings=[*warnings, *reading.warnings],
    )
    return answer.model_dump_json().encode()
