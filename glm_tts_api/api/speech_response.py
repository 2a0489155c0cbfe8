"""Admit, synthesize, encode, send: the way of a parsed request through every speech route, whole or streamed.

A whole answer is made and then sent. A streamed one leaves with its first audio, so an error before that has
its own status; the permit, the deadline, the watch for the client's leaving and the log line live on until
the body ends. A later error ends the connection before the body's end (or, where the dialect has events, is
an event).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import accumulate
from typing import Any, Protocol

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from glm_tts_api.api.access import owner_of
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.logged import log_of
from glm_tts_api.api.unfinished import keep_unfinished
from glm_tts_api.audio.encode import media_type
from glm_tts_api.contracts import AudioChunk, SpeechRequest
from glm_tts_api.errors import ClientGone, DeadlineExceeded, ServiceError
from glm_tts_api.http.connections import Connection
from glm_tts_api.http.disconnect import cancelled_on_disconnect
from glm_tts_api.speech.encoding import Encoded, Speech, encode_whole, noted
from glm_tts_api.speech.lane import Permit
from glm_tts_api.speech.lateness import Lateness
from glm_tts_api.speech.playback import Playback
from glm_tts_api.speech.request_log import recorded_outcome
from glm_tts_api.speech.resumed_stream import ResumedStream
from glm_tts_api.speech.service import deadline_adding
from glm_tts_api.speech.times import SegmentTimes

EVENTS = "text/event-stream"
_MOST_HEADER_BYTES = 2000


class Framing(Protocol):
    """How a dialect sends pieces of audio: as they are, or each in an event."""

    media_type: str | None
    takes_errors: bool

    def piece(self, audio: bytes) -> bytes: ...

    def times(self, segment: SegmentTimes) -> bytes: ...

    def end(self) -> bytes: ...

    def error(self, error: ServiceError) -> bytes: ...


def event(data: dict[str, Any]) -> bytes:
    """A server-sent event with `data` as JSON."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


class RawAudio:
    """The audio itself; it has no place for an error."""

    media_type: str | None = None
    takes_errors = False

    def piece(self, audio: bytes) -> bytes:
        return audio

    def times(self, segment: SegmentTimes) -> bytes:
        return b""

    def end(self) -> bytes:
        return b""

    def error(self, error: ServiceError) -> bytes:
        raise NotImplementedError


async def speak(
    request: Request,
    state: AppState,
    asked: SpeechRequest,
    *,
    streamed_by: str = "stream=true",
    address: object = None,
) -> Speech:
    """All of it, in the format that was asked for. `streamed_by`: the field that asks for a stream;
    `address`: as RecentAnswer has it."""
    log, asked = log_of(request), replace(asked, is_marked=state.config.synthetic_mark)
    taping = state.recent.taping(asked, owner_of(request), address)
    advice = f"With {streamed_by} audio leaves while it is made; a job (POST /api/v1/jobs) has no time limit."
    chunks = list[AudioChunk]()
    try:
        with taping as tape, deadline_adding(lambda: advice):
            async with _while_connected(request, state, asked) as (permit, stream):
                lateness = Lateness(asked, log, permit, state.speech.n_spoken)
                async for chunk in noted(stream, log, asked):
                    chunks.append(chunk)
                    lateness.took(chunk)
                log.timings.end_generation()
                with log.timings.stage("encode"):
                    speech = await state.pools.encode.run(encode_whole, chunks, asked)
            tape.add(speech.pcm, speech.audio)
            tape.end(speech.pcm_rate, speech.times, is_whole=True)
            return speech
    except DeadlineExceeded as late:
        raise await keep_unfinished(request, state, asked, chunks, late) from None


async def stream(
    request: Request,
    state: AppState,
    asked: SpeechRequest,
    framing: Framing | None = None,
    *,
    address: object = None,
) -> Response:
    """An answer that leaves with its first audio, which is there when this returns. That to an `address` (as
    RecentAnswer has it) says its ETag."""
    log, asked = log_of(request), replace(asked, is_marked=state.config.synthetic_mark)
    log.playback = Playback()
    async with AsyncExitStack() as stack:
        permit, chunks = await stack.enter_async_context(_while_connected(request, state, asked))
        tape = stack.enter_context(state.recent.taping(asked, owner_of(request), address))
        pieces = Encoded(chunks, log, state.pools.encode, asked, tape)
        first = await pieces.first()
        answer = _StreamedSpeech(
            request, asked, framing or RawAudio(), permit, pieces, first, stack.pop_all()
        )
        if address is not None:
            answer.headers["ETag"] = f'"{tape.etag}"'
        return answer


