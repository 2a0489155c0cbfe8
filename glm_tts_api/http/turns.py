"""Connections in turn: one that sends much, or in tiny pieces, holds up no other. Knows asyncio alone."""

from __future__ import annotations

import asyncio

# Chunks of one byte, which cost most: some 5 ms of them.
_TURN_BYTES = 8 * 1024


class InTurn(asyncio.BufferedProtocol):
    """Is given a little of its bytes at each turn of the event loop; asyncio's own choice is 256 KB."""

    def get_buffer(self, sizehint: int) -> bytearray:
        self._buffer = bytearray(_TURN_BYTES)
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(memoryview(self._buffer)[:nbytes]))

    def data_received(self, data: bytes) -> None:
        raise NotImplementedError
