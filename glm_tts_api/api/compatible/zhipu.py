"""The API of Zhipu's cloud: POST /api/paas/v4/audio/speech, whose audio is sent whole or in events, and the
routes /files and /voice that clone, list and delete voices.

In Zhipu's cloud a voice may have any name. A name that this server does not allow is encoded as punycode, as
in host names.
"""

from __future__ import annotations

import base64
import logging
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote as url_quote

from fastapi import Request, Response
from pydantic import BaseModel, Field

from glm_tts_api import errors
from glm_tts_api.api.access import WriterRequired, owner_of
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.background import register
from glm_tts_api.api.dialects import Dialect
from glm_tts_api.api.fields import Fields, described
from glm_tts_api.api.heard import VerifyField
from glm_tts_api.api.openapi import audio_docs, form_docs, json_docs, recording_docs
from glm_tts_api.api.speech_request import logged_speech, read_speech, require_text, speech_of
from glm_tts_api.api.speech_response import EVENTS, Framing, answer_speech, event, speak
from glm_tts_api.audio.containers import HEAD_BYTES, container_of
from glm_tts_api.audio.decode import require_audio
from glm_tts_api.contracts import SAMPLE_RATE, UploadedVoice
from glm_tts_api.durable import replace_file
from glm_tts_api.errors import InvalidField, ServiceError, Unhealthy, quote
from glm_tts_api.http.body import read_body
from glm_tts_api.validation import Allowed, AnyCase, Echoed
from glm_tts_api.voices.about import INDEX_RULE, MOST_INDEX_CHARS, is_index
from glm_tts_api.voices.index import VoiceInfo
from glm_tts_api.voices.store import VoiceStore

logger = logging.getLogger(__name__)
_MOST = 32
_ID = re.compile(r"file-[0-9a-f]{32}")  # a later file has a greater id
_WRITTEN = re.compile(rf"{_ID.pattern}(\.new)?")  # also a file that a killed server has left unfinished
_ENCODED = "xn--"
_MOST_URL_CHARS = 300  # of the server's URL as the client sent it, which every listed voice repeats
_INPUT, _OUTPUT = "voice-clone-input", "voice-clone-output"
_EXAMPLE = {"model": "glm-tts", "input": "你好，欢迎使用语音合成服务。", "voice": "tongtong"}


class ZhipuErrorDetail(BaseModel):
    """An error, in the form of Zhipu's API."""

    code: str = described("The number of the error in Zhipu's API.", "1214")
    message: str = described("The error in one sentence.", "input is missing.")


class ZhipuError(BaseModel):
    """The answer to every error on Zhipu's routes."""

    error: ZhipuErrorDetail


_CODES = {
    400: "1214",  # an invalid parameter
    401: "1001",  # no Authorization header
    403: "1220",  # no permission
    404: "1222",  # no such API
    405: "1222",
    408: "1230",  # the call was begun and failed
    429: "1302",  # too many at once
    500: "500",
    503: "1230",
}

ZHIPU = Dialect(
    name="zhipu",
    tag="Zhipu",
    text="input",
    paths=("/api/paas/v4/",),
    body=lambda error, status: {"error": {"code": _CODES[status], "message": error.message}},
    model=ZhipuError,
    statuses={errors.QueueFull: 429, errors.UnknownVoice: 400, errors.UnknownMood: 400},
    known_statuses=_CODES,
    stops_retries=True,
)
router = ZHIPU.router("/api/paas/v4/audio")
voices_router = ZHIPU.router("/api/paas/v4", 400, 401, 403, 404, 408, 422, 429, 500, 503)


class ZhipuSpeechFields(Fields):
    """The fields of a speech request. Other fields are ignored with a warning; null counts as not sent."""

    input: str = described("The text to say.", "你好，欢迎使用语音合成服务。")
    model: Echoed = described("Any name: the server has only one model.", "glm-tts", default="glm-tts")
    voice: str = described(
        "A registered voice, or one of Zhipu's names (VOICE_ALIASES).", "tongtong", default="tongtong"
    )
    response_format: Annotated[Literal["pcm", "wav"], AnyCase] = described(
        "The format of the audio. pcm: samples of 16 bit, mono, 24000 Hz.", "wav", default="pcm"
    )
    encode_format: Literal["base64", "hex"] = described(
        "The encoding of the audio in events.", "base64", default="base64"
    )
    speed: Annotated[float, Field(ge=0.5, le=2.0)] = described(
        "Faster or slower at the same pitch.", 1.0, default=1.0
    )
    volume: Annotated[float, Field(gt=0, le=10), Allowed("a number above 0 and up to 10")] = described(
        "A factor for the volume. Samples that become too loud are clipped.", 1.0, default=1.0
    )
    stream: bool = described(
        "true: the answer is events with pieces of pcm, sent while the audio is made.", False, default=False
    )
    verify: VerifyField


