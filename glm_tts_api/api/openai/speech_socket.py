"""WebSocket /v1/audio/speech/stream: takes text in pieces, as an LLM writes it, and sends audio meanwhile.

A turn is the text up to the message `flush`. An error within a turn ends the turn. An invalid message ends
the connection. docs/streaming.md describes the messages.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext, suppress
from enum import Enum, auto
from typing import Annotated

from starlette.websockets import WebSocket

from glm_tts_api.api.access import check_handshake
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.fields import Fields
from glm_tts_api.api.heard import is_verified
from glm_tts_api.api.openai.speaker import GOING_AWAY, MAKES_NO_SENSE, SOCKET, Client, Mark, Speaker
from glm_tts_api.api.openai.speech import OpenAIFormat
from glm_tts_api.api.speech_request import named_voice, speech_of
from glm_tts_api.contracts import SAMPLE_RATE, OutputRate, SamplingOptions, Timestamps, Voice
from glm_tts_api.errors import ClientGone, InvalidField, ServiceError, TextTooLong, quote
from glm_tts_api.http.body import Body, read_json
from glm_tts_api.http.connections import Connection
from glm_tts_api.validation import FormNumber, Seed, Speed
from speech_text import Pauses, SentenceSplitter
from speech_text.marks import MOOD_SIGN, in_mood, voices_in


class TurnVoices:
    """Keeps the voice and the mood that marks in the turn, such as [[voice ann]], have named last. Each turn
    begins with the voice of the message `start`."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._voice = self._mood = ""

    def take(self, sentence: str, start: Voice) -> tuple[str, Voice | str]:
        """Returns the sentence, and the voice that speaks it or its name. `start` is the voice of the message
        `start`. If an earlier mark has set a mood, a sentence with marks gets a mark for this mood at its
        beginning, because its own marks start from the voice without a mood."""
        own: Voice | str = self._voice or start
        mood, names = self._mood, voices_in(sentence)
        if names:
            voice, _, self._mood = names[-1].partition(MOOD_SIGN)
            if voice or not names[-1]:
                self._voice = voice
            return (f"[[voice {in_mood('', mood)}]]{sentence}" if mood else sentence), own
        return sentence, in_mood(self._voice or str(start.name), mood) if mood else own


router = SOCKET.router("/v1/audio", key=None)  # check_handshake checks it
_PIECE = 1000  # characters of a message that are processed in one turn of the event loop


class StartFields(Fields):
    """The fields of the message `start`, which says how the text that follows is to be spoken."""

    type: str = "start"
    model: str = "glm-tts"
    voice: str = "alloy"
    response_format: OpenAIFormat = "pcm"
    sample_rate: Annotated[OutputRate, FormNumber] = SAMPLE_RATE
    speed: Speed = 1.0
    seed: Seed = 42
    timestamps: Timestamps | None = None
    verify: bool = False


@router.websocket("/speech/stream")
async def stream_speech(socket: WebSocket, state: AppStateDep) -> None:
    """Serves the WebSocket. A refusal before the handshake has the status and the body that an HTTP request
    would get."""
    check_handshake(socket, state)
    state.speech.require_ready()
    await socket.accept()
    with suppress(ClientGone):
        await _Conversation(socket, state).run()


class _Phase(Enum):
    """The phase of a conversation. The message `end` ends the conversation from any phase; the remaining
    sentences are still spoken.

    BETWEEN --text--> TURN --error--> REFUSED
       ^---flush, cancel---\'------------\'        ENDED --cancel--> ENDED
    """

    BETWEEN = auto()  # no turn has begun
    TURN = auto()
    REFUSED = auto()  # an error has ended the turn; the rest of its text is ignored
    ENDED = auto()


