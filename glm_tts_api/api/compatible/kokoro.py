"""POST /dev/captioned_speech, as Kokoro-FastAPI has it: audio with the times of its words, as one JSON object
per line."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.logged import log_of, logged_speech
from glm_tts_api.api.openapi import error_docs, json_docs
from glm_tts_api.api.speech_response import audio_headers, speak, stream
from glm_tts_api.api.text_limits import check_text
from glm_tts_api.api.verified import VerifiedSegment, VerifyField
from glm_tts_api.api.voice_names import voices_of
from glm_tts_api.audio.encode import media_type
from glm_tts_api.contracts import SAMPLE_RATE, AudioFormat, SamplingOptions, SpeechRequest
from glm_tts_api.errors import ServiceError
from glm_tts_api.http.body import read_body
from glm_tts_api.recognition.verdicts import listed
from glm_tts_api.speech.times import SegmentTimes
from glm_tts_api.validation import AnyCase, Seed, Speed

_KIND = "application/json"
router = APIRouter(tags=["Kokoro"], dependencies=[KeyRequired], responses=error_docs(401, 403, 500))


class CaptionedFields(BaseModel):
    """The fields of a speech request. Other fields are ignored with a warning; null counts as not sent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input: str = Field(description="The text to say.", examples=["你好，欢迎使用语音合成服务。"])
    model: str = Field(
        default="kokoro", description="Any name: the server has only one model.", examples=["kokoro"]
    )
    voice: str = Field(
        default="af_heart",
        description="A registered voice, or an alias (VOICE_ALIASES).",
        examples=["exampleA"],
    )
    response_format: Annotated[AudioFormat, AnyCase] = Field(
        default="mp3", description="The format of the audio in each line.", examples=["mp3"]
    )
    speed: Speed = Field(default=1.0, description="Faster or slower at the same pitch.", examples=[1.0])
    stream: bool = Field(
        default=True, description="false: the answer is one line, sent when all is spoken.", examples=[True]
    )
    return_timestamps: bool = Field(
        default=True, description="false: the lines have only audio, and timestamps is null.", examples=[True]
    )
    seed: Seed = Field(
        default=SamplingOptions().seed,
        description="A field that Kokoro does not have. The same request and seed give the same audio.",
        examples=[42],
    )
    verify: VerifyField


class Caption(BaseModel):
    """A line of the answer. In a streamed answer, it has a piece of the audio, or the times of a segment's
    words. The only line of a whole answer has both."""

    audio: str = Field(
        description="The audio as base64. It is empty in a line that has only the times of words.",
        examples=["SUQz..."],
    )
    audio_format: str = Field(examples=["audio/mpeg"])
    timestamps: list[dict[str, Any]] | None = Field(
        examples=[[{"word": "你", "start_time": 0.12, "end_time": 0.31}]]
    )
    verified: list[VerifiedSegment] | None = Field(
        default=None, description="With verify: the verdicts, in the last line.", examples=[None]
    )


class CaptionLines:
    """Sends a streamed answer as lines of JSON. Each piece of audio is a line. When a segment has ended, a
    line without audio has the times of the segment's words, unless the request wants no times. If the request
    is verified, the last line has the verdicts."""

    media_type: str | None = _KIND
    takes_errors = False

    def __init__(self, audio_kind: str, *, is_timed: bool) -> None:
        self._audio_kind, self._is_timed = audio_kind, is_timed

    def piece(
        self, audio: bytes, times: Iterable[SegmentTimes] = (), verified: Sequence[dict[str, Any]] = ()
    ) -> bytes:
        words = [
            {"word": word.text, "start_time": round(word.start_s, 3), "end_time": round(word.end_s, 3)}
            for segment in times
            for word in segment.words
        ]
        line = {
            "audio": base64.b64encode(audio).decode(),
            "audio_format": self._audio_kind,
            "timestamps": words if self._is_timed else None,
            **({"verified": verified} if verified else {}),
        }
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"

    def times(self, segment: SegmentTimes) -> bytes:
        return self.piece(b"", [segment])

    def end(self, verified: list[dict[str, Any]]) -> bytes:
        return self.piece(b"", verified=verified) if verified else b""

    def error(self, error: ServiceError) -> bytes:
        raise NotImplementedError


@router.post(
    "/dev/captioned_speech",
    response_class=Response,
    openapi_extra=json_docs(
        CaptionedFields,
        name="CaptionedSpeech",
        example={"input": "你好，欢迎使用语音合成服务。", "voice": "exampleA"},
    ),
    responses={
        200: {"model": Caption, "description": "One such object a line."},
        **error_docs(400, 404, 408, 413, 422, 503),
    },
)
async def captioned_speech(request: Request, state: AppStateDep) -> Response:
    """Says `input` in `voice`, and gives the time at which each word is heard."""
    with logged_speech(request, "openai", state.speech.figures):
        body = await read_body(request, state.config.max_text_bytes)
        fields, warnings = body.parse_speech(CaptionedFields, voice="voice")
        check_text(request, state, fields.input, field="input")
        voice, others = await voices_of(fields.voice, fields.input, state)
        asked = SpeechRequest(
            request.state.request_id,
            fields.input,
            voice,
            SamplingOptions(seed=fields.seed),
            SAMPLE_RATE,
            streams=fields.stream,
            others=others,
            audio_format=fields.response_format,
            speed=fields.speed,
            timestamps="word" if fields.return_timestamps else None,
            warnings=warnings,
            verify=fields.verify,
        )
        kind = media_type(asked.audio_format, SAMPLE_RATE)
        lines = CaptionLines(kind, is_timed=fields.return_timestamps)
        if fields.stream:
            return await stream(request, state, asked, lines)
        speech = await speak(request, state, asked)
        verified = listed(log_of(request).timings.verified)
        line = await state.pools.encode.run(lines.piece, speech.audio, speech.times, verified)
        headers = audio_headers(speech.sample_rate, asked.warnings)
        return Response(line, media_type=_KIND, headers=headers)
