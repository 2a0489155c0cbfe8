"""OpenAI's speech API: POST /v1/audio/speech. The audio is sent while it is made."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from fastapi import Request, Response
from pydantic import BaseModel, BeforeValidator

from glm_tts_api import errors
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.dialects import Dialect
from glm_tts_api.api.fields import Fields, described
from glm_tts_api.api.heard import TimestampsField, VerifyField, misspoken, times_body
from glm_tts_api.api.openapi import audio_docs, json_docs
from glm_tts_api.api.speech_request import logged_speech, named_voice, read_speech, speech_of, uploaded_voice
from glm_tts_api.api.speech_response import AS_IS, EVENTS, Framing, answer_speech, event
from glm_tts_api.contracts import AudioFormat, SamplingOptions, Timings, UploadedVoice, Voice
from glm_tts_api.errors import InvalidField, ServiceError, quote
from glm_tts_api.http.body import Upload, read_body
from glm_tts_api.speech.times import SegmentTimes
from glm_tts_api.validation import Allowed, AnyCase, Seed, Speed
from speech_text import has_hanzi
from speech_text.marks import MOOD_SIGN, in_mood


class OpenAIErrorDetail(BaseModel):
    """An error, in the form of OpenAI's API."""

    message: str = described("The error in one sentence.", "input is missing.")
    type: str = described("The kind of error.", "invalid_request_error")
    param: str | None = described("The field that the error is about.", "input")
    code: str = described("The error's name, for programs.", "invalid_field")


class OpenAIError(BaseModel):
    """The answer to every error on OpenAI's routes."""

    error: OpenAIErrorDetail


# The field at fault, for errors that do not name it themselves, such as the engine's.
_PARAM: dict[type[ServiceError], str] = {
    errors.UnknownVoice: "voice",
    errors.NothingToSay: "input",
    errors.MalformedPronunciation: "input",
}


def _body(error: ServiceError, status: int) -> dict[str, Any]:
    if status == 429:
        kind = "rate_limit_error"
    elif status >= 500:
        kind = "server_error"
    else:
        kind = "authentication_error" if status == 403 else "invalid_request_error"
    param = error.param or _PARAM.get(type(error))
    code = "invalid_api_key" if isinstance(error, errors.WrongKey) else error.code
    return {"error": {"message": error.message, "type": kind, "param": param, "code": code}}


OPENAI = Dialect(
    name="openai",
    tag="OpenAI",
    text="input",
    paths=("/v1/",),
    files_in_json=("/v1/audio/speech",),
    base_url="An OpenAI client's base URL ends in /v1.",
    body=_body,
    model=OpenAIError,
    statuses={
        errors.WrongKey: 401,
        errors.QueueFull: 429,
        errors.UnknownVoice: 400,
        errors.TextTooLong: 400,
        errors.VoiceExists: 400,  # OpenAI's SDKs repeat a request after a 409
    },
    stops_retries=True,
)
VoiceName = Annotated[
    str,
    BeforeValidator(lambda value: value.get("id") if isinstance(value, dict) else value),
    Allowed('a voice\'s name, or {"id": name}'),
]


_REALTIME = {"pcm16": "pcm", "ulaw": "mulaw", "g711_ulaw": "mulaw", "g711_alaw": "alaw"}
# OpenAI's realtime API has names of its own for these formats.
OpenAIFormat = Annotated[
    AudioFormat, BeforeValidator(lambda value: _REALTIME.get(str(value), value)), AnyCase
]


class OpenAISpeechFields(Fields):
    """The fields of a speech request, in addition to ref_audio. Other fields are ignored with a warning; null
    counts as not sent."""

    input: str = described("The text to say.", "你好，欢迎使用语音合成服务。")
    model: str = described("Any name: the server has only one model.", "glm-tts", default="glm-tts")
    voice: VoiceName = described(
        "A registered voice, or an alias: OpenAI's and Kokoro's names (VOICE_ALIASES). my_voice:glad is "
        "my_voice in its mood glad.",
        "exampleA",
        default="alloy",
    )
    instructions: str | None = described(
        "If the instructions name a mood of the voice, the voice speaks in that mood. Else X-Warnings lists "
        "its moods. The model follows no other instructions.",
        "Speak in a glad tone.",
        default=None,
    )
    response_format: OpenAIFormat = described(
        "The format of the audio. pcm (pcm16): samples of 16 bit, mono, 24000 Hz. mulaw (g711_ulaw) and alaw "
        "(g711_alaw): a telephone's, 8000 Hz.",
        "mp3",
        default="mp3",
    )
    speed: Speed = described("Faster or slower at the same pitch.", 1.0, default=1.0)
    stream_format: Literal["audio", "sse"] = described(
        "audio: the audio itself. sse: events with pieces of the audio.", "audio", default="audio"
    )
    stream: bool = described(
        "false: the answer is sent as a whole, with its length. Not possible with stream_format=sse.",
        True,
        default=True,
    )
    ref_text: str | None = described(
        "The exact transcript of ref_audio.", "录音里说的每一个字。", default=None
    )
    timestamps: TimestampsField
    verify: VerifyField
    seed: Seed = described(
        "A field that OpenAI does not have. The same request and seed give the same audio. For GPUs, see "
        "docs/performance.md.",
        42,
        default=SamplingOptions().seed,
    )


