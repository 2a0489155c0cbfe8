"""Answers GET requests whose URL asks for speech, as audio players send them.

A browser asks for a part of the audio (Range) when its user seeks, and Safari asks for two bytes before it
plays anything. The answer to a URL is kept for a while (speech/recent.py). Its parts are cut from the kept
answer, so that nothing is spoken twice.
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

_FROM_THE_BEGINNING = "bytes=0-"  # browsers send it with their first request, and accept the whole


async def spoken_for_address(
    request: Request, state: AppState, asked: SpeechRequest, *, streamed_by: str = "stream=true"
) -> Response:
    """Answers a GET or HEAD request whose URL asks for the speech `asked`. The answer is the audio, or the
    part that the request's Range header names. If `asked` is streamed and the request wants no part, the
    answer begins with the first audio. Parts, HEAD and If-None-Match use the answer that was made before for
    the same content and owner, if it is still kept. `streamed_by` is the field that asks for a stream, for an
    error message."""
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