class SpeechEvents(Framing):
    """Sends a streamed answer as server-sent events. As in Zhipu's API, each event has a piece of the audio
    as the `delta` of a choice."""

    media_type = EVENTS
    takes_errors = True

    def __init__(self, request_id: str, fields: ZhipuSpeechFields) -> None:
        self._fields = fields
        self._head = {"id": request_id, "created": int(time.time()), "model": fields.model}
        self._n_sent = 0

    def piece(self, audio: bytes) -> bytes:
        is_hex = self._fields.encode_format == "hex"
        delta = {
            "role": "assistant",
            "content": audio.hex() if is_hex else base64.b64encode(audio).decode(),
            "return_sample_rate": SAMPLE_RATE,
            "return_format": "pcm",
        }
        return self._choice(delta=delta)

    def end(self, verified: list[dict[str, Any]]) -> bytes:
        """Returns the last two events: a choice that ends the answer, and [DONE]. The choice has an empty
        delta, because zai-sdk needs a delta in every choice, although the last choice of Zhipu's cloud has
        none."""
        heard = {"verified": verified} if verified else {}
        return self._choice(finish_reason="stop", delta={}, **heard) + b"data: [DONE]\n\n"

    def error(self, error: ServiceError) -> bytes:
        return event(ZHIPU.error_body(error))

    def _choice(self, **choice: Any) -> bytes:
        choice["index"] = self._n_sent
        self._n_sent += 1
        return event({**self._head, "choices": [choice]})


@router.post(
    "/speech",
    response_class=Response,
    openapi_extra=json_docs(ZhipuSpeechFields, name="ZhipuSpeech", example=_EXAMPLE),
    responses={
        200: audio_docs("pcm", "wav", events="stream"),
        **ZHIPU.errors(400, 401, 403, 408, 429, 500, 503),
    },
)
async def zhipu_speech(request: Request, state: AppStateDep) -> Response:
    """Says `input` in `voice`."""
    with logged_speech(request, state, ZHIPU):
        fields, warnings = await read_speech(request, state, ZHIPU, ZhipuSpeechFields)
        if fields.stream and fields.response_format != "pcm":
            raise InvalidField("stream=true needs response_format=pcm.")
        speech = await speech_of(
            request,
            state,
            fields.input,
            fields.voice,
            verify=fields.verify,
            streams=fields.stream,
            audio_format=fields.response_format,
            speed=fields.speed,
            volume=fields.volume,
            warnings=warnings,
        )
        return await answer_speech(request, state, speech, SpeechEvents(speech.request_id, fields))


class Uploads:
    """Keeps the newest files in `folder`: at most 32 files, with at most `most_bytes` together. The newest
    file is always kept. The folder is made when it is needed."""

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def add(self, data: bytes) -> str:
        """Stores `data` as a new file and returns the file's name. Deletes the oldest files if there are more
        files or bytes than allowed. Raises Unhealthy if the folder cannot be written."""
        name = f"file-{time.time_ns():016x}{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            replace_file(self._folder / name, data)
            files = sorted(path for path in self._folder.iterdir() if _WRITTEN.fullmatch(path.name))
            n_bytes = list(accumulate(map(_size_of, reversed(files))))
            n_kept = max(1, sum(each <= self._most_bytes for each in n_bytes[:_MOST]))
            for path in files[:-n_kept]:
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.error("An upload cannot be kept in %s: %s", self._folder, error)
            raise Unhealthy("The server cannot keep uploads: let its user write to PROMPTS_DIR.") from None
        return name

    def read(self, name: str) -> bytes:
        """Returns the content of the file `name`. Raises InvalidField if there is no such file."""
        with suppress(FileNotFoundError):
            if _ID.fullmatch(name):
                return (self._folder / name).read_bytes()
        raise InvalidField(f"There is no file '{quote(name)}'; only the newest {_MOST} are kept.")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another worker has deleted it
        return 0


class UploadFields(Fields):
    """The fields of an upload, in addition to the recording `file`."""

    purpose: Echoed = described("The purpose of the file.", _INPUT, default=_INPUT)


class CloneFields(Fields):
    voice_name: str = described("The voice's name.", "my_voice")
    file_id: str = described("The id of the recording, as /files has answered it.", "a1b2")
    input: str = described("The text that the new voice says as its sample.", "试听")
    text: str | None = described("The recording's exact transcript.", "录音里说的每一个字。", default=None)
    request_id: Echoed | None = described("An id that the answer repeats.", "r1", default=None)


class DeleteFields(Fields):
    voice: str = described("The name of the voice.", "my_voice")


@voices_router.post(
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


@voices_router.get(
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


@voices_router.post(
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
    with logged_speech(request, state, ZHIPU) as log:
        body = await read_body(request, state.config.max_text_bytes)
        fields, _ = body.parse(CloneFields)
        name = _index_of(fields.voice_name)
        if fields.text is None:
            raise InvalidField("text is missing: the exact transcript of the recording.")
        transcript = state.voices.check_transcript(fields.text)
        read = cache(partial(_uploads(request, state).read, fields.file_id))  # kept after the first reading
        log.length = state.speech.admission.config.measure(len(fields.input))
        require_text(fields.input, state.config.max_text_length, field="input")
        speech = await speech_of(request, state, fields.input, UploadedVoice(read, transcript))
        sample = (await speak(request, state, speech)).audio
        voice = await register(request, state, transcript, lambda: state.voices.add(name, transcript, read()))
        return {
            "voice": voice.index,
            "file_id": await state.pools.files.run(_uploads(request, state).add, sample),
            "file_purpose": _OUTPUT,
            "request_id": fields.request_id or request.state.request_id,
        }


@voices_router.get("/voice/list", name="zhipu_voices")
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


@voices_router.post(
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
