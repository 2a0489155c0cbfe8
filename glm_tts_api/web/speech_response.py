"""Admit, synthesize, encode, send: what every speech route does with a parsed request, whole or streamed.

A whole answer is made and then sent. A streamed one leaves with its first audio, so whatever goes wrong
before that has its own status; the permit, the deadline, the look-out for the client and the log line live
on until the body ends. What goes wrong then ends the connection before the body's end (or, where the
dialect has events, is one).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol

import numpy as np
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from glm_tts_api.admission.lanes import Permit
from glm_tts_api.audio.encode import AudioFormat, Encoder, media_type, open_encoder
from glm_tts_api.audio.tempo import Tempo
from glm_tts_api.contracts import AudioChunk, Float32, Timings, Utterance
from glm_tts_api.errors import ServiceError
from glm_tts_api.web.app_state import AppState, SpeechStream
from glm_tts_api.web.connections import Connection
from glm_tts_api.web.disconnect import ClientGone, while_client_listens
from glm_tts_api.web.request_log import RequestLog, recorded_outcome

P = ParamSpec("P")


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
    line is small. `speed` changes no pitch; `volume` is a factor, and what it makes too loud is clipped.
    `counted` is false for the sentence that verifies a restart."""

    n_chars: int
    utterance: Callable[[], Awaitable[Utterance]]
    audio_format: AudioFormat
    speed: float = 1.0
    volume: float = 1.0
    streams: bool = False
    framing: Framing = field(default_factory=RawAudio)
    counted: bool = True
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """A whole utterance as it will be heard: `audio` in the wanted format at `sample_rate`; seconds."""

    audio: bytes
    sample_rate: int
    seconds: float
    generation_s: float
    timings: Timings


async def speak(request: Request, service: AppState, line: RequestLog, wanted: Wanted) -> Speech:
    """All of it, in the wanted format."""
    async with _synthesized(request, service, line, wanted) as stream:
        pieces = [chunk.pcm async for chunk in stream.chunks()]
        generation_s = line.generation_s = time.perf_counter() - stream.began_at
        with line.timings.stage("encode"):
            encoded = await service.pools.encode.run(_encode_whole, pieces, stream.sample_rate, wanted)
    audio, rate, seconds = encoded
    return Speech(audio, rate, seconds, generation_s, line.timings)


async def stream(request: Request, service: AppState, line: RequestLog, wanted: Wanted) -> Response:
    """An answer that leaves with its first audio, which is there when this returns."""
    async with AsyncExitStack() as stack:
        synthesis = await stack.enter_async_context(_synthesized(request, service, line, wanted))
        encoder = await service.pools.encode.run(open_encoder, wanted.audio_format, synthesis.sample_rate)
        pieces = _Encoded(encoder, synthesis, service, line, wanted)
        first = await pieces.first()
        return _StreamedSpeech(request, line, wanted, synthesis, pieces, first, stack.pop_all())


@dataclass(frozen=True, slots=True, eq=False)
class _Synthesis:
    """An utterance on its way, and the permit that it has."""

    engine_stream: SpeechStream
    permit: Permit
    line: RequestLog
    sample_rate: int
    began_at: float

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        async for chunk in self.engine_stream:
            self.line.took(chunk)
            yield chunk


@asynccontextmanager
async def _synthesized(
    request: Request, service: AppState, line: RequestLog, wanted: Wanted
) -> AsyncIterator[_Synthesis]:
    """A place in a lane within the deadline and for as long as the client listens, and the utterance begun.
    The place is held until the engine has let go of the request, which may be after this was cancelled."""
    service.require_ready()
    admission = service.admission.admit(
        wanted.n_chars, arrived_at=request.state.arrived_at, counted=wanted.counted
    )
    queued_at = time.perf_counter()
    async with while_client_listens(request.receive), AsyncExitStack() as stack:
        try:
            permit = await stack.enter_async_context(admission)
        finally:
            line.queue_s = time.perf_counter() - queued_at
        if wanted.counted:
            stack.enter_context(_shown(service, line))
        utterance = await wanted.utterance()
        began_at = time.perf_counter()
        engine_stream = await stack.enter_async_context(service.engine.synthesize(utterance))
        line.timings = engine_stream.timings
        engine_stream.on_freed(permit.hold())
        yield _Synthesis(engine_stream, permit, line, utterance.sample_rate, began_at)


@contextmanager
def _shown(service: AppState, line: RequestLog) -> Iterator[None]:
    """The request is listed among those that are being spoken."""
    service.speaking.append(line)
    try:
        yield
    finally:
        service.speaking.remove(line)


