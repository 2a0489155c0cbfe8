"""GET /api/v1/audio/{request_id}: returns one of the last answers again, in any format and in parts. Nothing
is spoken again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Annotated, get_args

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from glm_tts_api.api.access import owner_of
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.background import encoded_anew
from glm_tts_api.api.dialects import OWN
from glm_tts_api.api.fields import Answer, Fields, described
from glm_tts_api.api.heard import TimedSegment, VerifiedSegment, subtitles, times_body
from glm_tts_api.api.openapi import audio_docs, error_docs, query_docs, ranged_docs
from glm_tts_api.audio.encode import media_type
from glm_tts_api.contracts import AudioFormat
from glm_tts_api.errors import NotFound, quote
from glm_tts_api.http.body import read_query
from glm_tts_api.http.ranges import ranged
from glm_tts_api.longform.subtitles import MEDIA_TYPES, Subtitle
from glm_tts_api.recognition.recogniser import listed
from glm_tts_api.speech.times import SegmentTimes
from glm_tts_api.validation import AnyCase


class RecentFields(Fields):
    """The fields in the query string of GET /audio/{request_id}."""

    format: Annotated[AudioFormat | None, AnyCase] = described(
        "The format of the audio. If left out, it is the format in which the answer was sent; for a JSON "
        "answer, wav.",
        "mp3",
        default=None,
    )


router = OWN.router("/api/v1/audio", 401, 403, 500, tag="speech")


class AnswerTimes(Answer):
    """The times at which the written text is heard."""

    timestamps: list[TimedSegment]


@router.get("/{request_id}/timestamps", response_model=AnswerTimes, responses=error_docs(404, 422))
async def recent_timestamps(request_id: str, request: Request, state: AppStateDep) -> Response:
    """The times at which the written text is heard, for one of the last answers whose request asked for
    timestamps."""
    times = _times_of(request_id, request, state)
    return JSONResponse({"success": True, "timestamps": [*map(times_body, times)]})


class AnswerVerdicts(Answer):
    """The verdict on each segment of the answer that a recogniser has heard by now."""

    verified: list[VerifiedSegment]


@router.get("/{request_id}/verified", response_model=AnswerVerdicts, responses=error_docs(404, 422))
async def recent_verdicts(request_id: str, request: Request, state: AppStateDep) -> Response:
    """The words that a recogniser heard in one of the last answers, whose request had verify=true. A client
    of a stream that is only audio gets its verdicts here, after the stream has ended."""
    verified = state.recent.find(request_id, owner_of(request)).verified
    if not verified:
        raise NotFound(
            f"In the answer '{quote(request_id)}' nothing is heard: its request needs verify=true."
        )
    return JSONResponse({"success": True, "verified": listed(verified)})


@router.get(
    "/{request_id}/subtitles.{kind}",
    response_class=Response,
    responses={
        200: {"content": {kind: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()}},
        **error_docs(400, 404, 422),
    },
)
async def recent_subtitles(request_id: str, kind: Subtitle, request: Request, state: AppStateDep) -> Response:
    """Subtitles of one of the last answers whose request asked for timestamps or for subtitles."""
    made = await state.pools.files.run(subtitles, _times_of(request_id, request, state), kind)
    return Response(made, media_type=f"{MEDIA_TYPES[kind]}; charset=utf-8")


@router.get(
    "/{request_id}",
    name="recent_audio",
    summary="Hear an answer again",
    response_class=Response,
    openapi_extra=query_docs(RecentFields),
    responses={**ranged_docs(audio_docs(*get_args(AudioFormat))), **error_docs(400, 404, 422, 503)},
)
async def recent_audio(request_id: str, request: Request, state: AppStateDep) -> Response:
    """One of the last answers, by its X-Request-Id, in any format. The newest answers are kept, with at most
    64 MB in total. Only the client that had an answer spoken may fetch it: it sends the same
    key or, without API_KEYS, comes from the same address."""
    fields, _ = read_query(request).parse(RecentFields)
    answer = state.recent.find(request_id, owner_of(request))
    wanted = fields.format or answer.audio_format
    file = answer.file(wanted)
    if file is None:
        pcm = answer.samples()
        file = await encoded_anew(request, state, io.BytesIO(pcm), len(pcm) // 2, answer.pcm_rate, wanted)
        state.recent.add_file(answer, wanted, file)
    return await ranged(
        request,
        file,
        media_type=media_type(wanted, answer.pcm_rate),
        etag=f"{answer.etag}-{wanted}",
        headers={"Content-Disposition": f'inline; filename="speech.{wanted}"'},
    )


def _times_of(request_id: str, request: Request, state: AppState) -> Sequence[SegmentTimes]:
    """Returns the times of the segments of a recent answer. Raises NotFound if the answer is not kept or has
    no times."""
    times = state.recent.find(request_id, owner_of(request)).times
    if not times:
        raise NotFound(
            f"The answer '{quote(request_id)}' has no times: its request must ask for them with timestamps "
            "or subtitle."
        )
    return times
