"""ElevenLabs' API. POST /v1/text-to-speech/{voice_id} answers when all of the text is spoken. With /stream
after the path, the audio is sent while it is made. Other routes list the voices."""

from __future__ import annotations

from copy import deepcopy
from typing import Annotated, Literal, cast

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api import errors
from glm_tts_api.api.access import key_in
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.dialects import Dialect
from glm_tts_api.api.fields import Fields, described
from glm_tts_api.api.heard import VerifyField
from glm_tts_api.api.openapi import audio_docs, json_docs, query_docs
from glm_tts_api.api.speech_request import logged_speech, read_speech, speech_of
from glm_tts_api.api.speech_response import answer_speech
from glm_tts_api.contracts import AudioFormat, SamplingOptions, SpeechRequest
from glm_tts_api.http.body import read_query
from glm_tts_api.validation import Allowed, Echoed, Seed, Speed
from glm_tts_api.voices.index import VoiceInfo


class ElevenLabsErrorDetail(BaseModel):
    """An error, in words and as a name for programs."""

    status: str = described("The kind of error, for programs.", "invalid_field")
    message: str = described("The error in one sentence.", "text is missing.")


class ElevenLabsError(BaseModel):
    """The answer to every error on ElevenLabs' routes."""

    detail: ElevenLabsErrorDetail


ELEVENLABS = Dialect(
    name="elevenlabs",
    tag="ElevenLabs",
    voice="the path",
    streamed_by="/stream",
    paths=("/v1/text-to-speech/", "/v1/voices", "/v2/voices"),
    body=lambda error, status: {"detail": {"status": error.code, "message": error.message}},
    model=ElevenLabsError,
    statuses={errors.QueueFull: 429, errors.TextTooLong: 400, errors.WrongKey: 401},
)
_KEY = key_in("xi-api-key")
OutputFormat = Literal[
    "mp3_22050_32",
    "mp3_24000_48",
    "mp3_44100_32",
    "mp3_44100_64",
    "mp3_44100_96",
    "mp3_44100_128",
    "mp3_44100_192",
    "opus_48000_32",
    "opus_48000_64",
    "opus_48000_96",
    "opus_48000_128",
    "opus_48000_192",
    "pcm_8000",
    "pcm_16000",
    "pcm_22050",
    "pcm_24000",
    "pcm_32000",
    "pcm_44100",
    "pcm_48000",
    "wav_8000",
    "wav_16000",
    "wav_22050",
    "wav_24000",
    "wav_32000",
    "wav_44100",
    "wav_48000",
    "ulaw_8000",
    "alaw_8000",
]


class VoiceSettings(BaseModel):
    """The settings of the voice. Only `speed` is used."""

    model_config = ConfigDict(extra="allow", frozen=True)

    speed: Speed = described("Faster or slower at the same pitch.", 1.0, default=1.0)


class ElevenLabsSpeechFields(Fields):
    """Fields of a speech request. Other fields are ignored with a warning; null counts as not sent."""

    text: str = described("The text to say.", "你好，欢迎使用语音合成服务。")
    model_id: Echoed = described(
        "Any name: the server has only one model.", "eleven_multilingual_v2", default="glm-tts"
    )
    voice_settings: Annotated[
        VoiceSettings, Allowed("an object whose speed is a number from 0.25 to 4.0")
    ] = described("Only speed is used. X-Warnings names the other settings.", {}, default=VoiceSettings())
    seed: Seed = described(
        "The same request and seed give the same audio. For GPUs, see docs/performance.md.",
        42,
        default=SamplingOptions().seed,
    )
    verify: VerifyField


class ElevenLabsQuery(Fields):
    """The fields in the query string of a speech request."""

    output_format: OutputFormat = described(
        "The format and the sample rate in Hz, and for mp3 and opus the bit rate in kbit/s.",
        "mp3_44100_128",
        default="mp3_44100_128",
    )
    verify: VerifyField

    @property
    def audio(self) -> tuple[AudioFormat, int, int | None]:
        """The format, the sample rate of the sent audio in Hz, and the bit rate in kbit/s."""
        kind, rate, *kbits = self.output_format.split("_")
        return cast(AudioFormat, kind.replace("ulaw", "mulaw")), int(rate), int(kbits[0]) if kbits else None


class ElevenLabsVoice(BaseModel):
    """A registered voice, in the form of ElevenLabs' API."""

    voice_id: str = described("The name of the voice.", "exampleA")
    name: str = Field(examples=["exampleA"])
    category: Literal["premade", "cloned"] = described(
        "premade: the voice ships with the server. cloned: it was added over the API.", "premade"
    )


