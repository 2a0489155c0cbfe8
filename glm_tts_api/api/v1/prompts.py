"""The registered voices: list, look, hear, add, change, delete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote as url_quote

from fastapi import APIRouter, Header, Request, Response

from glm_tts_api.api.access import KeyRequired, WriterRequired, writer_refusal
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.openapi import body_docs, error_docs, ranged_docs, recording_docs
from glm_tts_api.api.registering import register
from glm_tts_api.api.v1.prompt_schemas import (
    ChangedPromptFields,
    CheckedPromptFields,
    NewPromptFields,
    PromptAnswer,
    PromptList,
    PromptReport,
)
from glm_tts_api.api.v1.schemas import Done
from glm_tts_api.errors import InvalidField, ServiceError, quote
from glm_tts_api.http.body import Body, read_body
from glm_tts_api.http.ranges import ranged
from glm_tts_api.voices.check import STATUSES, check_recording, check_voice
from glm_tts_api.voices.names import composed
from glm_tts_api.voices.store import VoiceInfo, VoiceStore

_EXAMPLE = {"prompt_text": "录音里说的每一个字。", "prompt_audio_path": "my_voice.wav"}
IfMatch = Annotated[
    str | None,
    Header(description="The ETag of the voice that the change is meant for; 412 if it is another now."),
]
_UNKNOWN = error_docs(404, 422)
_WRITE = error_docs(400, 413, 415, 422, 503, 507)

router = APIRouter(
    prefix="/api/v1/prompts", tags=["voices"], dependencies=[KeyRequired], responses=error_docs(401, 403, 500)
)


@router.get("", response_model=PromptList)
async def list_prompts(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Every registered voice, by its name, and whether who asks may change them."""
    voices = await state.pools.files.run(state.voices.list_voices)
    writable = writer_refusal(request, state) is None
    return {"count": len(voices), "prompts": [_shown(voice) for voice in voices], "writable": writable}


@router.get("/{index}", response_model=PromptAnswer, responses=_UNKNOWN)
async def get_prompt(index: str, response: Response, state: AppStateDep) -> dict[str, Any]:
    """A voice. Its ETag makes a later PUT or DELETE conditional. If the voice's recording is gone, the answer
    is a 404 with code recording_missing, and PUT with a new recording repairs it."""
    voice = await state.pools.files.run(state.voices.info, index)
    return _answer(f"Voice '{index}'.", voice, response)


@router.get(
    "/{index}/audio",
    response_class=Response,
    responses={
        **ranged_docs(recording_docs("The recording as it was given, or its sound alone as FLAC or WAV.")),
        **_UNKNOWN,
    },
)
async def get_prompt_audio(index: str, request: Request, state: AppStateDep) -> Response:
    """A voice's recording, as it was given. Of one that was larger than its samples its sound alone is kept,
    as FLAC or WAV: the same to the bit for the model."""
    data, container = await state.pools.files.run(state.voices.audio, index)
    media_type = container.media_type if container else "application/octet-stream"
    etag = await state.pools.files.run(_digest, data)
    return await ranged(request, data, media_type=media_type, etag=etag)