def _encode_whole(pieces: list[Float32], rate: int, wanted: Wanted) -> tuple[bytes, int, float]:
    """The body's audio, its sample rate, and how many seconds it lasts. Blocking; runs on a pool thread."""
    pcm = _at_volume(np.concatenate([np.zeros(0, np.float32), *pieces]), wanted.volume)
    if wanted.speed != 1.0:
        tempo = Tempo(rate, wanted.speed)
        pcm = np.concatenate([tempo.push(pcm), tempo.finish()])
    encoder = open_encoder(wanted.audio_format, rate, n_samples=len(pcm))
    return encoder.push(pcm) + encoder.finish(), encoder.sample_rate, len(pcm) / rate


def _at_volume(pcm: Float32, volume: float) -> Float32:
    return pcm if volume == 1.0 else pcm * np.float32(volume)


class _Encoded:
    """A synthesis as pieces of the wanted format, each as soon as it is made."""

    def __init__(
        self, encoder: Encoder, synthesis: _Synthesis, service: AppState, line: RequestLog, wanted: Wanted
    ) -> None:
        self._encoder = encoder
        self._tempo = Tempo(synthesis.sample_rate, wanted.speed) if wanted.speed != 1.0 else None
        self._volume = wanted.volume
        self._pool = service.pools.encode
        self._line = line
        self._chunks = synthesis.chunks()
        self.sample_rate = self._encoder.sample_rate

    async def first(self) -> bytes:
        """The first piece with something in it; nothing at all where the speech is empty."""
        async for piece in self:
            if piece:
                return piece
        return b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Goes on where it was left."""
        async for chunk in self._chunks:
            yield await self._on_a_thread(self._push, chunk.pcm)
        yield await self._on_a_thread(self._finish)

    async def _on_a_thread(self, call: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
        with self._line.timings.stage("encode"):
            return await self._pool.run(call, *args, **kwargs)

    def _push(self, pcm: Float32) -> bytes:
        pcm = _at_volume(pcm, self._volume)
        return self._encoder.push(pcm if self._tempo is None else self._tempo.push(pcm))

    def _finish(self) -> bytes:
        rest = b"" if self._tempo is None else self._encoder.push(self._tempo.finish())
        return rest + self._encoder.finish()


class _StreamedSpeech(Response):
    """Sends the first piece, then each as it comes; leaves `contexts` when the body ends, however it does."""

    def __init__(
        self,
        request: Request,
        line: RequestLog,
        wanted: Wanted,
        synthesis: _Synthesis,
        pieces: _Encoded,
        first: bytes,
        contexts: AsyncExitStack,
    ) -> None:
        framing = wanted.framing
        kind = framing.media_type or media_type(wanted.audio_format, pieces.sample_rate)
        super().__init__(media_type=kind, headers=audio_headers(pieces.sample_rate, wanted.warnings))
        del self.headers["content-length"]
        self._request, self._line, self._framing, self._synthesis = request, line, framing, synthesis
        self._pieces, self._first, self._contexts = pieces, first, contexts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        try:
            with recorded_outcome(self._line):
                async with self._contexts:
                    await send(begin)
                    await self._send(send, self._framing.piece(self._first))
                    async for piece in self._pieces:
                        if piece:
                            await self._send(send, self._framing.piece(piece))
                    self._line.generation_s = time.perf_counter() - self._synthesis.began_at
        except ServiceError as error:
            await self._send_error(send, error)
            return
        await send({"type": "http.response.body", "body": self._framing.end()})

    async def _send(self, send: Send, body: bytes) -> None:
        with self._synthesis.permit.waiting_for_client():
            await send({"type": "http.response.body", "body": body, "more_body": True})

    async def _send_error(self, send: Send, error: ServiceError) -> None:
        if self._framing.takes_errors:
            await send({"type": "http.response.body", "body": self._framing.error(error)})
            return
        connection: Connection | None = self._request.scope["state"].get("connection")
        if connection is not None:
            await connection.end()
        raise ClientGone  # nobody can be told


def whole_audio(speech: Speech, wanted: Wanted) -> Response:
    """The answer that is the audio itself."""
    headers = {
        "Content-Disposition": f'attachment; filename="speech.{wanted.audio_format}"',  # /docs offers a file
        "X-Audio-Seconds": f"{speech.seconds:.3f}",
        "X-Generation-Time": f"{speech.generation_s:.2f}",
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
