"""The requests that wait for a place of one lane. The next place goes round the clients, and among the
requests of one client to the oldest. Knows asyncio's futures; knows no engine.

The order is that of start-time fair queueing (Goyal, Vin and Cheng 1996), with a request as one unit of work.
A place is given in a round, and a client's next request is due in the round after that of its last one. So a
new client is due at once, however many requests of another wait, and overtakes nobody twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from glm_tts_api.speech.clients import Client


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A request that waits; `place` has the engine's number once there is one. `number`: it came as the
    how-manyth."""

    client: Client
    number: int
    place: asyncio.Future[int]


class Line:
    def __init__(self) -> None:
        self._waiting: dict[str, deque[Turn]] = {}
        self._round = 0  # of the place that was given last
        self._due: dict[str, int] = {}  # rounds to come, of clients that had a place in this one
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
        """Takes a turn out of the line; does nothing where it has left already."""
        turns = self._waiting.get(turn.client.name, deque())
        if turn in turns:
            turns.remove(turn)
        if not turns:
            self._waiting.pop(turn.client.name, None)

    def next(self, may: Callable[[Client], bool]) -> Turn | None:
        """The turn that is due first, of the clients that `may` have a place now."""
        heads = (turns[0] for turns in self._waiting.values() if may(turns[0].client))
        return min(heads, key=lambda turn: (self._round_of(turn.client.name), turn.number), default=None)

    def serve(self, client: Client) -> None:
        """To be called for each place that is given, also for one given without a wait."""
        self._round = self._round_of(client.name)
        self._due[client.name] = self._round + 1
        self._due = {name: due for name, due in self._due.items() if due > self._round}

    def crowding(self, newcomer: Client) -> Turn | None:
        """The newest turn of the client that has most; None where `newcomer` would have as many."""
        longest = max(self._waiting.values(), key=len, default=deque[Turn]())
        return longest[-1] if len(longest) > self.n_of(newcomer) + 1 else None

    def order(self) -> list[str]:
        """The names of those who wait, in the order in which their turns come if nobody else does."""
        dues = [
            (self._round_of(name) + place, turn.number, name)
            for name, turns in self._waiting.items()
            for place, turn in enumerate(turns)
        ]
        return [name for *_, name in sorted(dues)]

    def _round_of(self, name: str) -> int:
        return max(self._round, self._due.get(name, 0))