@router.post(
    "",
    status_code=201,
    response_model=PromptAnswer,
    openapi_extra=body_docs(NewPromptFields, name="NewPrompt", example={"index": "my_voice", **_EXAMPLE}),
    responses={**_WRITE, **error_docs(409)},
    dependencies=[WriterRequired],
)
async def add_prompt(request: Request, response: Response, state: AppStateDep) -> dict[str, Any]:
    """Registers a voice: its name, its recording (prompt_audio or prompt_audio_path) and the transcript."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(NewPromptFields)
    transcript = state.voices.check_transcript(fields.prompt_text)
    read = _needed_recording(body, fields.prompt_audio_path, state)

    def add() -> tuple[VoiceInfo, list[str]]:
        voice = state.voices.add(fields.index, transcript, read(), fields.consent or "")
        return voice, _doubts(state.voices, voice.index)

    voice, doubts = await register(request, state, transcript, add)
    return _answer(f"Voice '{voice.index}' is registered.", voice, response, [*warnings, *doubts])


@router.post(
    "/check",
    response_model=PromptReport,
    openapi_extra=body_docs(CheckedPromptFields, name="CheckedPrompt", example=_EXAMPLE),
    responses=_WRITE,
    dependencies=[WriterRequired],
)
async def check_prompt(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Measures a recording that is to be a voice and compares it with its transcript; keeps nothing. It
    cannot hear whether the recording says these words. A client that may add voices may call it."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(CheckedPromptFields)
    transcript = state.voices.check_transcript(fields.prompt_text)
    read = _needed_recording(body, fields.prompt_audio_path, state)
    found = await register(
        request, state, transcript, lambda: check_voice(read(), transcript, state.voices.limits)
    )
    n_warnings, n_errors = (sum(each.status == status for each in found) for status in ("warning", "error"))
    return {
        "message": f"{_counted(n_errors, 'error')}, {_counted(n_warnings, 'warning')}.",
        "status": max((each.status for each in found), key=STATUSES.index),
        "checks": [asdict(each) for each in found],
        "warnings": warnings,
    }


@router.put(
    "/{index}",
    response_model=PromptAnswer,
    openapi_extra=body_docs(ChangedPromptFields, name="ChangedPrompt", example=_EXAMPLE),
    responses={**_WRITE, **_UNKNOWN, **error_docs(412)},
    dependencies=[WriterRequired],
)
async def change_prompt(
    index: str, request: Request, response: Response, state: AppStateDep, if_match: IfMatch = None
) -> dict[str, Any]:
    """Changes a voice's transcript, its recording, its consent, or several. configs/ is never written: a
    shipped voice gets a copy in PROMPTS_DIR that hides it; deleting the copy brings the shipped one back."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(ChangedPromptFields)
    if fields.index is not None and composed(fields.index) != composed(index):
        raise InvalidField(
            f"A voice is not renamed: POST its recording and transcript as '{quote(fields.index)}' and "
            "DELETE this one, or leave index out."
        )
    transcript = fields.prompt_text
    if transcript is not None:
        transcript = state.voices.check_transcript(transcript)
    read = _recording(body, fields.prompt_audio_path, state)
    if transcript is None and read is None and fields.consent is None:
        raise InvalidField("Send what is to change: prompt_text, prompt_audio, prompt_audio_path or consent.")

    def change() -> tuple[VoiceInfo, list[str]]:
        data = None if read is None else read()
        voice = state.voices.replace(index, transcript, data, fields.consent, only_if=_versions(if_match))
        return voice, _doubts(state.voices, index)

    voice, doubts = await register(request, state, transcript or "", change)
    return _answer(f"Voice '{index}' is changed.", voice, response, [*warnings, *doubts])


@router.delete(
    "/{index}",
    response_model=Done,
    responses={**_UNKNOWN, **error_docs(412, 503)},
    dependencies=[WriterRequired],
)
async def delete_prompt(index: str, state: AppStateDep, if_match: IfMatch = None) -> dict[str, Any]:
    """Deletes a voice that was added over the API, or the copy that hides a shipped one. A shipped voice
    itself is removed from configs/prompt_cache.json by hand (403)."""
    await state.pools.files.run(state.voices.remove, index, only_if=_versions(if_match))
    return {"message": f"Voice '{index}' is deleted."}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _answer(
    message: str, voice: VoiceInfo, response: Response, warnings: Sequence[str] = ()
) -> dict[str, Any]:
    response.headers["ETag"] = f'"{voice.version}"'
    return {"message": message, "prompt": _shown(voice), "warnings": warnings}


def _versions(if_match: str | None) -> set[str] | None:
    """The versions that If-Match names; None if any will do."""
    if if_match is None or if_match.strip() == "*":
        return None
    return {tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")}


def _shown(voice: VoiceInfo) -> dict[str, str | None]:
    return {
        "index": voice.index,
        "prompt_text": voice.transcript,
        "source": voice.source,
        "audio_url": f"/api/v1/prompts/{url_quote(voice.index)}/audio",
        "consent": voice.consent or None,
    }


def _doubts(voices: VoiceStore, index: str) -> list[str]:
    """The doubts about a voice that was just written. Blocking."""
    try:
        voice = voices.get(index)
    except ServiceError:  # another writer changed it meanwhile
        return []
    found = check_recording(voice.recording, voice.transcript)
    return [each.message for each in found if each.status != "ok"]


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _needed_recording(body: Body, path: str | None, state: AppState) -> Callable[[], bytes]:
    read = _recording(body, path, state)
    if read is None:
        raise InvalidField("Send the recording as prompt_audio, or name it with prompt_audio_path.")
    return read


def _recording(body: Body, path: str | None, state: AppState) -> Callable[[], bytes] | None:
    """Reads the recording that a body brings or names, blocking; None if it does neither."""
    upload = body.file()
    if upload is not None and path is not None:
        raise InvalidField("Send either prompt_audio or prompt_audio_path, not both.")
    if path is not None:
        return partial(state.voices.read_recording, path)
    return None if upload is None else upload.read
