"""/api/v1/text: shows how a text would be spoken, without speaking it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.openapi import body_docs, error_docs
from glm_tts_api.api.text_limits import require_text
from glm_tts_api.api.v1.lexicon import own_lexicon
from glm_tts_api.api.v1.schemas import SpeechFields
from glm_tts_api.api.v1.text_schemas import (
    ReadingsAnswer,
    ShownChange,
    ShownPart,
    ShownSegment,
    TextAnswer,
    TextFields,
)
from glm_tts_api.api.voice_names import named_voices
from glm_tts_api.contracts import MOOD_SIGN, ReadingOptions
from glm_tts_api.http.body import read_body
from glm_tts_api.http.disconnect import cancelled_on_disconnect
from speech_text.markup.lexicon import LexiconFile
from speech_text.markup.marks import voices_in
from speech_text.markup.ssml import with_marks
from speech_text.phonemes.pinyin import known_readings
from speech_text.reading import ShownReading

router = APIRouter(
    prefix="/api/v1/text", tags=["text"], dependencies=[KeyRequired], responses=error_docs(401, 403, 500)
)
_EXAMPLE = {"input_text": "预计3-5天送到，一共￥39.8元。"}


@router.post(
    "/normalize",
    response_model=TextAnswer,
    openapi_extra=body_docs(TextFields, name="Text", example=_EXAMPLE, takes_file=False),
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
    length = state.beside.config.measure(len(fields.input_text))
    admitted = state.beside.admit(length, arrived_at=request.state.arrived_at, client=request.state.client)
    async with cancelled_on_disconnect(request.receive), admitted:
        text, more = await state.pools.files.run(marked_text, fields)
        named = (name for name in voices_in(text) if not name.startswith(MOOD_SIGN))
        await state.pools.files.run(lambda: named_voices(named, state, None))
        options = ReadingOptions(
            fields.use_phoneme, fields.verbatim, await own_lexicon(fields.lexicon, state)
        )
        reading = await state.speech.engines.read(text, options)
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
    known = await state.pools.files.run(_known, word, state.lexicon)
    return {
        "message": " ".join(each[0] if each else char for char, each in zip(word, known, strict=True)),
        "characters": [{"character": char, "readings": each} for char, each in zip(word, known, strict=True)],
    }


def _known(word: str, lexicon: LexiconFile) -> list[list[str]]:
    """Returns for each character of the word the readings that the dictionary has. Blocking."""
    return known_readings(word, lexicon.current().inventory)


def marked_text(fields: TextFields | SpeechFields) -> tuple[str, list[str]]:
    """Returns the request's text, and warnings. If the text is SSML, it is turned into text with marks, and
    the warnings name the SSML that has no effect. Blocking. Raises InvalidField."""
    return with_marks(fields.input_text) if fields.input_type == "ssml" else (fields.input_text, [])


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