@asynccontextmanager
async def _while_connected(
    request: Request, state: AppState, asked: SpeechRequest
) -> AsyncIterator[tuple[Permit, ResumedStream]]:
    state.speech.require_ready()  # not asked of a socket's next sentence: its turn was taken before a stop
    begun = state.speech.speaking(asked, log_of(request), arrived_at=request.state.arrived_at)
    async with cancelled_on_disconnect(request.receive), begun as (permit, stream):
        yield permit, stream


class _StreamedSpeech(Response):
    """Sends the first piece, then each as it comes; leaves `contexts` when the body ends, however it does."""

    def __init__(
        self,
        request: Request,
        asked: SpeechRequest,
        framing: Framing,
        permit: Permit,
        pieces: Encoded,
        first: bytes,
        contexts: AsyncExitStack,
    ) -> None:
        kind = framing.media_type or media_type(asked.audio_format, pieces.sample_rate)
        super().__init__(media_type=kind, headers=audio_headers(pieces.sample_rate, asked.warnings))
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
            with recorded_outcome(log_of(self._request)):
                async with self._contexts:
                    await send(begin)
                    await self._send(send, self._framing.piece(self._first))
                    await self._send_times(send)
                    async for piece in self._pieces:
                        if piece:
                            await self._send(send, self._framing.piece(piece))
                        await self._send_times(send)
        except ServiceError as error:
            await self._send_error(send, error)
            return
        await send({"type": "http.response.body", "body": self._framing.end()})

    async def _send_times(self, send: Send) -> None:
        """Sends the times of the segments that have ended since."""
        for segment in self._pieces.times[self._n_timed :]:
            self._n_timed += 1
            if body := self._framing.times(segment):
                await self._send(send, body)

    async def _send(self, send: Send, body: bytes) -> None:
        with self._permit.waiting_for_client():
            await send({"type": "http.response.body", "body": body, "more_body": True})

    async def _send_error(self, send: Send, error: ServiceError) -> None:
        if self._framing.takes_errors:
            await send({"type": "http.response.body", "body": self._framing.error(error)})
            return
        connection: Connection | None = self._request.scope["state"].get("connection")
        if connection is not None:
            await connection.end()
        raise ClientGone  # nobody can be told


def whole_audio(request: Request, speech: Speech, asked: SpeechRequest) -> Response:
    """The answer that is the audio itself."""
    return Response(
        speech.audio,
        media_type=media_type(asked.audio_format, speech.sample_rate),
        headers=whole_headers(request, speech, asked),
    )


def whole_headers(request: Request, speech: Speech, asked: SpeechRequest) -> dict[str, str]:
    """The headers of an answer that is sent when all of it is made."""
    timings = log_of(request).timings
    return {
        "Content-Disposition": f'attachment; filename="speech.{asked.audio_format}"',  # /docs offers a file
        "X-Audio-Seconds": f"{speech.seconds:.3f}",
        "X-Generation-Time": f"{timings.generation_s:.2f}",
        "X-Finish-Reason": timings.finish_reason,
        **audio_headers(speech.sample_rate, asked.warnings),
    }


def headers_alone(request: Request, state: AppState, asked: SpeechRequest, kind: str = "") -> Response:
    """The answer to HEAD, which counts as no speech: nothing is spoken. `kind`: the Content-Type, where it is
    not that of the audio."""
    state.speech.require_ready()
    log_of(request).figures = None
    kind = kind or media_type(asked.audio_format, asked.sample_rate)
    response = Response(media_type=kind, headers=audio_headers(asked.sample_rate, asked.warnings))
    del response.headers["content-length"]
    return response


def audio_headers(sample_rate: int, warnings: Sequence[str]) -> dict[str, str]:
    """The headers that every audio answer has."""
    headers = {"X-Sample-Rate": str(sample_rate)}
    if warnings:
        headers["X-Warnings"] = _in_a_header(warnings)
    return headers


def _in_a_header(warnings: Sequence[str]) -> str:
    """The warnings that fit a header, and the number of the others: proxies and clients refuse long
    headers."""
    escaped = [warning.encode("unicode_escape").decode() for warning in warnings]
    ends = accumulate(len(warning) + 1 for warning in escaped)
    n_shown = sum(end <= _MOST_HEADER_BYTES for end in ends)
    n_more = len(escaped) - n_shown
    return " ".join([*escaped[:n_shown], *([f"And {n_more} more."] if n_more else [])])