class _Conversation:
    """Reads the client's messages, cuts their text into speech requests, and gives these to the speaker."""

    def __init__(self, socket: WebSocket, state: AppState) -> None:
        self._socket, self._state = socket, state
        self._client = Client(socket, state.limits.send_s)
        self._speaker = Speaker(self._client, state)
        self._splitter = SentenceSplitter()
        self._how: tuple[StartFields, Voice] | None = None
        self._voices = TurnVoices()
        self._pause_s = 0.0  # the silence after the last sentence of this turn
        self._phase = _Phase.BETWEEN

    async def run(self) -> None:
        """Reads and handles the client's messages until either side ends the connection. After an invalid
        message, stops the speech, sends the error and closes the connection. Raises ClientGone."""
        try:
            while True:
                await self._take(await self._next_message())
        except ServiceError as error:
            await self._speaker.cancel()
            await self._client.tell_error(error)
            await self._client.close(MAKES_NO_SENSE)
        finally:
            await self._speaker.cancel()

    async def _next_message(self) -> Body:
        """Returns the client's next message. Raises ClientGone if the client leaves. Closes the connection
        and raises ClientGone if the client sends nothing for `limits.body_s` seconds while no audio is sent
        to it. Raises InvalidField or UnparsableBody for a message that is not a JSON object."""
        while True:
            try:
                async with asyncio.timeout(self._state.limits.body_s):
                    with self._idle():
                        message = await self._socket.receive()
                break
            except TimeoutError:
                if not self._speaker.is_at_work:
                    await self._client.close(GOING_AWAY)
                    raise ClientGone from None
        if message["type"] == "websocket.disconnect":
            raise ClientGone
        if message.get("text") is None:
            raise InvalidField("Send messages as text frames with JSON in them.")
        data = message["text"].encode()
        if len(data) > _PIECE:
            return await asyncio.to_thread(read_json, data)
        await asyncio.sleep(0)  # lets other tasks run, also if the next message is there
        return read_json(data)

    def _idle(self) -> AbstractContextManager[None]:
        connection: Connection | None = self._socket.scope["state"].get("connection")
        if connection is None or self._speaker.is_at_work:
            return nullcontext()
        return connection.idle()

    @property
    def _is_in_turn(self) -> bool:
        return self._phase in (_Phase.TURN, _Phase.REFUSED)

    async def _take(self, message: Body) -> None:
        kind = str(message.fields.get("type"))
        if self._phase is _Phase.ENDED and kind != "cancel":
            raise InvalidField("Nothing but cancel may follow end.")
        if kind != "start":
            message.require_no_voice((), "Name a registered voice in the voice of start")
        match kind:
            case "start":
                await self._start(message)
            case "text":
                await self._add(message.fields.get("text", ""))
            case "flush":
                await self._end_turn(Mark.FLUSH, _Phase.BETWEEN)
            case "cancel":
                await self._cancel()
            case "end":
                await self._end_turn(Mark.END, _Phase.ENDED)
            case _:
                raise InvalidField(f"type must be start, text, flush, cancel or end, not '{quote(kind)}'.")

    async def _start(self, message: Body) -> None:
        if self._is_in_turn:
            raise InvalidField("start may not come within a turn: send flush or cancel before it.")
        fields, _ = message.parse(StartFields, files=(), voice="voice")
        is_verified(self._socket, self._state, fields.verify)
        voice = await self._state.pools.files.run(named_voice, fields.voice, self._state)
        self._how = fields, voice
        self._splitter = SentenceSplitter()

    async def _add(self, text: object) -> None:
        if not isinstance(text, str):
            raise InvalidField("text must be a JSON string.")
        if self._phase is _Phase.BETWEEN and text.strip():
            await self._begin_turn()
        if self._phase is not _Phase.TURN:
            return
        most = self._state.config.max_text_length
        if self._speaker.n_waiting + self._splitter.n_waiting + len(text) > most:
            self._refuse(TextTooLong(f"More than {most} characters wait to be spoken (MAX_TEXT_LENGTH)."))
            return
        for start in range(0, len(text), _PIECE):
            for sentence in self._splitter.push(text[start : start + _PIECE]):
                await self._say(sentence)
            await asyncio.sleep(0)  # others have their turn

    async def _begin_turn(self) -> None:
        if self._how is None:
            await self._start(Body({}, {}))
        self._phase = _Phase.TURN
        self._speaker.put(Mark.BEGIN)
        try:
            self._state.speech.require_ready()
        except ServiceError as error:
            self._refuse(error)

    def _refuse(self, error: ServiceError) -> None:
        """Ends the turn with an error, which is sent after the speech of the turn's earlier text. The rest of
        the turn's text is ignored."""
        self._speaker.put(error)
        self._phase = _Phase.REFUSED

    async def _say(self, text: str) -> None:
        """Gives a piece of the turn's text to the speaker. Drops a piece without a letter or a digit, and any
        piece after an error. A voice that a mark such as [[voice ann]] names speaks for the rest of the
        turn."""
        if self._how is not None and self._phase is _Phase.TURN and any(char.isalnum() for char in text):
            fields, start = self._how
            text, voice = self._voices.take(text, start)
            try:
                speech = await speech_of(
                    self._socket,
                    self._state,
                    text,
                    voice,
                    verify=fields.verify,
                    sampling=SamplingOptions(seed=fields.seed),
                    sample_rate=fields.sample_rate,
                    streams=True,
                    audio_format=fields.response_format,
                    speed=fields.speed,
                    timestamps=fields.timestamps,
                    pause_s=self._pause_s,
                )
            except ServiceError as error:
                self._refuse(error)
                return
            self._speaker.put(speech)
            self._pause_s = Pauses().behind(text)

    async def _end_turn(self, mark: Mark, phase: _Phase) -> None:
        most = self._state.config.max_text_length
        if self._speaker.n_items > most:
            raise TextTooLong(
                f"More than {most} sentences and turns wait to be spoken (MAX_TEXT_LENGTH): "
                "send the next ones later."
            )
        await self._say(self._splitter.flush())
        self._speaker.put(mark)
        self._phase, self._pause_s = phase, 0.0
        self._voices.clear()

    async def _cancel(self) -> None:
        await self._speaker.cancel()
        self._splitter.flush()
        self._voices.clear()
        self._pause_s = 0.0
        await self._client.tell("cancelled")
        if self._phase is _Phase.ENDED:
            self._speaker.put(Mark.END)
        else:
            self._phase = _Phase.BETWEEN
