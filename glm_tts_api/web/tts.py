"""POST /api/v1/tts: a form in, speech out."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from glm_tts_api.audio.containers import HEAD_BYTES
from glm_tts_api.audio.decode import RecordingLimits, decode_audio, require_audio
from glm_tts_api.audio.encode import encode
from glm_tts_api.contracts import SamplingOptions, Utterance, Voice
from glm_tts_api.errors import InvalidField, NothingToSay, TextTooLong
from glm_tts_api.voices.decoded import digest_of
from glm_tts_api.voices.transcript import check_transcript
from glm_tts_api.web.access import KeyRequired
from glm_tts_api.web.body import Body, Upload, read_body
from glm_tts_api.web.dependencies import ServiceDep
from glm_tts_api.web.openapi import BINARY, body_docs, error_docs, header_docs
from glm_tts_api.web.request_log import SpeechLine, logged_speech
from glm_tts_api.web.schemas import SpeechAnswer, SpeechFields
from glm_tts_api.web.service import Service
from glm_tts_api.web.speaking import Speech, admitted, speak
from glm_tts_api.web.verification import TOKEN_HEADER, take_token

_BASE64_BLOCK = 3 * 2**20  # a multiple of 3; short enough for other threads to get their turn
_EXAMPLE = {"input_text": "你好，欢迎使用语音合成服务。", "index": "exampleA", "response_format": "wav"}

router = APIRouter(
    prefix="/api/v1", tags=["speech"], dependencies=[KeyRequired], responses=error_docs(401, 403, 500)
)


@dataclass(frozen=True, slots=True, eq=False)
class _Prompt:
    """A recording that the request brings, decoded once the request has a place: what waits is small."""

    upload: Upload
    transcript: str


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """A parsed request. `counted` is false for the sentence that verifies a restart."""

    request_id: str
    fields: SpeechFields
    voice: Voice | _Prompt
    counted: bool
    warnings: list[str]


@router.post(
    "/tts",
    summary="Speak",
    openapi_extra=body_docs(SpeechFields, name="Speech", example=_EXAMPLE),
    responses={
        200: {
            "model": SpeechAnswer,
            "description": "JSON with the WAV inside, or the audio itself, as response_format says.",
            "content": {"audio/wav": BINARY},
            "headers": header_docs(
                X_Request_Id="Names the request in the server's log.",
                X_Sample_Rate="Audio answers: Hz.",
                X_Audio_Seconds="Audio answers: how long the speech lasts.",
                X_Generation_Time="Audio answers: seconds from admission to the finished audio.",
                X_Warnings="Audio answers: what was sent and not used, as ASCII with backslash escapes.",
            ),
        },
        **error_docs(400, 404, 408, 413, 415, 422, 503),
    },
)
async def tts(request: Request, service: ServiceDep) -> Response:
    """Says input_text in a registered voice (index) or in a recording's (prompt_audio, prompt_text)."""
    with logged_speech(request) as line:
        wanted = await _parse(request, service, line)
        async with admitted(request, service, line.n_chars, line, counted=wanted.counted) as permit:
            utterance = _utterance(wanted, await _decoded(wanted.voice, service))
            speech = await speak(service.engine, utterance, permit, line)
            with line.timings.stage("encode"):
                body = await service.pools.encode.run(_encode, speech, wanted)
        return _answer(body, speech, wanted)


async def _parse(request: Request, service: Service, line: SpeechLine) -> _Wanted:
    body = await read_body(request, service.config.max_text_bytes)
    fields, warnings = body.parse(SpeechFields)
    line.n_chars = len(fields.input_text)
    line.lane = service.admission.config.lane_of(line.n_chars)
    _require_text(fields.input_text, service.config.max_text_length)
    _require_available(fields)
    voice = await _voice(body, fields, service)
    token = request.headers.get(TOKEN_HEADER, "")
    verifies = bool(token) and await asyncio.to_thread(take_token, token, service.config.verify_token_file)
    return _Wanted(request.state.request_id, fields, voice, counted=not verifies, warnings=warnings)


def _require_text(text: str, max_length: int) -> None:
    if len(text) > max_length:
        raise TextTooLong(
            f"input_text has {len(text)} characters; at most {max_length} are possible (MAX_TEXT_LENGTH)."
        )
    if not text.strip():
        raise NothingToSay("input_text is blank.")


