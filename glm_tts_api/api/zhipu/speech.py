"""POST /api/paas/v4/audio/speech: the speech API of Zhipu's cloud. The audio is sent whole or in events."""

from __future__ import annotations

import base64
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.logged import logged_speech
from glm_tts_api.api.openapi import audio_docs, error_docs, json_docs
from glm_tts_api.api.speech_response import EVENTS, event, speak, stream, whole_audio
from glm_tts_api.api.text_limits import check_text
from glm_tts_api.api.verified import VerifyField
from glm_tts_api.api.voice_names import voices_of
from glm_tts_api.api.zhipu.errors import PREFIX, ZhipuError, zhipu_body
from glm_tts_api.contracts import SAMPLE_RATE, SpeechRequest
from glm_tts_api.errors import InvalidField, ServiceError
from glm_tts_api.http.body import read_body
from glm_tts_api.speech.times import SegmentTimes
from glm_tts_api.validation import Allowed, AnyCase, Echoed

_EXAMPLE = {"model": "glm-tts", "input": "你好，欢迎使用语音合成服务。", "voice": "tongtong"}

router = APIRouter(prefix=f"{PREFIX}audio", tags=["Zhipu"], dependencies=[KeyRequired])


class ZhipuSpeechFields(BaseModel):
    """The fields of a speech request. Other fields are ignored with a warning; null counts as not sent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input: str = Field(description="The text to say.", examples=["你好，欢迎使用语音合成服务。"])
    model: Echoed = Field(
        default="glm-tts", description="Any name: the server has only one model.", examples=["glm-tts"]
    )
    voice: str = Field(
        default="tongtong",
        description="A registered voice, or one of Zhipu's names (VOICE_ALIASES).",
        examples=["tongtong"],
    )
    response_format: Annotated[Literal["pcm", "wav"], AnyCase] = Field(
        default="pcm",
        description="The format of the audio. pcm: samples of 16 bit, mono, 24000 Hz.",
        examples=["wav"],
    )
    encode_format: Literal["base64", "hex"] = Field(
        default="base64", description="The encoding of the audio in events.", examples=["base64"]
    )
    speed: Annotated[float, Field(ge=0.5, le=2.0)] = Field(
        default=1.0, description="Faster or slower at the same pitch.", examples=[1.0]
    )
    volume: Annotated[float, Field(gt=0, le=10), Allowed("a number above 0 and up to 10")] = Field(
        default=1.0,
        description="A factor for the volume. Samples that become too loud are clipped.",
        examples=[1.0],
    )
    stream: bool = Field(
        default=False,
        description="true: the answer is events with pieces of pcm, sent while the audio is made.",
        examples=[False],
    )
    verify: VerifyField


class SpeechEvents:
    """Sends a streamed answer as server-sent events. As in Zhipu's API, each event has a piece of the audio
    as the `delta` of a choice."""

    media_type: str | None = EVENTS
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

    def times(self, segment: SegmentTimes) -> bytes:
        return b""

    def end(self, verified: list[dict[str, Any]]) -> bytes:
        """Returns the last two events: a choice that ends the answer, and [DONE]. The choice has an empty
        delta, because zai-sdk needs a delta in every choice, although the last choice of Zhipu's cloud has
        none."""
        heard = {"verified": verified} if verified else {}
        return self._choice(finish_reason="stop", delta={}, **heard) + b"data: [DONE]\n\n"

    def error(self, error: ServiceError) -> bytes:
        return event(zhipu_body(error))

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
        **error_docs(400, 401, 403, 408, 429, 500, 503, model=ZhipuError),
    },
)
async def zhipu_speech(request: Request, state: AppStateDep) -> Response:
    """Says `input` in `voice`."""
    with logged_speech(request, "zhipu", state.speech.figures):
        body = await read_body(request, state.config.max_text_bytes)
        fields, warnings = body.parse_speech(ZhipuSpeechFields, voice="voice")
        asked = await _asked(request, state, fields, warnings)
        if fields.stream:
            return await stream(request, state, asked, SpeechEvents(asked.request_id, fields))
        return whole_audio(request, await speak(request, state, asked), asked)


async def _asked(
    request: Request, state: AppState, fields: ZhipuSpeechFields, warnings: list[str]
) -> SpeechRequest:
    check_text(request, state, fields.input, field="input")
    if fields.stream and fields.response_format != "pcm":
        raise InvalidField("stream=true needs response_format=pcm.")
    voice, others = await voices_of(fields.voice, fields.input, state)
    return SpeechRequest(
        request.state.request_id,
        fields.input,
        voice,
        sample_rate=SAMPLE_RATE,
        streams=fields.stream,
        others=others,
        audio_format=fields.response_format,
        speed=fields.speed,
        volume=fields.volume,
        warnings=warnings,
        verify=fields.verify,
    )
