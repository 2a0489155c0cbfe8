"""GET and POST /tts: the API that GPT-SoVITS calls api_v2, and that xiaozhi-esp32-server calls index_stream.

A client of GPT-SoVITS chooses a voice by the path of a recording on the server's disk. This server opens no
such file: the path's last part, without its extension, is the name of a registered voice. A client of
index_stream names its voice in `character`, and gets raw samples.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from fastapi import Request, Response
from pydantic import BeforeValidator, Field

from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.dialects import Dialect
from glm_tts_api.api.fields import Fields, described
from glm_tts_api.api.heard import VerifyField
from glm_tts_api.api.openapi import Responses, audio_docs, json_docs, query_docs
from glm_tts_api.api.speech_request import logged_speech, read_speech, speech_of
from glm_tts_api.api.speech_response import answer_speech
from glm_tts_api.contracts import AudioFormat, SamplingOptions
from glm_tts_api.errors import InvalidField, UnknownVoice
from glm_tts_api.http.body import Body, read_query
from glm_tts_api.validation import Allowed, Speed, WholeNumber

_FORMATS: dict[str, AudioFormat] = {"wav": "wav", "raw": "pcm", "ogg": "opus", "aac": "aac"}

GPT_SOVITS = Dialect(
    name="gpt_sovits", tag="GPT-SoVITS", voice="ref_audio_path", streamed_by="streaming_mode=1"
)
router = GPT_SOVITS.router("", 401, 403, 500)


def _is_streamed(value: Any) -> bool:
    """Whether the mode `value` asks for a streamed answer. Modes 1 to 3 differ inside GPT-SoVITS, but not for
    its client. Raises ValueError for an unknown mode."""
    modes = {"0": False, "false": False, **dict.fromkeys(("1", "2", "3", "true"), True)}
    try:
        return modes[str(value).lower()]
    except KeyError:
        raise ValueError("no such mode") from None


class GptSovitsFields(Fields):
    """The fields of a speech request. Other fields are ignored with a warning; null counts as not sent."""

    text: str = described("The text to say.", "你好，欢迎使用语音合成服务。")
    character: str | None = described(
        "The field in which clients of index_stream name the voice. The answer is then raw samples.",
        "",
        default=None,
    )
    ref_audio_path: str | None = described(
        "A path whose last part, without its extension, is the name of the voice. No file is opened.",
        "exampleA.wav",
        default=None,
    )
    prompt_text: Any = described("Not used: a registered voice has its own transcript.", "", default=None)
    media_type: Literal["wav", "raw", "ogg", "aac"] = described(
        "The format of the audio. raw: samples of 16 bit, mono, 24000 Hz.", "wav", default="wav"
    )
    streaming_mode: Annotated[bool, BeforeValidator(_is_streamed), Allowed("0 to 3, true or false")] = (
        described("true, or 1 to 3: the audio is sent while it is made.", False, default=False)
    )
    speed_factor: Speed = described("Faster or slower at the same pitch.", 1.0, default=1.0)
    seed: Annotated[WholeNumber, Field(ge=-1, le=2**63 - 1)] = described(
        "-1 means the default seed.", -1, default=-1
    )
    verify: VerifyField

    @property
    def voice(self) -> str:
        """The name of the voice. Raises InvalidField if no voice is named, or if the two fields name
        different voices."""
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


_SPOKEN: Responses = {
    200: audio_docs("wav", "pcm", "opus", "aac"),
    **GPT_SOVITS.errors(400, 408, 413, 422, 503),
}


@router.get(
    "/tts",
    name="gpt_sovits_from_address",
    response_class=Response,
    openapi_extra=query_docs(GptSovitsFields, without=("prompt_text",)),
    responses=_SPOKEN,
)
async def tts_from_address(request: Request, state: AppStateDep) -> Response:
    """Says `text`. The fields of POST /tts are in the query string."""
    with logged_speech(request, state, GPT_SOVITS):
        return await _say(request, state, read_query(request))


@router.post(
    "/tts",
    name="gpt_sovits",
    response_class=Response,
    openapi_extra=json_docs(
        GptSovitsFields,
        name="GptSovitsSpeech",
        example={"text": "你好，欢迎使用语音合成服务。", "ref_audio_path": "exampleA.wav"},
    ),
    responses=_SPOKEN,
)
@router.post("/", include_in_schema=False)  # SillyTavern's GPT-SoVITS-V2
async def tts(request: Request, state: AppStateDep) -> Response:
    """Says `text` in the voice that ref_audio_path or character names."""
    with logged_speech(request, state, GPT_SOVITS):
        return await _say(request, state)


@router.get("/speakers")
async def speakers(state: AppStateDep) -> list[dict[str, str]]:
    """Lists the registered voices. SillyTavern's GPT-SoVITS-V2 offers them to its user."""
    voices = await state.pools.files.run(state.voices.list_voices)
    return [{"name": voice.index, "voice_id": voice.index} for voice in voices]


async def _say(request: Request, state: AppState, body: Body | None = None) -> Response:
    fields, warnings = await read_speech(request, state, GPT_SOVITS, GptSovitsFields, body)
    is_index_stream = fields.character is not None
    try:
        speech = await speech_of(
            request,
            state,
            fields.text,
            fields.voice,
            verify=fields.verify,
            sampling=SamplingOptions() if fields.seed == -1 else SamplingOptions(seed=fields.seed),
            streams=is_index_stream or fields.streaming_mode,
            audio_format="pcm" if is_index_stream else _FORMATS[fields.media_type],
            speed=fields.speed_factor,
            warnings=warnings,
        )
    except UnknownVoice as error:
        raise InvalidField(error.message) from None  # GPT-SoVITS answers 400 to any bad request
    return await answer_speech(request, state, speech)
