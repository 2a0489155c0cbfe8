"""The route POST /studio/encode: converts audio that the page already has to another format, without speaking
it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.encoded_anew import encoded_anew
from glm_tts_api.audio.encode import media_type
from glm_tts_api.contracts import AudioFormat, SampleRate
from glm_tts_api.errors import InvalidField
from glm_tts_api.http.body import read_body
from glm_tts_api.validation import FormNumber

router = APIRouter(include_in_schema=False, dependencies=[KeyRequired])

_PCM = "pcm"


class EncodeFields(BaseModel):
    """The form fields of the route; the samples are the file `pcm`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    response_format: AudioFormat
    sample_rate: Annotated[SampleRate, FormNumber]


@router.post("/studio/encode")
async def encode(request: Request, state: AppStateDep) -> Response:
    """Returns the samples of the file `pcm` (16 bit, little-endian, mono, at `sample_rate` Hz) as a file in
    `response_format`."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, _ = body.parse(EncodeFields, files=(_PCM,))
    pcm = body.file(_PCM)
    if pcm is None:
        raise InvalidField("Send the samples as the file pcm: 16 bit, little-endian, mono.")
    n_samples, odd = divmod(await state.pools.files.run(pcm.size), 2)
    if odd or not n_samples:
        raise InvalidField("pcm must be whole samples of 16 bit, one at least.")
    audio = await encoded_anew(
        request, state, pcm.file, n_samples, fields.sample_rate, fields.response_format
    )
    return Response(audio, media_type=media_type(fields.response_format, fields.sample_rate))
