"""The lexicon: how words are said, for every text. List, look, put, delete; and a request's own entries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.access import KeyRequired, WriterRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.openapi import body_docs, error_docs
from glm_tts_api.api.v1.schemas import Done, Warnings
from glm_tts_api.contracts import LexiconEntry
from glm_tts_api.errors import InvalidField, MalformedPronunciation
from glm_tts_api.http.body import read_body, whole_text
from glm_tts_api.text.markup.lexicon import LexiconFile, entry_of
from glm_tts_api.text.phonemes.pinyin import BadReading

MOST_OWN = 500
router = APIRouter(
    prefix="/api/v1/lexicon", tags=["text"], dependencies=[KeyRequired], responses=error_docs(401, 403, 500)
)


class EntryFields(BaseModel):
    """Fields of PUT /lexicon/{word}: reading or replacement."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reading: str | None = Field(
        default=None, description="In pinyin, a tone behind each syllable.", examples=["chong2 qing4"]
    )
    replacement: str | None = Field(
        default=None, description="Or the text to say in its place.", examples=["重 庆"]
    )
    context: str | None = Field(
        default=None,
        description="Only in sentences that have this, 50 characters before or behind.",
        examples=["火锅"],
    )


class Entry(EntryFields):
    """A word of the lexicon."""

    word: str = Field(description="As it is written in texts.", examples=["重庆"])


class EntryAnswer(BaseModel):
    """A word of the lexicon."""

    success: bool = Field(default=True, examples=[True])
    message: str = Field(examples=["'重庆' is in the lexicon."])
    entry: Entry
    warnings: Warnings = []


class LexiconAnswer(BaseModel):
    """All words; `warnings` names lines of the file that are no entry."""

    success: bool = Field(default=True, examples=[True])
    count: int = Field(examples=[1])
    entries: list[Entry]
    warnings: Warnings = []


@router.get("", response_model=LexiconAnswer)
async def list_lexicon(state: AppStateDep) -> Response:
    """Every word of configs/lexicon.jsonl."""
    return Response(await state.pools.files.run(_listed, state.lexicon), media_type="application/json")


@router.get("/{word:path}", response_model=EntryAnswer, responses=error_docs(404, 422))
async def get_word(word: str, state: AppStateDep) -> dict[str, Any]:
    """A word of the lexicon."""
    entry = await state.pools.files.run(state.lexicon.get, word)
    return {"message": f"'{word}' is in the lexicon.", "entry": asdict(entry)}


@router.put(
    "/{word:path}",
    response_model=EntryAnswer,
    openapi_extra=body_docs(EntryFields, name="Entry", example={"reading": "chong2 qing4"}, takes_file=False),
    responses=error_docs(400, 413, 422, 503, 507),
    dependencies=[WriterRequired],
)
async def put_word(word: str, request: Request, state: AppStateDep) -> dict[str, Any]:
    """Adds a word, or changes how it is said. Holds for every text from now on."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(EntryFields, files=())
    entry = await state.pools.files.run(_put, state.lexicon, {"word": word, **fields.model_dump()})
    return {"message": f"'{word}' is in the lexicon.", "entry": asdict(entry), "warnings": warnings}


@router.delete(
    "/{word:path}",
    response_model=Done,
    responses=error_docs(404, 422, 503),
    dependencies=[WriterRequired],
)
async def delete_word(word: str, state: AppStateDep) -> dict[str, Any]:
    """Takes a word out of the lexicon."""
    await state.pools.files.run(state.lexicon.remove, word)
    return {"message": f"'{word}' is no longer in the lexicon."}


def _listed(lexicon: LexiconFile) -> bytes:
    """The fields of LexiconAnswer, for which pydantic would look at each of 20,000 words. Blocking."""
    entries = [asdict(entry) for entry in lexicon.current().entries.values()]
    body = {"success": True, "count": len(entries), "entries": entries, "warnings": lexicon.warnings}
    return json.dumps(body).encode()


def _put(lexicon: LexiconFile, fields: dict[str, Any]) -> LexiconEntry:
    """Blocking."""
    entry = _entry(fields, "The entry", lexicon.current().inventory)
    lexicon.put(entry)
    return entry


async def own_lexicon(sent: str | list[Any] | None, state: AppState) -> Sequence[LexiconEntry]:
    """The entries that a request brings, as JSON or as its text. Raises InvalidField, or
    MalformedPronunciation for a reading."""
    return [] if sent is None else await state.pools.files.run(_own, sent, state.lexicon)


def _own(sent: str | list[Any], lexicon: LexiconFile) -> list[LexiconEntry]:
    """Blocking."""
    try:
        entries = whole_text(json.loads(sent)) if isinstance(sent, str) else sent
    except (ValueError, RecursionError):
        raise InvalidField("lexicon must be a JSON list of entries; this is not JSON.") from None
    if not isinstance(entries, list) or len(entries) > MOST_OWN:
        raise InvalidField(f"lexicon must be a JSON list of at most {MOST_OWN} entries.")
    inventory = lexicon.current().inventory
    return [_entry(fields, f"Entry {n} of lexicon", inventory) for n, fields in enumerate(entries, start=1)]


def _entry(fields: Any, subject: str, inventory: Any) -> LexiconEntry:
    try:
        return entry_of(fields, inventory)
    except BadReading as error:
        raise MalformedPronunciation(f"{subject} has a reading that cannot be read: {error}.") from None
    except ValueError as error:
        raise InvalidField(f"{subject} {error}.") from None
