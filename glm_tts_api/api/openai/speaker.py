"""The speaking side of the WebSocket: takes sentences and sends frames with their audio. Knows no incoming
message.

Each sentence is a speech request with its own lane and deadline, and the sentences are spoken one after the
other. So the same texts give the same audio, however the client cuts or times its messages. A conversation
needs at most one permit, and a cancel has only one request to stop. The next sentence begins when the last
audio of the sentence before it has been sent, while that audio still plays.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dialects import Dialect
from glm_tts_api.api.heard import times_body
from glm_tts_api.api.speech_request import logged_speech
from glm_tts_api.contracts import SpeechRequest
from glm_tts_api.errors import ClientGone, Draining, InternalFault, NothingToSay, ServiceError
from glm_tts_api.http.connections import Connection
from glm_tts_api.logs import without_text
from glm_tts_api.recognition.recogniser import listed
from glm_tts_api.speech.encoding import Encoded
from glm_tts_api.speech.request_log import Playback, RequestLog

logger = logging.getLogger(__name__)
SOCKET = Dialect(name="socket", tag="OpenAI")
DONE, GOING_AWAY, MAKES_NO_SENSE = 1000, 1001, 1008  # RFC 6455, 7.4.1


class Client:
    """Sends WebSocket frames to a client. Each method raises ClientGone if the client has left, or if it
    takes nothing for `send_s` seconds."""

    def __init__(self, socket: WebSocket, send_s: float) -> None:
        self.socket, self._send_s = socket, send_s

    async def tell(self, type_: str, **fields: Any) -> None:
        text = json.dumps({"type": type_, **fields}, ensure_ascii=False)
        await self._send({"type": "websocket.send", "text": text})

    async def tell_error(self, error: ServiceError) -> None:
        later = {} if error.retry_after_s is None else {"retry_after": math.ceil(error.retry_after_s)}
        await self.tell("error", code=error.code, message=error.message, **later)

    async def hear(self, audio: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": audio})

    async def close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})

    async def _send(self, message: Message) -> None:
        """Sends a frame. Returns when the kernel has taken all earlier frames. If that takes longer than
        `send_s` seconds, cuts the connection and raises ClientGone."""
        if self.socket.application_state is WebSocketState.DISCONNECTED:
            raise ClientGone
        try:
            async with asyncio.timeout(self._send_s):
                await self.socket.send(message)
        except WebSocketDisconnect:
            raise ClientGone from None
        except TimeoutError:
            connection: Connection | None = self.socket.scope["state"].get("connection")
            if connection is not None:
                connection.cut()
            raise ClientGone from None


class Mark(Enum):
    """Marks between the sentences in a speaker's queue. BEGIN begins a turn (the text up to the message
    `flush`); FLUSH and END end a turn."""

    BEGIN = auto()
    FLUSH = auto()
    END = auto()


_ENDS = (Mark.FLUSH, Mark.END)
_Item = SpeechRequest | ServiceError | Mark


class Speaker:
    """Speaks sentences one after the other. From the beginning of a turn until the whole turn is spoken, a
    task runs, and a stop of the server waits for this task. An error ends its turn: it is sent, and the rest
    of the turn is dropped. `n_waiting` is the number of characters that wait to be spoken."""

    def __init__(self, client: Client, state: AppState) -> None:
        self._client, self._state = client, state
        self._items: asyncio.Queue[tuple[int, _Item]] = asyncio.Queue()  # each with the number of its turn
        self._task: asyncio.Task[None] | None = None
        self._is_busy = False
        self._turn = 0
        self._ended_turn = -1  # the last turn that an error has ended
        self._n_segments = 0
        self._playback = Playback()
        self.n_waiting = 0

    @property
    def n_items(self) -> int:
        """The number of sentences, marks and errors that wait in the queue."""
        return self._items.qsize()

    @property
    def is_at_work(self) -> bool:
        return self._is_busy or not self._items.empty()

    def put(self, item: _Item) -> None:
        """Adds a sentence, a mark or an error to the queue, and starts the task that speaks if it does not
        run."""
        if self._turn == self._ended_turn and item not in _ENDS:
            return
        if isinstance(item, ServiceError):  # while it waits, it would keep the text that it was raised about
            item.__traceback__ = item.__context__ = None
        self._items.put_nowait((self._turn, item))
        self._turn += item in _ENDS
        if isinstance(item, SpeechRequest):
            self.n_waiting += len(item.text)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def cancel(self) -> None:
        """Stops the sentence that is being spoken, and drops all items in the queue. The engine frees the
        decode row of the sentence at its next step."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._items = asyncio.Queue()
        self._turn += 1
        self._is_busy, self.n_waiting = False, 0

    async def _run(self) -> None:
        with self._state.in_flight.track(), suppress(ClientGone):
            try:
                is_over = False
                while not (is_over and self._items.empty()):
                    turn, item = await self._next()
                    try:
                        await self._handle(turn, item)
                    except ServiceError as error:
                        await self._client.tell_error(error)
                        self._ended_turn = turn
                    is_over = turn == self._ended_turn or item in _ENDS
            except asyncio.CancelledError:
                if self._state.in_flight.cut_off:
                    await self._client.tell_error(Draining("The server stopped before this text was spoken."))
                raise
            finally:
                self._is_busy = False

    async def _next(self) -> tuple[int, _Item]:
        if self._items.empty():  # a gap because no text has come is not counted
            self._playback = Playback()
        self._is_busy = False
        next_item = await self._items.get()
        self._is_busy = True
        return next_item

    async def _handle(self, turn: int, item: _Item) -> None:
        """Speaks a sentence, sends the end of a turn, or raises an error of the queue. Drops the sentences
        and errors of a turn that an error has ended."""
        if item in _ENDS:
            self._playback = Playback()
            await self._client.tell("flushed" if item is Mark.FLUSH else "done")
            if item is Mark.END:
                await self._client.close(DONE)
        if isinstance(item, SpeechRequest):
            self.n_waiting -= len(item.text)
            if turn != self._ended_turn:
                await self._say(item)
        if isinstance(item, ServiceError) and turn != self._ended_turn:
            raise item

    async def _say(self, speech: SpeechRequest) -> None:
        """Speaks a sentence and writes its line in the log. A text with nothing to say makes no segment.
        Raises ServiceError and ClientGone; any other error is logged and becomes InternalFault."""
        try:
            with suppress(NothingToSay), logged_speech(self._client.socket, self._state, SOCKET) as log:
                log.length = self._state.speech.admission.config.measure(len(speech.text))
                log.playback = self._playback
                await self._speak(speech, log)
        except (ServiceError, ClientGone):
            raise
        except Exception as error:
            logger.error("A sentence of a WebSocket failed", exc_info=without_text(error))
            raise InternalFault() from None
        finally:
            self._client.socket.state.log.write(sent=True)

    async def _speak(self, speech: SpeechRequest, log: RequestLog) -> None:
        arrived_at = asyncio.get_running_loop().time()  # not counting the wait for earlier ones
        async with self._state.speech.speaking(speech, log, arrived_at=arrived_at) as (permit, stream):
            pieces = Encoded(stream, self._state.pools.encode)
            first = await pieces.first()
            segment = self._n_segments
            self._n_segments += 1
            with permit.waiting_for_client():
                await self._client.tell(
                    "segment.start", segment=segment, text=speech.text, sample_rate=pieces.sample_rate
                )
                if first:
                    await self._client.hear(first)
            async for piece in pieces:
                if piece:
                    with permit.waiting_for_client():
                        await self._client.hear(piece)
            end: dict[str, Any] = {"segment": segment, "seconds": round(pieces.seconds, 3)}
            if pieces.times:
                end["timestamps"] = [*map(times_body, pieces.times)]
            if log.timings.verified:
                end["verified"] = listed(log.timings.verified)
            with permit.waiting_for_client():  # until the client has taken the audio
                await self._client.tell("segment.end", **end)
