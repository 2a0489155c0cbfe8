"""The life of a speech request: its states, and the moves from each state to the next.

`RequestLog.enter` makes every move and refuses all others. docs/architecture.md shows this table.
"""

from __future__ import annotations

from typing import Literal

State = Literal["received", "queued", "admitted", "speaking", "completed", "cut", "cancelled", "failed"]

_STOPS: tuple[State, ...] = ("cancelled", "failed")  # the client has left, or an error ends the request
_SENT: tuple[State, ...] = ("completed", "cut")  # the client has got the whole answer, or not

MOVES: dict[State, tuple[State, ...]] = {
    "received": ("queued", *_SENT, *_STOPS),  # checked; an answer that is kept is sent again at once
    "queued": ("admitted", *_STOPS),  # waits for a place of its lane
    "admitted": ("speaking", *_STOPS),  # has a place; no audio yet
    "speaking": (*_SENT, *_STOPS),  # its first audio was made
    **dict.fromkeys((*_SENT, *_STOPS), ()),
}
