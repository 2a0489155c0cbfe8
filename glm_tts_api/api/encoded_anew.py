"""Encodes the samples of an earlier answer in another format. This work has its own limits
(`AppState.beside`), so that no speech request waits for it."""

from __future__ import annotations

from functools import partial
from typing import BinaryIO

from fastapi import Request

from glm_tts_api.api.app_state import AppState
from glm_tts_api.audio.encode import from_pcm16, open_encoder
from glm_tts_api.contracts import AudioFormat
from glm_tts_api.http.disconnect import cancelled_on_disconnect
from speech_text.cut.pieces import Check

_PIECE_BYTES = 2**20  # of samples; they are encoded in some 0.1 s
_CHARACTERS_A_SECOND = 5  # of speech, roughly: the work is admitted as a text of this length would be


async def encoded_anew(
    request: Request,
    state: AppState,
    pcm: BinaryIO,
    n_samples: int,
    sample_rate: int,
    audio_format: AudioFormat,
) -> bytes:
    """Waits for a permit for work that is not speech, then encodes samples as `audio_format` and returns the
    file. `pcm` is a file with `n_samples` samples of 16 bit at `sample_rate` Hz; it is read from its
    beginning. Raises QueueFull, DeadlineExceeded, ClientGone."""
    length = state.beside.config.measure(_CHARACTERS_A_SECOND * n_samples // sample_rate)
    admitted = state.beside.admit(length, arrived_at=request.state.arrived_at, client=request.state.client)
    encode = partial(_encoded, pcm, n_samples, sample_rate, audio_format, state.config.synthetic_mark)
    async with cancelled_on_disconnect(request.receive), admitted:
        return await state.pools.beside.run_while_wanted(encode)


def _encoded(
    pcm: BinaryIO, n_samples: int, sample_rate: int, audio_format: AudioFormat, is_marked: bool, check: Check
) -> bytes:
    """Encodes the samples in `pcm` and returns the file. Calls `check` before each piece; `check` raises if
    nobody waits for the file any more. Blocking."""
    encoder = open_encoder(audio_format, sample_rate, n_samples=n_samples, is_marked=is_marked)
    pcm.seek(0)
    pieces = []
    while data := pcm.read(_PIECE_BYTES):
        check()
        pieces.append(encoder.push(from_pcm16(data)))
    return b"".join([*pieces, encoder.finish()])
