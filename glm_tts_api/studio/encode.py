"""POST /studio/encode: a sound that the page has, as a file of another format. Nothing is spoken again."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.audio.encode import from_pcm16, media_type, open_encoder
from glm_tts_api.contracts import AudioFormat, SampleRate
from glm_tts_api.errors import InvalidField
from glm_tts_api.http.body import read_body
from glm_tts_api.http.disconnect import cancelled_on_disconnect
from glm_tts_api.http.uploads import Upload
from glm_tts_api.text.cut.pieces import Check
from glm_tts_api.validation import FormNumber

router = APIRouter(include_in_schema=False, dependencies=[KeyRequired])

_PCM = "pcm"
_PIECE_BYTES = 2**20  # encoded in some 0.1 s
_CHARACTERS_A_SECOND = 5  # of speech, roughly: a take has the lane of its text


class EncodeFields(BaseModel):
    """What it takes beside the file pcm."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    response_format: AudioFormat
    sample_rate: Annotated[SampleRate, FormNumber]


@router.post("/studio/encode")
async def encode(request: Request, state: AppStateDep) -> Response:
    """The samples of the file pcm (16 bit, little-endian, mono) in `response_format`."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, _ = body.parse(EncodeFields, files=(_PCM,))
    pcm = body.file(_PCM)
    if pcm is None:
        raise InvalidField("Send the samples as the file pcm: 16 bit, little-endian, mono.")
    n_samples, odd = divmod(await state.pools.files.run(pcm.size), 2)
    if odd or not n_samples:
        raise InvalidField("pcm must be whole samples of 16 bit, one at least.")
    length = state.beside.config.measure(_CHARACTERS_A_SECOND * n_samples // fields.sample_rate)
    admitted = state.beside.admit(length, arrived_at=request.state.arrived_at, client=request.state.client)
    async with cancelled_on_disconnect(request.receive), admitted:
        audio = await state.pools.beside.run_while_wanted(partial(_encoded, pcm, fields, n_samples))
    return Response(audio, media_type=media_type(fields.response_format, fields.sample_rate))


def _encoded(pcm: Upload, fields: EncodeFields, n_samples: int, check: Check) -> bytes:
    """Blocking."""
    encoder = open_encoder(fields.response_format, fields.sample_rate, n_samples=n_samples)
    pcm.file.seek(0)
    pieces = []
    while data := pcm.file.read(_PIECE_BYTES):
        check()
        pieces.append(encoder.push(from_pcm16(data)))
    return b"".join([*pieces, encoder.finish()])
