"""Answers a parsed speech request: admits it, speaks its text, encodes the audio and sends it. Every speech
route uses this.

A whole answer is sent when all of it is made. A streamed answer is sent from its first audio on, so an error
before that still has its own HTTP status. The permit, the deadline, the watch for the client's disconnect and
the log line last until the body ends. A later error ends the connection before the body's end. An API with
events sends the error as an event instead.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from itertools import accumulate
from typing import Any

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from glm_tts_api.api.access import owner_of
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.heard import doubts
from glm_tts_api.api.v1.job_speech import keep_unfinished
from glm_tts_api.audio.encode import media_type, played_rate
from glm_tts_api.contracts import AudioChunk, SpeechRequest
from glm_tts_api.errors import DeadlineExceeded, ServiceError
from glm_tts_api.http.middleware import cancelled_on_disconnect
from glm_tts_api.http.ranges import ranged
from glm_tts_api.recognition.recogniser import listed
from glm_tts_api.speech.admission import Permit
from glm_tts_api.speech.encoding import Encoded, encode_whole
from glm_tts_api.speech.fitting import closest_take
from glm_tts_api.speech.recent import Answer, Tape, what_is_asked
from glm_tts_api.speech.request_log import Playback, RequestLog, recorded_outcome
from glm_tts_api.speech.times import SegmentTimes

EVENTS = "text/event-stream"
_MOST_HEADER_BYTES = 2000
_FROM_THE_BEGINNING = "bytes=0-"  # browsers send it with their first request, and accept the whole


class Framing:
    """How an API sends a streamed answer. This class sends the audio as it is; a subclass puts each piece
    into an event or a line. `media_type` is the Content-Type; None means that of the audio. `takes_errors`
    says whether an error can still be sent after the audio has begun."""

    media_type: str | None = None
    takes_errors = False

    def piece(self, audio: bytes) -> bytes:
        return audio

    def times(self, segment: SegmentTimes) -> bytes:
        return b""

    def end(self, verified: list[dict[str, Any]]) -> bytes:
        """Returns the last bytes of the answer. `verified` are the recogniser's verdicts; the list is empty
        if the request did not ask for them."""
        return b""

    def error(self, error: ServiceError) -> bytes:
        raise NotImplementedError


AS_IS = Framing()


def event(data: dict[str, Any]) -> bytes:
    """Returns a server-sent event with `data` as JSON."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


async def answer_speech(
    request: Request,
    state: AppState,
    speech: SpeechRequest,
    framing: Framing = AS_IS,
) -> Response:
    """Speaks the request and answers with its audio, streamed or whole as it asks. A GET or HEAD request may
    ask for a part of the audio, or whether it has changed."""
    if request.method != "POST":
        return await _answer_address(request, state, speech)
    if speech.streams:
        return await stream(request, state, speech, framing)
    answer = await speak(request, state, speech)
    kind = media_type(speech.audio_format, answer.sample_rate)
    return Response(answer.audio, media_type=kind, headers=_whole_headers(request, answer, speech))


async def _answer_address(request: Request, state: AppState, speech: SpeechRequest) -> Response:
    """Answers a GET or HEAD request, whose URL asks for the speech, as audio players send it.

    A browser asks for a part of the audio (Range) when its user seeks, and Safari asks for two bytes before
    it plays anything. The answer to a URL is therefore kept for a while (speech/recent.py). Parts, HEAD and
    If-None-Match are answered from it, if it is still kept, so that nothing is spoken twice."""
    lexicon = await state.pools.files.run(state.lexicon.current)
    address = lexicon, what_is_asked(speech)
    made = state.recent.at(address, owner_of(request))
    is_head, part = request.method == "HEAD", request.headers.get("range")
    if made is not None and (is_head or part or "if-none-match" in request.headers):
        request.state.log.metrics = None  # nothing is spoken
        rate, headers = made.pcm_rate, audio_headers(made.pcm_rate, speech.warnings)
    elif is_head:
        return headers_alone(request, state, speech)
    elif speech.streams and part in (None, _FROM_THE_BEGINNING):
        return await stream(request, state, speech, address=address)
    else:
        made = await speak(request, state, speech, address=address)
        rate, headers = made.sample_rate, _whole_headers(request, made, speech)
    kind = media_type(speech.audio_format, rate)
    return await ranged(request, made.audio, media_type=kind, etag=made.etag, headers=headers)


async def speak(
    request: Request, state: AppState, speech: SpeechRequest, *, address: object = None
) -> Answer:
    """Speaks the request and returns the whole audio in the format that was asked for. The answer is kept for
    a while under the request's id (RecentAnswers). If the request came as a URL, `address` is its content,
    and the answer can be found by `address` too. If the deadline passes, or is sure to be missed, keeps the
    finished segments as a job and raises DeadlineExceeded."""
    state.speech.require_ready()  # a WebSocket checks this once a turn, so that a stop lets the turn end
    log: RequestLog = request.state.log
    streamed = f"With {request.state.dialect.streamed_by} audio leaves while it is made"
    advice = f"{streamed}; a job (POST /api/v1/jobs) has no time limit."
    chunks = list[AudioChunk]()
    begun = state.speech.speaking(speech, log, arrived_at=request.state.arrived_at)
    try:
        async with cancelled_on_disconnect(request.receive), begun as (permit, stream):
            async for chunk in stream:
                chunks.append(chunk)
            if stream.verifier is not None:
                chunks = await stream.verifier.repaired(chunks)
            elif speech.duration_s is not None:
                chunks, log.timings.takes = await closest_take(chunks, stream, permit)
            log.timings.end_generation()
            with log.timings.stage("encode"):
                answer = await state.pools.encode.run(encode_whole, chunks, speech)
        answer.request_id, answer.owner, answer.address = speech.request_id, owner_of(request), address
        answer.verified = log.timings.verified
        log.ends, log.audio_done_s = answer.ends, answer.seconds
        state.recent.add(answer)
        return answer
    except DeadlineExceeded as late:
        late = DeadlineExceeded(f"{late.message} {advice}")
        raise await keep_unfinished(request, state, speech, chunks, late) from None


