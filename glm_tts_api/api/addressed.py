"""The answer to an address that speaks, as players ask for it: in parts, and the same part again.

A browser's seek bar asks for parts of what it plays (Range), and Safari for two bytes before it plays at all.
The answer to an address is kept for a while (speech/recent.py), and its parts are cut from it: nothing is
spoken twice.
"""

from __future__ import annotations

import secrets

from fastapi import Request, Response

from glm_tts_api.api.access import owner_of
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.logged import log_of
from glm_tts_api.api.speech_response import audio_headers, headers_alone, speak, stream, whole_headers
from glm_tts_api.audio.encode import media_type
from glm_tts_api.contracts import SpeechRequest
from glm_tts_api.http.ranges import ranged
from glm_tts_api.speech.recent import RecentAnswer, what_is_asked

_FROM_THE_BEGINNING = "bytes=0-"  # which browsers send with their first request: the whole will do


async def spoken_for_address(
    request: Request, state: AppState, asked: SpeechRequest, *, streamed_by: str = "stream=true"
) -> Response:
    """The audio, or its part that the request names. A stream leaves with its first audio, unless its length
    has to be known; a part, and HEAD, are of the answer that was made before, if that is there still."""
    lexicon = await state.pools.files.run(state.lexicon.current)
    address = lexicon, what_is_asked(asked)
    made = state.recent.at(address, owner_of(request))
    is_head, part = request.method == "HEAD", request.headers.get("range")
    if made is not None and (is_head or part or "if-none-match" in request.headers):
        log_of(request).figures = None  # nothing is spoken
        return await _part_of(made, request, asked)
    if is_head:
        return headers_alone(request, state, asked)
    if asked.streams and part in (None, _FROM_THE_BEGINNING):
        return await stream(request, state, asked, address=address)
    speech = await speak(request, state, asked, streamed_by=streamed_by, address=address)
    made = state.recent.at(address, owner_of(request))
    return await ranged(
        request,
        speech.audio,
        media_type=media_type(asked.audio_format, speech.sample_rate),
        etag=made.etag if made else secrets.token_hex(16),
        headers=whole_headers(request, speech, asked),
    )


async def _part_of(made: RecentAnswer, request: Request, asked: SpeechRequest) -> Response:
    rate = made.sample_rate
    return await ranged(
        request,
        made.as_sent(),
        media_type=media_type(made.audio_format, rate),
        etag=made.etag,
        headers=audio_headers(rate, asked.warnings),
    )
