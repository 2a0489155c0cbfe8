"""/api/v1/lexicon: lists, shows, adds and deletes the entries that say how words are spoken in every text.
Also reads the entries that a request brings for its own text."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from glm_tts_api.api.access import WriterRequired
from glm_tts_api.api.app_state import AppStateDep
from glm_tts_api.api.dialects import OWN
from glm_tts_api.api.fields import Fields, described
from glm_tts_api.api.openapi import body_docs, error_docs
from glm_tts_api.api.v1.schemas import Done, Warnings
from glm_tts_api.errors import InvalidField, MalformedPronunciation
from glm_tts_api.http.body import parse_json, read_body
from glm_tts_api.lexicon import LexiconFile
from speech_text import Lexicon, LexiconEntry, TextError

MOST_OWN = 500
router = OWN.router("/api/v1/lexicon", 401, 403, 500, tag="text")


class EntryFields(Fields):
    """Fields of PUT /lexicon/{word}. Either reading or replacement is needed."""

    reading: str | None = described(
        "The reading in pinyin, with the number of the tone after each syllable.",
        "chong2 qing4",
        default=None,
    )
    replacement: str | None = described(
        "The text to say in place of the word, if there is no reading.", "重 庆", default=None
    )
    context: str | None = described(
        "The entry is used only in sentences that have this text, at most 50 characters before or after the "
        "word.",
        "火锅",
        default=None,
    )


class Entry(EntryFields):
    """A word of the lexicon, and how it is said."""

    word: str = described("The word as it is written in texts.", "重庆")


class EntryAnswer(BaseModel):
    """The answer with one entry of the lexicon."""

    success: bool = Field(default=True, examples=[True])
    message: str = Field(examples=["'重庆' is in the lexicon."])
    entry: Entry
    warnings: Warnings


class LexiconAnswer(BaseModel):
    """All words of the lexicon. `warnings` names the lines of the file that are not valid entries."""

    success: bool = Field(default=True, examples=[True])
    count: int = Field(examples=[1])
    entries: list[Entry]
    warnings: Warnings


@router.get("", response_model=LexiconAnswer)
async def list_lexicon(state: AppStateDep) -> Response:
    """Lists every word of configs/lexicon.jsonl."""
    lexicon = state.lexicon

    def listed() -> bytes:  # without pydantic, which would check each of up to 20,000 words
        entries = [asdict(entry) for entry in lexicon.current().entries.values()]
        body = {"success": True, "count": len(entries), "entries": entries, "warnings": lexicon.warnings}
        return json.dumps(body).encode()

    return Response(await state.pools.files.run(listed), media_type="application/json")


@router.get("/{word:path}", response_model=EntryAnswer, responses=error_docs(404, 422))
async def get_word(word: str, state: AppStateDep) -> dict[str, Any]:
    """Shows the entry of a word in the lexicon."""
    entry = await state.pools.files.run(state.lexicon.get, word)
    return {"message": f"'{word}' is in the lexicon.", "entry": asdict(entry)}


@router.put(
    "/{word:path}",
    response_model=EntryAnswer,
    openapi_extra=body_docs(EntryFields, name="Entry", example={"reading": "chong2 qing4"}, files={}),
    responses=error_docs(400, 413, 422, 503, 507),
    dependencies=[WriterRequired],
)
async def put_word(word: str, request: Request, state: AppStateDep) -> dict[str, Any]:
    """Adds a word to the lexicon, or changes how the word is said. All texts are then spoken with this
    entry."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(EntryFields, files=())

    def put() -> LexiconEntry:
        sent = {"word": word, **fields.model_dump()}
        entry = _entry(sent, "The entry", state.lexicon.current())
        state.lexicon.put(entry)
        return entry

    entry = await state.pools.files.run(put)
    return {"message": f"'{word}' is in the lexicon.", "entry": asdict(entry), "warnings": warnings}


@router.delete(
    "/{word:path}",
    response_model=Done,
    responses=error_docs(404, 422, 503),
    dependencies=[WriterRequired],
)
async def delete_word(word: str, state: AppStateDep) -> dict[str, Any]:
    """Removes a word from the lexicon."""
    await state.pools.files.run(state.lexicon.remove, word)
    return {"message": f"'{word}' is no longer in the lexicon."}


def own_lexicon(sent: str | list[Any], lexicon: LexiconFile) -> list[LexiconEntry]:
    """Parses and checks the lexicon entries that a request brings. `sent` is a list of entries or its JSON
    text. Blocking. Raises InvalidField, MalformedPronunciation."""
    try:
        entries = parse_json(sent) if isinstance(sent, str) else sent
    except ValueError:
        raise InvalidField("lexicon must be a JSON list of entries; this is not JSON.") from None
    if not isinstance(entries, list) or len(entries) > MOST_OWN:
        raise InvalidField(f"lexicon must be a JSON list of at most {MOST_OWN} entries.")
    known = lexicon.current()
    return [_entry(fields, f"Entry {n} of lexicon", known) for n, fields in enumerate(entries, start=1)]


def _entry(fields: Any, subject: str, lexicon: Lexicon) -> LexiconEntry:
    try:
        return lexicon.entry(fields)
    except TextError as error:
        if error.code == "malformed_pronunciation":
            raise MalformedPronunciation(f"{subject} has a reading that cannot be read: {error}.") from None
        raise InvalidField(f"{subject} {error}.") from None
