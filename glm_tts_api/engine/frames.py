"""The frames in which messages go over a pair of sockets.

A frame is four bytes of length and a message in MessagePack. msgspec checks each message against its type
and executes nothing; samples lie in the message as bytes and are not copied again when it is read.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from msgspec import ValidationError, msgpack

from glm_tts_api.engine.messages import NO_SAMPLES, BrokenMessage, Message, ToEngine, ToServer

_LENGTH: Final = struct.Struct("<I")
_LONGEST = 2**28  # bytes; a recording of 30 s has some 6 million
_AT_ONCE = 2**20


def _encoded(value: Any) -> Any:
    """None for an array: samples of a recording travel beside the message. Anything else that msgspec cannot
    encode is an error."""
    if isinstance(value, np.ndarray):
        return None
    raise TypeError(f"{type(value).__name__} is in no message")


def _decoded(kind: Any, value: Any) -> Any:
    if value is None:
        return NO_SAMPLES
    raise ValidationError(f"{kind} is in no message")


_ENCODER: Final = msgpack.Encoder(enc_hook=_encoded)
TO_ENGINE: Final = msgpack.Decoder(ToEngine, dec_hook=_decoded)
TO_SERVER: Final = msgpack.Decoder(ToServer, dec_hook=_decoded)


def frame(message: Message) -> bytearray:
    """A message as it goes over the sockets."""
    framed = bytearray(_LENGTH.size)
    _ENCODER.encode_into(message, framed, _LENGTH.size)
    _LENGTH.pack_into(framed, 0, len(framed) - _LENGTH.size)
    return framed


class Frames:
    """The messages in what arrives, whatever pieces it comes in."""

    def __init__(self, decoder: msgpack.Decoder[Any]) -> None:
        self._decoder = decoder
        self._rest = bytearray()

    def push(self, data: bytes) -> Iterator[Any]:
        """The messages that are whole with `data`. Raises BrokenMessage."""
        self._rest += data
        while len(self._rest) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest)
            end = _LENGTH.size + length
            if length > _LONGEST:
                raise BrokenMessage(f"a message of {length} bytes")
            if len(self._rest) < end:
                return
            raw = self._rest[_LENGTH.size : end]
            del self._rest[:end]
            try:
                yield self._decoder.decode(raw)
            except ValueError as error:  # no MessagePack, or none of these messages
                raise BrokenMessage(str(error)) from None


class EngineSide:
    """The engine's end of the sockets, with blocking calls. `send` may be called from any thread: it waits
    while the server takes nothing."""

    def __init__(self, own: socket.socket) -> None:
        self._socket = own
        self._sending = threading.Lock()

    def __iter__(self) -> Iterator[ToEngine]:
        """The server's messages, until it is gone. Raises BrokenMessage."""
        frames = Frames(TO_ENGINE)
        while data := self._received():
            yield from frames.push(data)

    def _received(self) -> bytes:
        try:
            return self._socket.recv(_AT_ONCE)
        except ConnectionError:
            return b""

    def send(self, message: Message) -> None:
        framed = frame(message)
        with self._sending:
            try:
                self._socket.sendall(framed)
            except OSError:
                return  # the server is gone; the reading thread ends the process
