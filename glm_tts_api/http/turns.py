"""Reads a little from each connection in turn, so that a client that sends much, or in tiny pieces, does not
delay the others. Knows asyncio alone."""

from __future__ import annotations

import asyncio

# It takes some 5 ms to parse this many bytes as HTTP chunks of one byte, which cost most.
_TURN_BYTES = 8 * 1024


class InTurn(asyncio.BufferedProtocol):
    """A protocol that gets at most 8 KiB at each turn of the event loop. asyncio's default is 256 KiB."""

    def get_buffer(self, sizehint: int) -> bytearray:
        self._buffer = bytearray(_TURN_BYTES)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(memoryview(self._buffer)[:nbytes]))

    def data_received(self, data: bytes) -> None:
        raise NotImplementedError
