"""Zhipu's API for cloning, listing and deleting voices: /api/paas/v4/files and /voice.

In Zhipu's cloud a voice may have any name. A name that this server does not allow is encoded as punycode, as
in host names.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache, partial
from hashlib import sha256
from typing import Any
from urllib.parse import quote as url_quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.access import KeyRequired, WriterRequired, owner_of
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.logged import logged_speech
from glm_tts_api.api.openapi import error_docs, form_docs, json_docs, recording_docs
from glm_tts_api.api.registering import register
from glm_tts_api.api.speech_response import speak
from glm_tts_api.api.text_limits import check_text
from glm_tts_api.api.voice_names import marked_voices
from glm_tts_api.api.zhipu.errors import PREFIX, ZhipuError
from glm_tts_api.api.zhipu.uploads import Uploads
from glm_tts_api.audio.containers import HEAD_BYTES, container_of
from glm_tts_api.audio.decode import require_audio
from glm_tts_api.contracts import SpeechRequest, UploadedVoice
from glm_tts_api.errors import InvalidField, quote
from glm_tts_api.http.body import read_body
from glm_tts_api.validation import Echoed
from glm_tts_api.voices.about import INDEX_RULE, MOST_INDEX_CHARS, is_index
from glm_tts_api.voices.index import VoiceInfo
from glm_tts_api.voices.store import VoiceStore

_ENCODED = "xn--"
_MOST_URL_CHARS = 300  # of the server's URL as the client sent it, which every listed voice repeats
_INPUT, _OUTPUT = "voice-clone-input", "voice-clone-output"

router = APIRouter(
    prefix=PREFIX.rstrip("/"),
    tags=["Zhipu"],
    dependencies=[KeyRequired],
    responses=error_docs(400, 401, 403, 404, 408, 422, 429, 500, 503, model=ZhipuError),
)


class _Fields(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class UploadFields(_Fields):
    """The fields of an upload, in addition to the recording `file`."""

    purpose: Echoed = Field(default=_INPUT, description="The purpose of the file.", examples=[_INPUT])


class CloneFields(_Fields):
    voice_name: str = Field(description="The voice's name.", examples=["my_voice"])
    file_id: str = Field(description="The id of the recording, as /files has answered it.", examples=["a1b2"])
    input: str = Field(description="The text that the new voice says as its sample.", examples=["试听"])
    text: str | None = Field(
        default=None, description="The recording's exact transcript.", examples=["录音里说的每一个字。"]
    )
    request_id: Echoed | None = Field(
        default=None, description="An id that the answer repeats.", examples=["r1"]
    )


class DeleteFields(_Fields):
    voice: str = Field(description="The name of the voice.", examples=["my_voice"])


@router.post(
    "/files",
    name="zhipu_upload",
    dependencies=[WriterRequired],
    openapi_extra=form_docs(UploadFields, name="ZhipuFileUpload", file="file"),
)
async def upload(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Stores a recording from which a voice can be cloned."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, _ = body.parse(UploadFields, files=("file",))
    file = body.needed_file("file", "the voice's recording")
    require_audio(await state.pools.files.run(file.read, HEAD_BYTES))
    return {
        "id": await state.pools.files.run(lambda: _uploads(request, state).add(file.read())),
        "object": "file",
        "bytes": await state.pools.files.run(file.size),
        "filename": quote(file.filename),
        "purpose": fields.purpose,
        "created_at": int(time.time()),
    }


@router.get(
    "/files/{file_id}/content",
    name="zhipu_file",
    response_class=Response,
    responses={200: recording_docs("The file.")},
)
async def content(file_id: str, request: Request, state: AppStateDep) -> Response:
    """Returns a recording that was uploaded, or the sample of a cloned voice, to the key that uploaded or
    cloned it."""
    data = await state.pools.files.run(_uploads(request, state).read, file_id)
    container = container_of(data)
    return Response(data, media_type=container.media_type if container else "application/octet-stream")


@router.post(
    "/voice/clone",
    name="zhipu_clone",
    dependencies=[WriterRequired],
    openapi_extra=json_docs(
        CloneFields,
        name="ZhipuClone",
        example={
            "voice_name": "my_voice",
            "file_id": "a1b2",
            "input": "试听",
            "text": "录音里说的每一个字。",
        },
    ),
)
async def clone(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Has the new voice say `input` as its sample, then registers the voice. Answers with the sample's
    file_id."""
    with logged_speech(request, "zhipu", state.speech.figures):
        body = await read_body(request, state.config.max_text_bytes)
        fields, _ = body.parse(CloneFields)
        name = _index_of(fields.voice_name)
        if fields.text is None:
            raise InvalidField("text is missing: the exact transcript of the recording.")
        transcript = state.voices.check_transcript(fields.text)
        read = cache(partial(_uploads(request, state).read, fields.file_id))  # kept after the first reading
        sample = await _sample(request, state, fields.input, UploadedVoice(read, transcript))
        voice = await register(request, state, transcript, lambda: state.voices.add(name, transcript, read()))
        return {
            "voice": voice.index,
            "file_id": await state.pools.files.run(_uploads(request, state).add, sample),
            "file_purpose": _OUTPUT,
            "request_id": fields.request_id or request.state.request_id,
        }


