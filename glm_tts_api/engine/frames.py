"""Packs messages into frames, in which they go through a pair of sockets, and unpacks them.

A frame is the message's length in four bytes, then the message in MessagePack. msgspec checks each message
against its type and executes nothing. Audio samples lie in the message as bytes.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from msgspec import Struct, ValidationError, msgpack

from glm_tts_api.contracts import Recording, Voice
from glm_tts_api.engine.messages import BrokenMessage, Message, ToServer

_LENGTH: Final = struct.Struct("<I")
_LONGEST = 2**28  # bytes of a message; a recording of 30 s has some 6 million
_AT_ONCE = 2**20


def _encoded(value: Any) -> Any:
    """Encodes an array of samples as their bytes, and a voice without its samples: the digest names its
    recording. Raises TypeError for any other value that msgspec cannot encode."""
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value, np.float32).data.cast("B")
    if isinstance(value, Voice):
        return value.digest, value.transcript, value.name
    raise TypeError(f"{type(value).__name__} is in no message")


def _decoded(recordings: Mapping[str, Recording], kind: Any, value: Any) -> Any:
    if kind is Voice:
        digest, transcript, name = value
        return Voice(recordings[digest], transcript, digest, name)
    if isinstance(value, bytes):
        return np.frombuffer(value, np.float32).copy()  # an array over the bytes could not be written to
    raise ValidationError(f"{kind} is in no message")


_ENCODER: Final = msgpack.Encoder(enc_hook=_encoded)


def decoder(kinds: Any, recordings: Mapping[str, Recording] = MappingProxyType({})) -> msgpack.Decoder[Any]:
    """Returns a decoder of messages of these kinds: one type, or a union of types. `recordings` holds those
    of the voices in the messages by their digests. Decoding raises KeyError for a voice without one."""
    return msgpack.Decoder(kinds, dec_hook=partial(_decoded, recordings))


TO_SERVER: Final = decoder(ToServer)


def frame(message: Struct) -> bytearray:
    """Returns a message as a frame: its length in four bytes, then its bytes."""
    framed = bytearray(_LENGTH.size)
    _ENCODER.encode_into(message, framed, _LENGTH.size)
    _LENGTH.pack_into(framed, 0, len(framed) - _LENGTH.size)
    return framed


class Frames:
    """Splits the received bytes into messages. The bytes may come in pieces of any size."""

    def __init__(self, decoder: msgpack.Decoder[Any]) -> None:
        self._decoder = decoder
        self._rest = bytearray()

    def push(self, data: bytes) -> Iterator[Any]:
        """Adds the received bytes `data`, and yields each message that is complete now. Raises BrokenMessage
        for a message that is invalid or longer than 256 MiB."""
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
            except ValueError as error:  # not MessagePack, or not one of the expected messages
                raise BrokenMessage(str(error)) from None


class ChildSide:
    """A child process's end of the socket pair, with blocking calls. `its` decodes the server's messages. Any
    thread may call `send`, which waits while the server reads nothing."""

    def __init__(self, own: socket.socket, its: msgpack.Decoder[Any]) -> None:
        self._socket, self._decoder = own, its
        self._sending = threading.Lock()

    def __iter__(self) -> Iterator[Any]:
        """Waits for the server's messages and yields them until the server is gone. Raises BrokenMessage for
        an invalid message."""
        frames = Frames(self._decoder)
        with suppress(ConnectionError):
            while data := self._socket.recv(_AT_ONCE):
                yield from frames.push(data)

    def send(self, message: Message) -> None:
        framed = frame(message)
        with self._sending:
            try:
                self._socket.sendall(framed)
            except OSError:
                return  # the server is gone; the reading thread ends the process
