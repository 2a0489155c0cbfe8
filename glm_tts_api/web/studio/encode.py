"""POST /studio/encode: a sound that the page has, as a file of another format. Nothing is spoken again."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from glm_tts_api.audio.encode import from_pcm16, media_type, open_encoder
from glm_tts_api.contracts import AudioFormat
from glm_tts_api.errors import InvalidField
from glm_tts_api.validation import FormNumber
from glm_tts_api.web.access import KeyRequired
from glm_tts_api.web.body import Upload, read_body
from glm_tts_api.web.dependencies import AppStateDep
from glm_tts_api.web.disconnect import cancelled_on_disconnect
from glm_tts_api.web.pools import Pool

router = APIRouter(include_in_schema=False, dependencies=[KeyRequired])

_PCM = "pcm"
_PIECE_BYTES = 2**20  # encoded in some 0.1 s, after which the answers of others get the thread


class EncodeFields(BaseModel):
    """What it takes beside the file pcm."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    response_format: AudioFormat
    sample_rate: Annotated[Literal[24000, 32000], FormNumber]


@router.post("/studio/encode")
async def encode(request: Request, state: AppStateDep) -> Response:
    """The samples of the file pcm (16 bit, little-endian, mono) in `response_format`."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, _ = body.parse(EncodeFields, files=(_PCM,))
    pcm = body.file(_PCM)
    if pcm is None:
        raise InvalidField("Send the samples as the file pcm: 16 bit, little-endian, mono.")
    async with cancelled_on_disconnect(request.receive):
        audio = await _encoded(pcm, fields, state.pools.encode)
    return Response(audio, media_type=media_type(fields.response_format, fields.sample_rate))


async def _encoded(pcm: Upload, fields: EncodeFields, pool: Pool) -> bytes:
    n_samples, odd = divmod(await pool.run(pcm.size), 2)
    if odd or not n_samples:
        raise InvalidField("pcm must be whole samples of 16 bit, one at least.")
    encoder = await pool.run(open_encoder, fields.response_format, fields.sample_rate, n_samples=n_samples)

    def push() -> tuple[int, bytes]:
        data = pcm.file.read(_PIECE_BYTES)
        return len(data), encoder.push(from_pcm16(data))

    pieces = []
    await pool.run(pcm.file.seek, 0)
    n_read = 1
    while n_read:
        n_read, piece = await pool.run(push)
        pieces.append(piece)
    return b"".join([*pieces, await pool.run(encoder.finish)])
