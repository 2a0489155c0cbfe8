"""Cloning, listing and deleting voices as with Zhipu's cloud: /api/paas/v4/files and /voice.

A voice's name may be any there; one that ours may not have is written as host names are (punycode).
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from glm_tts_api.audio.containers import HEAD_BYTES, container_of
from glm_tts_api.audio.decode import require_audio
from glm_tts_api.contracts import SpeechRequest, UploadedVoice
from glm_tts_api.errors import InvalidField
from glm_tts_api.voices.index import INDEX_PATTERN
from glm_tts_api.voices.store import VoiceInfo
from glm_tts_api.voices.transcript import check_transcript
from glm_tts_api.web.access import KeyRequired, WriterRequired
from glm_tts_api.web.app_state import AppState
from glm_tts_api.web.body import read_body
from glm_tts_api.web.compatible.uploads import Uploads
from glm_tts_api.web.compatible.zhipu_errors import PREFIX
from glm_tts_api.web.dependencies import AppStateDep
from glm_tts_api.web.request_log import logged_speech
from glm_tts_api.web.speech_response import speak
from glm_tts_api.web.text_limits import check_text
from glm_tts_api.web.voice_names import marked_voices

_ENCODED = "xn--"
_INPUT, _OUTPUT = "voice-clone-input", "voice-clone-output"

router = APIRouter(prefix=PREFIX.rstrip("/"), include_in_schema=False, dependencies=[KeyRequired])


class _Fields(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class UploadFields(_Fields):
    """Beside the recording, `file`."""

    purpose: str = _INPUT


class CloneFields(_Fields):
    voice_name: str
    file_id: str
    input: str
    text: str | None = None
    request_id: str | None = None


class DeleteFields(_Fields):
    voice: str


@router.post("/files", dependencies=[WriterRequired])
async def upload(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Takes a recording to clone a voice from."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, _ = body.parse(UploadFields, files=("file",))
    file = body.file("file")
    if file is None:
        raise InvalidField("file is missing: the voice's recording, as a file.")
    data = await state.pools.files.run(file.read)
    require_audio(data[:HEAD_BYTES])
    return {
        "id": await state.pools.files.run(_uploads(state).add, data),
        "object": "file",
        "bytes": len(data),
        "filename": file.filename,
        "purpose": fields.purpose,
        "created_at": int(time.time()),
    }


@router.get("/files/{file_id}/content")
async def content(file_id: str, state: AppStateDep) -> Response:
    data = await state.pools.files.run(_uploads(state).read, file_id)
    container = container_of(data)
    return Response(data, media_type=container.media_type if container else "application/octet-stream")


@router.post("/voice/clone", dependencies=[WriterRequired])
async def clone(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Registers a voice, once it has said `input` as a sample of it."""
    with logged_speech(request, "zhipu", state.figures):
        body = await read_body(request, state.config.max_text_bytes)
        fields, _ = body.parse(CloneFields)
        if fields.text is None:
            raise InvalidField("text is missing: the exact transcript of the recording.")
        transcript = check_transcript(fields.text, state.config.max_prompt_characters)
        data = await state.pools.files.run(_uploads(state).read, fields.file_id)
        sample = await _sample(request, state, fields.input, data, transcript)
        name = _index_of(fields.voice_name)
        voice = await state.pools.decode.run(state.voices.add, name, transcript, data)
        return {
            "voice": voice.index,
            "file_id": await state.pools.files.run(_uploads(state).add, sample),
            "file_purpose": _OUTPUT,
            "request_id": fields.request_id or request.state.request_id,
        }


@router.get("/voice/list")
async def list_voices(
    request: Request, state: AppStateDep, voiceType: str = "", voiceName: str = ""
) -> dict[str, Any]:
    """The voices of this server, and the cloud's own names with the voices that they stand for."""
    registered = {voice.index: voice for voice in await state.pools.files.run(state.voices.list_voices)}
    aliases = state.config.zhipu_voices.items()
    voices = {name: registered[meant] for name, meant in aliases if meant in registered} | registered
    shown = [_shown(name, voice, str(request.base_url)) for name, voice in voices.items()]
    return {
        "voice_list": [
            voice
            for voice in shown
            if voiceType in ("", voice["voice_type"]) and voiceName in voice["voice_name"]
        ]
    }


@router.post("/voice/delete", dependencies=[WriterRequired])
async def delete(request: Request, state: AppStateDep) -> dict[str, Any]:
    body = await read_body(request, state.config.max_text_bytes)
    fields, _ = body.parse(DeleteFields)
    await state.pools.files.run(state.voices.remove, fields.voice)
    return {"voice": fields.voice, "update_time": _date(time.time())}


def _uploads(state: AppState) -> Uploads:
    return Uploads(state.config.uploads_dir)


async def _sample(request: Request, state: AppState, text: str, data: bytes, transcript: str) -> bytes:
    """A WAV of `text` in the voice of a recording."""
    check_text(request, state, text, field="input")
    voice = UploadedVoice(lambda: data, transcript)
    asked = SpeechRequest(request.state.request_id, text, voice, others=await marked_voices(text, state))
    return (await speak(request, state, asked)).audio


def _shown(name: str, voice: VoiceInfo, base_url: str) -> dict[str, str]:
    return {
        "voice": name,
        "voice_name": _name_of(name),
        "voice_type": "PRIVATE" if voice.source == "own" and name == voice.index else "OFFICIAL",
        "download_url": f"{base_url}api/v1/prompts/{voice.index}/audio",
        "create_time": _date(voice.created_at),
    }


def _index_of(voice_name: str) -> str:
    if INDEX_PATTERN.fullmatch(voice_name):
        return voice_name
    return _ENCODED + voice_name.encode("punycode").decode()


def _name_of(index: str) -> str:
    if not index.startswith(_ENCODED):
        return index
    try:
        return index.removeprefix(_ENCODED).encode().decode("punycode")
    except UnicodeError:  # a name of the user's own that only begins so
        return index


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
