"""POST /dev/captioned_speech, as Kokoro-FastAPI has it: audio with the times of its words, as one JSON object
per line."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from glm_tts_api.api.app_state import AppStateDep
from glm_tts_api.api.dialects import Dialect
from glm_tts_api.api.fields import Fields, described
from glm_tts_api.api.heard import VerifiedSegment, VerifyField
from glm_tts_api.api.openapi import json_docs
from glm_tts_api.api.speech_request import logged_speech, read_speech, speech_of
from glm_tts_api.api.speech_response import Framing, audio_headers, speak, stream
from glm_tts_api.audio.encode import media_type
from glm_tts_api.contracts import SAMPLE_RATE, AudioFormat, SamplingOptions
from glm_tts_api.recognition.recogniser import listed
from glm_tts_api.speech.times import SegmentTimes
from glm_tts_api.validation import AnyCase, Seed, Speed

_KIND = "application/json"
KOKORO = Dialect(name="openai", tag="Kokoro", text="input")  # counted as OpenAI's, whose fields these are
router = KOKORO.router("", 401, 403, 500)


class CaptionedFields(Fields):
    """The fields of a speech request. Other fields are ignored with a warning; null counts as not sent."""

    input: str = described("The text to say.", "你好，欢迎使用语音合成服务。")
    model: str = described("Any name: the server has only one model.", "kokoro", default="kokoro")
    voice: str = described("A registered voice, or an alias (VOICE_ALIASES).", "exampleA", default="af_heart")
    response_format: Annotated[AudioFormat, AnyCase] = described(
        "The format of the audio in each line.", "mp3", default="mp3"
    )
    speed: Speed = described("Faster or slower at the same pitch.", 1.0, default=1.0)
    stream: bool = described("false: the answer is one line, sent when all is spoken.", True, default=True)
    return_timestamps: bool = described(
        "false: the lines have only audio, and timestamps is null.", True, default=True
    )
    seed: Seed = described(
        "A field that Kokoro does not have. The same request and seed give the same audio.",
        42,
        default=SamplingOptions().seed,
    )
    verify: VerifyField


class Caption(BaseModel):
    """A line of the answer. In a streamed answer, it has a piece of the audio, or the times of a segment's
    words. The only line of a whole answer has both."""

    audio: str = described(
        "The audio as base64. It is empty in a line that has only the times of words.", "SUQz..."
    )
    audio_format: str = Field(examples=["audio/mpeg"])
    timestamps: list[dict[str, Any]] | None = Field(
        examples=[[{"word": "你", "start_time": 0.12, "end_time": 0.31}]]
    )
    verified: list[VerifiedSegment] | None = described(
        "With verify: the verdicts, in the last line.", None, default=None
    )


class CaptionLines(Framing):
    """Sends a streamed answer as lines of JSON. Each piece of audio is a line. When a segment has ended, a
    line without audio has the times of the segment's words, unless the request wants no times. If the request
    is verified, the last line has the verdicts."""

    media_type = _KIND

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
        **KOKORO.errors(400, 404, 408, 413, 422, 503),
    },
)
async def captioned_speech(request: Request, state: AppStateDep) -> Response:
    """Says `input` in `voice`, and gives the time at which each word is heard."""
    with logged_speech(request, state, KOKORO):
        fields, warnings = await read_speech(request, state, KOKORO, CaptionedFields)
        speech = await speech_of(
            request,
            state,
            fields.input,
            fields.voice,
            verify=fields.verify,
            sampling=SamplingOptions(seed=fields.seed),
            streams=fields.stream,
            audio_format=fields.response_format,
            speed=fields.speed,
            timestamps="word" if fields.return_timestamps else None,
            warnings=warnings,
        )
        kind = media_type(speech.audio_format, SAMPLE_RATE)
        lines = CaptionLines(kind, is_timed=fields.return_timestamps)
        if fields.stream:
            return await stream(request, state, speech, lines)
        answer = await speak(request, state, speech)
        verified = listed(request.state.log.timings.verified)
        line = await state.pools.encode.run(lines.piece, answer.audio, answer.times, verified)
        headers = audio_headers(answer.sample_rate, speech.warnings)
        return Response(line, media_type=_KIND, headers=headers)
