"""The queue of the requests that wait for a place of one lane. Each client in turn gets the next place, for
its oldest request. Uses asyncio's futures; knows no engine.

The order is that of FairShares, with a request as one unit of work. So a new client is next at once, however
many requests of another client wait, and overtakes nobody twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from glm_tts_api.engine.fair_shares import FairShares
from glm_tts_api.speech.clients import Client


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A request that waits in the queue. The result of the future `place` is the number of the engine on
    which the request gets its place. `number` counts the requests in the order in which they came."""

    client: Client
    number: int
    place: asyncio.Future[int]


class Line:
    def __init__(self) -> None:
        self._waiting: dict[str, deque[Turn]] = {}
        self._shares = FairShares()
        self._n_came = 0

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def n_of(self, client: Client) -> int:
        return len(self._waiting.get(client.name, ()))

    def join(self, client: Client) -> Turn:
        self._n_came += 1
        turn = Turn(client, self._n_came, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(client.name, deque()).append(turn)
        return turn

    def leave(self, turn: Turn) -> None:
        """Removes `turn` from the queue. Does nothing if it is not there."""
        turns = self._waiting.get(turn.client.name, deque())
        if turn in turns:
            turns.remove(turn)
        if not turns:
            self._waiting.pop(turn.client.name, None)

    def next(self, may: Callable[[Client], bool]) -> Turn | None:
        """Returns the turn that gets the next place, and leaves it in the queue. Only clients for which `may`
        returns true take part. Returns None if no such client waits."""
        heads = (turns[0] for turns in self._waiting.values() if may(turns[0].client))
        return min(heads, key=lambda turn: (self._shares.turn(turn.client.name), turn.number), default=None)

    def serve(self, client: Client) -> None:
        """Notes that `client` was given a place. Must be called for each place, also if the client did not
        wait for it."""
        self._shares.serve(client.name)

    def crowding(self, newcomer: Client) -> Turn | None:
        """Returns the newest turn of the client that has the most requests in the queue. Returns None if
        `newcomer` would have as many requests there as that client after one more request."""
        longest = max(self._waiting.values(), key=len, default=deque[Turn]())
        return longest[-1] if len(longest) > self.n_of(newcomer) + 1 else None

    def order(self) -> list[str]:
        """Returns the name of the client of each waiting request. The list has the order in which the
        requests get places if no more requests come and no client's limit on places holds one back."""
        dues = [
            (self._shares.turn(name) + place, turn.number, name)
            for name, turns in self._waiting.items()
            for place, turn in enumerate(turns)
        ]
        return [name for *_, name in sorted(dues)]