async def stream(
    request: Request,
    state: AppState,
    speech: SpeechRequest,
    framing: Framing = AS_IS,
    *,
    address: object = None,
) -> Response:
    """Begins to speak the request. Returns a streamed answer when its first audio is made. With an `address`
    (see `speak`), it has an ETag. Once the whole answer is made, it is kept, as in `speak`."""
    request.state.log.playback = Playback()
    state.speech.require_ready()
    begun = state.speech.speaking(speech, request.state.log, arrived_at=request.state.arrived_at)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(cancelled_on_disconnect(request.receive))
        permit, chunks = await stack.enter_async_context(begun)
        made = Answer(speech.audio_format, is_whole=False)
        made.request_id, made.owner, made.address = speech.request_id, owner_of(request), address
        tape = stack.enter_context(closing(Tape(state.recent, made)))
        pieces = Encoded(chunks, state.pools.encode, tape)
        first = await pieces.first()
        answer = _StreamedSpeech(request, speech, framing, permit, pieces, first, stack.pop_all())
        if address is not None:
            answer.headers["ETag"] = f'"{made.etag}"'
        return answer


class _StreamedSpeech(Response):
    """Sends the first piece of audio, then each further piece when it is made. Leaves `contexts` (the permit,
    the watch for the client and others) when the body ends, also after an error."""

    def __init__(
        self,
        request: Request,
        speech: SpeechRequest,
        framing: Framing,
        permit: Permit,
        pieces: Encoded,
        first: bytes,
        contexts: AsyncExitStack,
    ) -> None:
        kind = framing.media_type or media_type(speech.audio_format, pieces.sample_rate)
        super().__init__(media_type=kind, headers=audio_headers(pieces.sample_rate, speech.warnings))
        del self.headers["content-length"]
        self.headers["X-Accel-Buffering"] = "no"  # nginx would hold small pieces back
        if kind == EVENTS:
            self.headers["Cache-Control"] = "no-cache"
        self._request, self._framing, self._permit = request, framing, permit
        self._pieces, self._first, self._contexts = pieces, first, contexts
        self._n_timed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        try:
            with recorded_outcome(self._request.state.log):
                async with self._contexts:
                    await send(begin)
                    await self._send(send, self._framing.piece(self._first))
                    await self._send_times(send)
                    async for piece in self._pieces:
                        if piece:
                            await self._send(send, self._framing.piece(piece))
                        await self._send_times(send)
        except ServiceError as error:
            if not self._framing.takes_errors:
                raise  # the client cannot be told: its connection ends
            end = self._framing.error(error)
        else:
            end = self._framing.end(listed(self._request.state.log.timings.verified))
        await send({"type": "http.response.body", "body": end})

    async def _send_times(self, send: Send) -> None:
        """Sends the times of the segments that have ended since the last call."""
        for segment in self._pieces.times[self._n_timed :]:
            self._n_timed += 1
            if body := self._framing.times(segment):
                await self._send(send, body)

    async def _send(self, send: Send, body: bytes) -> None:
        with self._permit.waiting_for_client():
            await send({"type": "http.response.body", "body": body, "more_body": True})


def _whole_headers(request: Request, answer: Answer, speech: SpeechRequest) -> dict[str, str]:
    """Returns the headers of an answer that is sent when all of it is made."""
    timings = request.state.log.timings
    verdict = {} if timings.worst is None else {"X-Verified": timings.worst.verdict}
    return {
        "Content-Disposition": f'attachment; filename="speech.{speech.audio_format}"',  # /docs offers a file
        "X-Audio-Seconds": f"{answer.seconds:.3f}",
        "X-Generation-Time": f"{timings.generation_s:.2f}",
        "X-Finish-Reason": timings.finish_reason,
        **verdict,
        **audio_headers(answer.sample_rate, [*speech.warnings, *doubts(timings)]),
    }


def headers_alone(request: Request, state: AppState, speech: SpeechRequest, kind: str = "") -> Response:
    """Makes the answer to a HEAD request. Nothing is spoken, and the statistics do not count the request.
    `kind` is the Content-Type; if it is empty, the Content-Type is that of the audio."""
    state.speech.require_ready()
    request.state.log.metrics = None
    rate = played_rate(speech.audio_format, speech.output_rate or speech.sample_rate)
    kind = kind or media_type(speech.audio_format, rate)
    response = Response(media_type=kind, headers=audio_headers(rate, speech.warnings))
    del response.headers["content-length"]
    return response


def audio_headers(sample_rate: int, warnings: Sequence[str]) -> dict[str, str]:
    """Returns the headers that every audio answer has: its sample rate in Hz and its warnings."""
    headers = {"X-Sample-Rate": str(sample_rate)}
    if warnings:
        headers["X-Warnings"] = _in_a_header(warnings)
    return headers


def _in_a_header(warnings: Sequence[str]) -> str:
    """Joins the first warnings, up to 2,000 bytes, and adds how many more there are. Proxies and clients
    refuse long headers."""
    escaped = [warning.encode("unicode_escape").decode() for warning in warnings]
    ends = accumulate(len(warning) + 1 for warning in escaped)
    n_shown = sum(end <= _MOST_HEADER_BYTES for end in ends)
    return " ".join([*escaped[:n_shown], *([f"And {n} more."] if (n := len(escaped) - n_shown) else [])])