def moody_voice(
    voice: Voice | UploadedVoice, instructions: str | None, state: AppState, warnings: list[str]
) -> Voice | UploadedVoice:
    """Returns `voice` in the mood that `instructions` names. Returns `voice` as it is if `instructions` is
    None. Also returns it as it is, and adds a warning to `warnings` that says why, if `instructions` names no
    mood or several, if `voice` is a recording, or if `voice` has a mood already. Blocking. Raises the errors
    of VoiceStore.get."""
    if instructions is None:
        return voice
    name = voice.name if isinstance(voice, Voice) else None
    infos = [] if name is None or MOOD_SIGN in name else state.voices.info(name).moods
    moods = [mood.index.partition(MOOD_SIGN)[2] for mood in infos]
    named = [mood for mood in moods if _names(instructions, mood)]
    if name is not None and len(named) == 1:
        return state.voices.get(in_mood(name, named[0]))
    warnings.append(f"'instructions' was ignored: {_why(name, moods, named)}.")
    return voice


def _names(instructions: str, mood: str) -> bool:
    """Whether `instructions` contains the name of the mood as a word, in upper or lower case. A name in Hanzi
    need not have blanks around it."""
    edge = "" if has_hanzi(mood) else r"\b"
    return re.search(f"{edge}{re.escape(mood)}{edge}", instructions, re.IGNORECASE) is not None


def _why(name: str | None, moods: list[str], named: list[str]) -> str:
    if name is None:
        return "a recording in the request has no moods"
    if MOOD_SIGN in name:
        return "the voice names its mood"
    if not moods:
        return f"voice '{quote(name)}' has no moods, and nothing else changes how it speaks"
    fault = "they name several of the moods" if named else "they name none of the moods"
    return f"{fault} that voice '{quote(name)}' has: {', '.join(moods)}"


_USAGE = ("input_tokens", "output_tokens", "total_tokens")
_RECORDING = "ref_audio"  # vLLM-Omni, mlx-audio and others call the field so

_EXAMPLE = {"model": "glm-tts", "input": "你好，欢迎使用语音合成服务。", "voice": "exampleA"}

router = OPENAI.router("/v1/audio")


class SpeechEvents(Framing):
    """Sends a streamed answer as server-sent events, each with a piece of the audio (OpenAI's
    stream_format=sse)."""

    media_type = EVENTS
    takes_errors = True

    def __init__(self, warnings: Sequence[str], timings: Timings) -> None:
        self._warnings, self._timings = warnings, timings

    def piece(self, audio: bytes) -> bytes:
        return event({"type": "speech.audio.delta", "audio": base64.b64encode(audio).decode()})

    def times(self, segment: SegmentTimes) -> bytes:
        return event({"type": "speech.audio.timestamps", **times_body(segment)})

    def end(self, verified: list[dict[str, Any]]) -> bytes:
        told = {"warnings": [*self._warnings, *misspoken(self._timings)], "verified": verified}
        end = {"type": "speech.audio.done", "usage": dict.fromkeys(_USAGE, 0)}
        return event({**end, **{name: values for name, values in told.items() if values}})

    def error(self, error: ServiceError) -> bytes:
        return event({"type": "error", **OPENAI.error_body(error)})


@router.post(
    "/speech",
    response_class=Response,
    openapi_extra=json_docs(OpenAISpeechFields, name="OpenAISpeech", example=_EXAMPLE, recording=_RECORDING),
    responses={
        200: audio_docs(*get_args(AudioFormat), events="stream_format=sse"),
        **OPENAI.errors(400, 401, 403, 408, 413, 415, 422, 429, 500, 503),
    },
)
async def create_speech(request: Request, state: AppStateDep) -> Response:
    """Says `input` in `voice`, or in the voice of `ref_audio`. An error before the first audio has its own
    HTTP status."""
    with logged_speech(request, state, OPENAI) as log:
        body = await read_body(request, state.config.max_text_bytes, recording=_RECORDING)
        recording = body.uploads.pop(_RECORDING, None)
        fields, warnings = await read_speech(request, state, OPENAI, OpenAISpeechFields, body)
        if fields.stream_format == "sse" and not fields.stream:
            raise InvalidField("stream_format=sse is a stream: send it without stream=false.", "stream")
        if recording is not None and "voice" in fields.model_fields_set:
            warnings.append(f"voice was ignored: {_RECORDING} says whose voice it is.")
        voice = await _voice(fields, recording, state)
        voice = await state.pools.files.run(moody_voice, voice, fields.instructions, state, warnings)
        speech = await speech_of(
            request,
            state,
            fields.input,
            voice,
            verify=fields.verify,
            sampling=SamplingOptions(seed=fields.seed),
            streams=fields.stream,
            audio_format=fields.response_format,
            speed=fields.speed,
            timestamps=fields.timestamps,
            warnings=warnings,
        )
        framing = SpeechEvents(speech.warnings, log.timings) if fields.stream_format == "sse" else AS_IS
        return await answer_speech(request, state, speech, framing)


async def _voice(
    fields: OpenAISpeechFields, recording: Upload | None, state: AppState
) -> Voice | UploadedVoice:
    if recording is not None:
        return await uploaded_voice(recording, fields.ref_text, state, names=(_RECORDING, "ref_text"))
    if fields.ref_text is not None:
        raise InvalidField(
            f"ref_text needs {_RECORDING}, the recording that it is the transcript of.", _RECORDING
        )
    return await state.pools.files.run(named_voice, fields.voice, state)