def _require_available(fields: SpeechFields) -> None:
    """What the contract names and this version does not do yet."""
    if fields.stream:
        raise InvalidField("stream=true comes later; leave it out for now.")
    if fields.speed != 1.0:
        raise InvalidField("A speed other than 1.0 comes later; leave it out for now.")


async def _voice(body: Body, fields: SpeechFields, service: Service) -> Voice | _Prompt:
    """The voice that the request names, or the recording that it brings with it."""
    upload = body.prompt_audio()
    if fields.index is not None:
        if upload or fields.prompt_text:
            raise InvalidField("Send either index, or prompt_audio with prompt_text, not both.")
        return await service.pools.files.run(service.voices.get, fields.index)
    if upload is None and fields.prompt_text is None:
        raise InvalidField("Send index (a registered voice), or prompt_audio with prompt_text.")
    if upload is None:
        raise InvalidField("prompt_text needs prompt_audio, the recording that it is the transcript of.")
    if fields.prompt_text is None or not fields.prompt_text.strip():
        raise InvalidField("prompt_audio needs prompt_text, its exact transcript.")
    transcript = check_transcript(fields.prompt_text, service.config.max_prompt_characters)
    require_audio(await service.pools.files.run(upload.read, HEAD_BYTES))
    return _Prompt(upload, transcript)


async def _decoded(voice: Voice | _Prompt, service: Service) -> Voice:
    if isinstance(voice, Voice):
        return voice
    return await service.pools.decode.run(_decode, voice, service.config.prompt_limits)


def _decode(prompt: _Prompt, limits: RecordingLimits) -> Voice:
    """Blocking; runs on a pool thread."""
    data = prompt.upload.read()
    return Voice(decode_audio(data, limits), prompt.transcript, digest_of(data))


def _utterance(wanted: _Wanted, voice: Voice) -> Utterance:
    fields = wanted.fields
    return Utterance(
        request_id=wanted.request_id,
        text=fields.input_text,
        voice=voice,
        sampling=SamplingOptions(fields.sample_method, fields.sampling, fields.beam_size, fields.seed),
        sample_rate=fields.sample_rate,
        use_cache=fields.use_cache,
        use_phoneme=fields.use_phoneme,
    )


def _encode(speech: Speech, wanted: _Wanted) -> bytes:
    """The answer's body. Blocking; runs on a pool thread."""
    wav = encode(speech.pcm, "wav", speech.sample_rate)
    return wav if wanted.fields.response_format == "wav" else _json_with_audio(wav, speech, wanted)


def _json_with_audio(wav: bytes, speech: Speech, wanted: _Wanted) -> bytes:
    """The fields of SpeechAnswer. The audio is put in as it is: a JSON encoder would look at each character,
    and keep every other thread waiting meanwhile."""
    n_segments = speech.timings.segments
    fields = {
        "success": True,
        "message": f"{speech.seconds:.2f} s of speech in {n_segments} segment{'s'[: n_segments != 1]}.",
        "sample_rate": speech.sample_rate,
        "generation_time": round(speech.generation_s, 2),
        "error": None,
        "request_id": wanted.request_id,
        "audio_seconds": round(speech.seconds, 3),
        "segments": n_segments,
        "rtf": round(speech.generation_s / speech.seconds, 3) if speech.seconds else 0.0,
        "warnings": wanted.warnings,
    }
    blocks = (wav[at : at + _BASE64_BLOCK] for at in range(0, len(wav), _BASE64_BLOCK))
    audio = b"".join(base64.b64encode(block) for block in blocks)
    return json.dumps(fields).encode()[:-1] + b', "audio_base64": "' + audio + b'"}'


def _answer(body: bytes, speech: Speech, wanted: _Wanted) -> Response:
    if wanted.fields.response_format == "json":
        return Response(body, media_type="application/json")
    headers = {
        "Content-Disposition": 'attachment; filename="speech.wav"',  # /docs offers it as a file
        "X-Sample-Rate": str(speech.sample_rate),
        "X-Audio-Seconds": f"{speech.seconds:.3f}",
        "X-Generation-Time": f"{speech.generation_s:.2f}",
    }
    if wanted.warnings:
        headers["X-Warnings"] = " ".join(wanted.warnings).encode("unicode_escape").decode()
    return Response(body, media_type="audio/wav", headers=headers)
