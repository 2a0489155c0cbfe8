"""Admit, synthesize, encode, send: what every speech route does with a parsed request, whole or streamed.

A whole answer is made and then sent. A streamed one leaves with its first audio, so whatever goes wrong
before that has its own status; the permit, the deadline, the look-out for the client and the log line live
on until the body ends. What goes wrong then ends the connection before the body's end (or, where the
dialect has events, is one).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from glm_tts_api.admission.lanes import Permit
from glm_tts_api.audio.encode import AudioFormat, media_type
from glm_tts_api.contracts import AudioChunk, Utterance
from glm_tts_api.errors import ClientGone, ServiceError
from glm_tts_api.synthesis import synthesize
from glm_tts_api.web.app_state import AppState
from glm_tts_api.web.connections import Connection
from glm_tts_api.web.disconnect import cancelled_on_disconnect
from glm_tts_api.web.encoding import Encoded, Speech, encode_whole, heard
from glm_tts_api.web.playback import Playback
from glm_tts_api.web.request_log import RequestLog, log_of, recorded_outcome

if TYPE_CHECKING:
    from glm_tts_api.engine.stream import SpeechStream


class Framing(Protocol):
    """How a dialect sends pieces of audio: as they are, or each in an event."""

    media_type: str | None
    takes_errors: bool

    def piece(self, audio: bytes) -> bytes: ...

    def end(self) -> bytes: ...

    def error(self, error: ServiceError) -> bytes: ...


class RawAudio:
    """The audio itself; it has no place for an error."""

    media_type: str | None = None
    takes_errors = False

    def piece(self, audio: bytes) -> bytes:
        return audio

    def end(self) -> bytes:
        return b""

    def error(self, error: ServiceError) -> bytes:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A parsed request. `utterance` makes what is to be said, once the request has a place: what waits in
    the queue is small. `speed` changes no pitch; `volume` is a factor, and what it makes too loud is clipped.
    `verifies`: the sentence that proves a restart, which no counter tells of."""

    n_chars: int
    utterance: Callable[[], Awaitable[Utterance]]
    audio_format: AudioFormat
    speed: float = 1.0
    volume: float = 1.0
    framing: Framing = field(default_factory=RawAudio)
    verifies: bool = False
    warnings: list[str] = field(default_factory=list)

    def speed_of(self, chunk: AudioChunk) -> float:
        """A pause that a mark asks for is as long as it says."""
        return 1.0 if chunk.speed is None else min(4.0, max(0.25, self.speed * chunk.speed))


async def speak(request: Request, state: AppState, wanted: Wanted) -> Speech:
    """All of it, in the wanted format."""
    log = log_of(request)
    async with _synthesis(request, state, wanted) as (_, speech):
        chunks = [chunk async for chunk in heard(speech, log, wanted)]
        log.timings.end_generation()
        with log.timings.stage("encode"):
            return await state.pools.encode.run(encode_whole, chunks, wanted)


async def stream(request: Request, state: AppState, wanted: Wanted) -> Response:
    """An answer that leaves with its first audio, which is there when this returns."""
    log = log_of(request)
    log.playback = Playback()
    async with AsyncExitStack() as stack:
        permit, speech = await stack.enter_async_context(_synthesis(request, state, wanted))
        pieces = Encoded(speech, log, state.pools.encode, wanted)
        first = await pieces.first()
        return _StreamedSpeech(request, wanted, permit, pieces, first, stack.pop_all())


@asynccontextmanager
async def _synthesis(
    request: Request, state: AppState, wanted: Wanted
) -> AsyncIterator[tuple[Permit, SpeechStream]]:
    """The utterance begun, for as long as the client listens."""
    state.require_ready()
    begun = begin(state, wanted, log_of(request), arrived_at=request.state.arrived_at)
    async with cancelled_on_disconnect(request.receive), begun as (permit, speech):
        yield permit, speech


@asynccontextmanager
async def begin(
    state: AppState, wanted: Wanted, log: RequestLog, *, arrived_at: float
) -> AsyncIterator[tuple[Permit, SpeechStream]]:
    """The utterance begun, until the context is left; `arrived_at` on the loop's clock."""
    log.audio_format, log.recent = wanted.audio_format, state.recent
    if wanted.verifies:
        log.figures = log.recent = None
    begun = synthesize(
        state.verification if wanted.verifies else state.admission,
        state.engine,
        n_chars=wanted.n_chars,
        utterance=wanted.utterance,
        timings=log.timings,
        arrived_at=arrived_at,
    )
    with nullcontext() if wanted.verifies else _listed(log, state.active):
        async with begun as (permit, speech):
            try:
                yield permit, speech
            finally:
                log.timeout_ratio = permit.timeout_ratio


@contextmanager
def _listed(log: RequestLog, active: list[RequestLog]) -> Iterator[None]:
    """The request is one of those that wait or are being spoken."""
    active.append(log)
    try:
        yield
    finally:
        active.remove(log)


class _StreamedSpeech(Response):
    """Sends the first piece, then each as it comes; leaves `contexts` when the body ends, however it does."""

    def __init__(
        self,
        request: Request,
        wanted: Wanted,
        permit: Permit,
        pieces: Encoded,
        first: bytes,
        contexts: AsyncExitStack,
    ) -> None:
        framing = wanted.framing
        kind = framing.media_type or media_type(wanted.audio_format, pieces.sample_rate)
        super().__init__(media_type=kind, headers=audio_headers(pieces.sample_rate, wanted.warnings))
        del self.headers["content-length"]
        self.headers["X-Accel-Buffering"] = "no"  # nginx would hold small pieces back
        self._request, self._framing, self._permit = request, framing, permit
        self._pieces, self._first, self._contexts = pieces, first, contexts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        try:
            with recorded_outcome(log_of(self._request)):
                async with self._contexts:
                    await send(begin)
                    await self._send(send, self._framing.piece(self._first))
                    async for piece in self._pieces:
                        if piece:
                            await self._send(send, self._framing.piece(piece))
        except ServiceError as error:
            await self._send_error(send, error)
            return
        await send({"type": "http.response.body", "body": self._framing.end()})

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


def whole_audio(request: Request, speech: Speech, wanted: Wanted) -> Response:
    """The answer that is the audio itself."""
    headers = {
        "Content-Disposition": f'attachment; filename="speech.{wanted.audio_format}"',  # /docs offers a file
        "X-Audio-Seconds": f"{speech.seconds:.3f}",
        "X-Generation-Time": f"{log_of(request).timings.generation_s:.2f}",
        **audio_headers(speech.sample_rate, wanted.warnings),
    }
    return Response(
        speech.audio, media_type=media_type(wanted.audio_format, speech.sample_rate), headers=headers
    )


def audio_headers(sample_rate: int, warnings: list[str]) -> dict[str, str]:
    """The headers that every audio answer has."""
    headers = {"X-Sample-Rate": str(sample_rate)}
    if warnings:
        headers["X-Warnings"] = " ".join(warnings).encode("unicode_escape").decode()
    return headers
