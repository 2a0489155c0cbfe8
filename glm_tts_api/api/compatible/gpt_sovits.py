"""GET and POST /tts: GPT-SoVITS' api_v2, and what xiaozhi-esp32-server calls index_stream.

GPT-SoVITS is told which recording to speak like, as a path on its own disk. Here no file is opened for it:
the path's last part without its extension is a voice's name. index_stream names its voice as `character`,
and takes the samples as they are.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.logged import logged_speech
from glm_tts_api.api.speech_response import headers_alone, speak, stream, whole_audio
from glm_tts_api.api.text_limits import check_text
from glm_tts_api.api.voice_names import marked_voices, named_voice
from glm_tts_api.contracts import SAMPLE_RATE, AudioFormat, SamplingOptions, SpeechRequest
from glm_tts_api.errors import InvalidField, UnknownVoice
from glm_tts_api.http.body import Body, read_body, read_query
from glm_tts_api.validation import Allowed, WholeNumber

_FORMATS: dict[str, AudioFormat] = {"wav": "wav", "raw": "pcm", "ogg": "opus", "aac": "aac"}

router = APIRouter(include_in_schema=False, dependencies=[KeyRequired])


def _is_streamed(value: Any) -> bool:
    """Modes 1 to 3 differ in what GPT-SoVITS does, not in what its client hears."""
    modes = {"0": False, "false": False, **dict.fromkeys(("1", "2", "3", "true"), True)}
    try:
        return modes[str(value).lower()]
    except KeyError:
        raise ValueError("no such mode") from None


class GptSovitsFields(BaseModel):
    """What is used of what a client sends; null is as if it were not sent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str
    character: str | None = None
    ref_audio_path: str | None = None
    prompt_text: Any = None  # of the recording at ref_audio_path: a registered voice has its own
    media_type: Literal["wav", "raw", "ogg", "aac"] = "wav"
    streaming_mode: Annotated[bool, BeforeValidator(_is_streamed), Allowed("0 to 3, true or false")] = False
    speed_factor: Annotated[float, Field(ge=0.25, le=4.0)] = 1.0
    seed: Annotated[WholeNumber, Field(ge=-1, le=2**63 - 1)] = -1

    @property
    def voice(self) -> str:
        """Raises InvalidField if none is named, or two are."""
        if self.ref_audio_path is None:
            if self.character is None:
                raise InvalidField(
                    "ref_audio_path is missing: its last part, without extension, names the voice."
                )
            return self.character
        named = PurePosixPath(self.ref_audio_path.replace("\\", "/")).stem
        if self.character not in (None, named):
            raise InvalidField("character and ref_audio_path name two voices; send one of them.")
        return named


@router.get("/tts")
async def tts_from_address(request: Request, state: AppStateDep) -> Response:
    with logged_speech(request, "gpt_sovits", state.speech.figures):
        return await _say(read_query(request), request, state)


@router.post("/tts")
@router.post("/")  # SillyTavern's GPT-SoVITS-V2
async def tts(request: Request, state: AppStateDep) -> Response:
    with logged_speech(request, "gpt_sovits", state.speech.figures):
        return await _say(await read_body(request, state.config.max_text_bytes), request, state)


@router.get("/speakers")
async def speakers(state: AppStateDep) -> list[dict[str, str]]:
    """What SillyTavern's GPT-SoVITS-V2 lets its user choose from."""
    voices = await state.pools.files.run(state.voices.list_voices)
    return [{"name": voice.index, "voice_id": voice.index} for voice in voices]


async def _say(body: Body, request: Request, state: AppState) -> Response:
    fields, warnings = body.parse_speech(GptSovitsFields, voice="ref_audio_path")
    check_text(request, state, fields.text, field="text")
    try:
        voice = await state.pools.files.run(named_voice, fields.voice, state)
        others = await marked_voices(fields.text, state)
    except UnknownVoice as error:
        raise InvalidField(error.message) from None  # 400, as whatever is wrong with a request there
    is_index_stream = fields.character is not None
    streams = is_index_stream or fields.streaming_mode
    asked = SpeechRequest(
        request.state.request_id,
        fields.text,
        voice,
        SamplingOptions() if fields.seed == -1 else SamplingOptions(seed=fields.seed),
        SAMPLE_RATE,
        streams=streams,
        others=others,
        audio_format="pcm" if is_index_stream else _FORMATS[fields.media_type],
        speed=fields.speed_factor,
        warnings=warnings,
    )
    if request.method == "HEAD":
        return headers_alone(request, state, asked)
    if streams:
        return await stream(request, state, asked)
    return whole_audio(request, await speak(request, state, asked, streamed_by="streaming_mode=1"), asked)
