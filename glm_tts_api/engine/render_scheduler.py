"""Chooses the render that takes the next step. Plain Python: knows tasks and the times at which they are due,
no tensors.

The next turn goes to the client for which the fewest threads work. Of several such clients, the one with the
least work done gets it (FairShares). Of a client's renders, the one that is due first goes first (earliest
deadline first). The scheduler chooses again for each step, so a new render that is due sooner overtakes
renders that have begun. Every fourth turn goes to the client's oldest render, so that new renders do not keep
an old one waiting for ever. A task that gives way (nobody waits for its result) gets a turn only when no
other task waits for a turn.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from glm_tts_api.engine.fair_shares import FairShares

_OLDEST_EVERY = 4


class Renderable(Protocol):
    """A task as the scheduler sees it. `due` is the time at which its result is wanted, in seconds on a clock
    that all tasks share."""

    @property
    def due(self) -> float: ...

    @property
    def cancelled(self) -> bool: ...


TaskT = TypeVar("TaskT", bound=Renderable)


@dataclass(slots=True, eq=False)
class Render(Generic[TaskT]):
    """A task that waits to be rendered or is being rendered. `progress` holds the state of the rendering;
    None means that no step was taken yet. `taken` says that a thread works on the render now."""

    task: TaskT
    progress: Any = None
    taken: bool = False


class RenderScheduler(Generic[TaskT]):
    """A queue of renders (tasks that become audio step by step). Holds the renders in their order of arrival,
    and chooses the render that takes the next step. Any thread may call. While `rests` is True, tasks that
    give way (nobody waits for their result) get no turn."""

    def __init__(
        self,
        gives_way: Callable[[TaskT], bool] = lambda task: False,
        client: Callable[[TaskT], str] = lambda task: "",
        step_work: Callable[[TaskT], float] = lambda task: 1,
    ) -> None:
        """`gives_way` returns whether a task has to stand back for other tasks. `client` returns the name of
        the task's client, and `step_work` the work of one step of the task, in any unit."""
        self.rests = False
        self._gives_way, self._client, self._step_work = gives_way, client, step_work
        self._renders: list[Render[TaskT]] = []
        self._shares = FairShares()
        self._n_turns = 0
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether `take` would return a render now."""
        with self._lock:
            return bool(self._free())

    @property
    def n_wanting(self) -> int:
        """The number of renders that may take a step now or that a thread works on."""
        with self._lock:
            return len(self._free()) + sum(render.taken for render in self._renders)

    def add(self, task: TaskT) -> None:
        with self._lock:
            self._renders.append(Render(task))

    def take(self) -> Render[TaskT] | None:
        """Returns the render whose turn it is; None if no render may take a step now. No other thread gets
        this render until `put_back` is called."""
        with self._lock:
            free = self._of_the_next_client(self._free())
            if not free:
                return None
            self._n_turns += 1
            oldest = self._n_turns % _OLDEST_EVERY == 0
            render = free[0] if oldest else min(free, key=lambda render: render.task.due)
            render.taken = True
            self._shares.serve(self._client(render.task), self._step_work(render.task))
            return render

    def _of_the_next_client(self, free: list[Render[TaskT]]) -> list[Render[TaskT]]:
        n_taken = Counter(self._client(render.task) for render in self._renders if render.taken)

        def turn(client: str) -> tuple[int, float]:
            return n_taken[client], self._shares.turn(client)

        first = min((self._client(render.task) for render in free), key=turn, default="")
        return [render for render in free if self._client(render.task) == first]

    def _free(self) -> list[Render[TaskT]]:
        """Returns the renders that may take a step now, in their order of arrival. Renders that give way are
        among them only if no other render waits and `rests` is False."""
        free = [render for render in self._renders if not render.taken]
        urgent = [render for render in free if not self._gives_way(render.task)]
        return urgent or ([] if self.rests else free)

    def put_back(self, render: Render[TaskT]) -> None:
        """Makes a render that was taken wait for its next turn."""
        render.taken = False

    def remove(self, render: Render[TaskT]) -> None:
        """Removes a render that has ended."""
        with self._lock:
            self._renders.remove(render)

    def drop_cancelled(self) -> list[TaskT]:
        """Removes the cancelled renders that no thread works on. Returns their tasks."""
        with self._lock:
            dropped = [render for render in self._renders if not render.taken and render.task.cancelled]
            self._renders = [render for render in self._renders if render not in dropped]
        return [render.task for render in dropped]