class ElevenLabsVoices(BaseModel):
    """A list of registered voices."""

    voices: list[ElevenLabsVoice]


class ElevenLabsPage(ElevenLabsVoices):
    """The voices that a search finds, all on one page."""

    has_more: Literal[False] = Field(default=False, examples=[False])
    total_count: int = Field(examples=[2])
    next_page_token: None = Field(default=None, examples=[None])


_EXAMPLE = {"text": "你好，欢迎使用语音合成服务。", "model_id": "eleven_multilingual_v2"}
_BODY = json_docs(ElevenLabsSpeechFields, name="ElevenLabsSpeech", example=_EXAMPLE)
_DOCS = {
    **_BODY,
    "parameters": [*_BODY["parameters"], *query_docs(ElevenLabsQuery)["parameters"]],
}

_ERRORS = (400, 401, 403, 404, 408, 413, 422, 429, 500, 503)
_SPOKEN = {200: audio_docs("mp3", "opus", "pcm", "wav", "mulaw", "alaw")}
router = ELEVENLABS.router("/v1/text-to-speech", *_ERRORS, key=_KEY, responses=_SPOKEN)


@router.post("/{voice_id}", response_class=Response, openapi_extra=_DOCS)
async def elevenlabs_speech(voice_id: str, request: Request, state: AppStateDep) -> Response:
    """Says `text` in the voice of the path, and answers when the whole text is spoken."""
    with logged_speech(request, state, ELEVENLABS):
        speech = await _speech_of(request, state, voice_id, streams=False)
        return await answer_speech(request, state, speech)


@router.post("/{voice_id}/stream", response_class=Response, openapi_extra=deepcopy(_DOCS))
async def elevenlabs_stream(voice_id: str, request: Request, state: AppStateDep) -> Response:
    """Says `text` in the voice of the path. The audio is sent while it is made."""
    with logged_speech(request, state, ELEVENLABS):
        return await answer_speech(request, state, await _speech_of(request, state, voice_id, streams=True))


async def _speech_of(request: Request, state: AppState, voice_id: str, *, streams: bool) -> SpeechRequest:
    query, unused = read_query(request).parse(ElevenLabsQuery)
    fields, warnings = await read_speech(request, state, ELEVENLABS, ElevenLabsSpeechFields)
    settings = fields.voice_settings
    unused += [
        f"voice_settings.{name} is not done here and was ignored."
        for name in ("stability", "similarity_boost", "style", "use_speaker_boost")
        if (settings.model_extra or {}).get(name) is not None
    ]
    audio_format, rate, kbits = query.audio
    return await speech_of(
        request,
        state,
        fields.text,
        voice_id,
        verify=fields.verify,
        sampling=SamplingOptions(seed=fields.seed),
        sample_rate=rate,
        streams=streams,
        audio_format=audio_format,
        speed=settings.speed,
        kbits=kbits,
        warnings=[*warnings, *unused],
    )


voices_router = ELEVENLABS.router("", 401, 403, 500, key=_KEY)
_ASKED_FOR = ELEVENLABS.errors(400, 404, 422)


@voices_router.get("/v1/voices")
async def elevenlabs_voices(state: AppStateDep) -> ElevenLabsVoices:
    """Lists every registered voice. The id of a voice is its name."""
    return ElevenLabsVoices(voices=await _voices(state))


@voices_router.get("/v2/voices", responses=_ASKED_FOR)
async def elevenlabs_search(state: AppStateDep, search: str = "") -> ElevenLabsPage:
    """Lists the voices that have `search` in their names, in any case, all on one page."""
    found = [voice for voice in await _voices(state) if search.casefold() in voice.name.casefold()]
    return ElevenLabsPage(voices=found, total_count=len(found))


@voices_router.get("/v1/voices/{voice_id}", responses=_ASKED_FOR)
async def elevenlabs_voice(voice_id: str, state: AppStateDep) -> ElevenLabsVoice:
    """Shows one voice. Its id is its name."""
    return _shown(await state.pools.files.run(state.voices.info, voice_id))


async def _voices(state: AppState) -> list[ElevenLabsVoice]:
    return [_shown(voice) for voice in await state.pools.files.run(state.voices.list_voices)]


def _shown(voice: VoiceInfo) -> ElevenLabsVoice:
    return ElevenLabsVoice(
        voice_id=voice.index,
        name=voice.index,
        category="premade" if voice.source == "shipped" else "cloned",
    )