@router.get("/voice/list", name="zhipu_voices")
async def list_voices(
    request: Request, state: AppStateDep, voiceType: str = "", voiceName: str = ""
) -> dict[str, Any]:
    """Lists the voices of this server, and the aliases of VOICE_ALIASES with the voices that they stand for.
    The names of Zhipu's own voices are such aliases. Lists only entries of the type `voiceType` (PRIVATE or
    OFFICIAL) with `voiceName` in their names; an empty value selects all."""
    aliases, base_url = state.config.voice_aliases, quote(str(request.base_url), _MOST_URL_CHARS)
    shown = await state.pools.files.run(_list, state.voices, aliases, base_url)
    return {
        "voice_list": [
            voice
            for voice in shown
            if voiceType in ("", voice["voice_type"]) and voiceName in voice["voice_name"]
        ]
    }


@router.post(
    "/voice/delete",
    name="zhipu_delete",
    dependencies=[WriterRequired],
    openapi_extra=json_docs(DeleteFields, name="ZhipuDelete", example={"voice": "my_voice"}),
)
async def delete(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Deletes a voice that was added over the API."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, _ = body.parse(DeleteFields)
    await state.pools.files.run(state.voices.remove, fields.voice)
    return {"voice": fields.voice, "update_time": _date(time.time())}


def _uploads(request: Request, state: AppState) -> Uploads:
    """Returns the files of the request's key; without keys, the files of all clients."""
    owner = sha256(owner_of(request).encode()).hexdigest()[:32] if state.keys.are_needed else ""
    return Uploads(state.config.uploads_dir / owner, most_bytes=state.voices.room.n_bytes)


async def _sample(request: Request, state: AppState, text: str, voice: UploadedVoice) -> bytes:
    """Speaks `text` with the new voice. Returns the speech as a WAV file."""
    check_text(request, state, text, field="input")
    asked = SpeechRequest(
        request.state.request_id, text, voice, others=await marked_voices(text, state, voice)
    )
    return (await speak(request, state, asked)).audio


def _list(voices: VoiceStore, aliases: Mapping[str, str], base_url: str) -> list[dict[str, str]]:
    """Returns the voices and the aliases of voices in the form in which Zhipu's cloud lists voices.
    `base_url` is this server's URL. Blocking."""
    registered = {voice.index: voice for voice in voices.list_voices()}
    meant = {name: registered[index] for name, index in aliases.items() if index in registered}
    return [_shown(name, voice, base_url) for name, voice in (meant | registered).items()]


def _shown(name: str, voice: VoiceInfo, base_url: str) -> dict[str, str]:
    return {
        "voice": name,
        "voice_name": _name_of(name),
        "voice_type": "PRIVATE" if voice.source == "own" and name == voice.index else "OFFICIAL",
        "download_url": f"{base_url}api/v1/prompts/{url_quote(voice.index)}/audio",
        "create_time": _date(voice.created_at),
    }


def _index_of(voice_name: str) -> str:
    """Returns the server's name for the voice that the client calls `voice_name`: the same name if this
    server allows it, else its punycode form. The length is checked first, because encoding a long name takes
    time that grows with the square of its length. Raises InvalidField if neither form is allowed."""
    if is_index(voice_name):
        return voice_name
    if len(voice_name) <= MOST_INDEX_CHARS - len(_ENCODED):
        index = _ENCODED + voice_name.encode("punycode").decode()
        if is_index(index):
            return index
    raise InvalidField(
        f"voice_name must be {INDEX_RULE}, or a shorter one with other characters, not '{quote(voice_name)}'."
    )


def _name_of(index: str) -> str:
    if not index.startswith(_ENCODED):
        return index
    try:
        name = index.removeprefix(_ENCODED).encode().decode("punycode")
        name.encode()  # punycode may hold lone surrogates, which no answer can hold
    except UnicodeError:  # a user's own name that begins with xn-- too
        return index
    return name or index


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
