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
from glm_tts_api.engine.messages import Message, ToServer

LENGTH: Final = struct.Struct("<I")


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
    framed = bytearray(LENGTH.size)
    _ENCODER.encode_into(message, framed, LENGTH.size)
    LENGTH.pack_into(framed, 0, len(framed) - LENGTH.size)
    return framed


class ChildSide:
    """A child process's end of the socket pair, with blocking calls. `its` decodes the server's messages. Any
    thread may call `send`, which waits while the server reads nothing."""

    def __init__(self, own: socket.socket, its: msgpack.Decoder[Any]) -> None:
        self._socket, self._decoder = own, its
        self._sending = threading.Lock()

    def __iter__(self) -> Iterator[Any]:
        """Waits for the server's messages and yields them until the server is gone. Raises ValueError for an
        invalid message."""
        with suppress(ConnectionError), self._socket.makefile("rb") as received:
            while len(head := received.read(LENGTH.size)) == LENGTH.size:
                (length,) = LENGTH.unpack(head)
                if len(raw := received.read(length)) == length:
                    yield self._decoder.decode(raw)

    def send(self, message: Message) -> None:
        framed = frame(message)
        with self._sending:
            try:
                self._socket.sendall(framed)
            except OSError:
                return  # the server is gone; the reading thread ends the process
