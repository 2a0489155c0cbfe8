"""What is rendered next. Plain Python: knows tasks by when they are due, no tensors.

Earliest deadline first; what is due when is the tasks' to say. Between two steps the scheduler looks round
again, so a newcomer that is due sooner goes past renders that have begun. Every fourth turn goes to the
render that has waited longest, so none waits for ever for newcomers that never cease.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

_OLDEST_EVERY = 4


class Renderable(Protocol):
    """A task as the scheduler sees it. `due`: on the clock that all tasks share, in seconds."""

    @property
    def due(self) -> float: ...

    @property
    def cancelled(self) -> bool: ...


TaskT = TypeVar("TaskT", bound=Renderable)


@dataclass(slots=True, eq=False)
class Render(Generic[TaskT]):
    """Tasks that go through the flow as one batch of at most `limit`. `progress` belongs to whoever renders
    them; None until that has begun."""

    tasks: list[TaskT]
    limit: int
    progress: Any = None
    taken: bool = field(default=False)

    @property
    def due(self) -> float:
        return min(task.due for task in self.tasks)


class RenderScheduler(Generic[TaskT]):
    """Renders in order of arrival; at most `n_rows` tasks share one. Any thread may call."""

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._renders: list[Render[TaskT]] = []
        self._n_turns = 0
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """There is a render that nobody is at."""
        with self._lock:
            return any(not render.taken for render in self._renders)

    def add(self, task: TaskT) -> None:
        with self._lock:
            self._renders.append(Render([task], self._n_rows))

    def take(self) -> Render[TaskT] | None:
        """The render whose turn it is, with the others that share its batch; nobody else gets it until it is
        put back, split or removed."""
        with self._lock:
            free = [render for render in self._renders if not render.taken]
            if not free:
                return None
            self._n_turns += 1
            oldest = self._n_turns % _OLDEST_EVERY == 0
            render = free[0] if oldest else min(free, key=lambda render: render.due)
            render.taken = True
            if render.progress is None:
                self._fill(render, free)
            return render

    def put_back(self, render: Render[TaskT]) -> None:
        """It waits for its next turn."""
        render.taken = False

    def remove(self, render: Render[TaskT]) -> None:
        """It has ended."""
        with self._lock:
            self._renders.remove(render)

    def split(self, render: Render[TaskT]) -> bool:
        """The tasks of a batch wait again, for batches half as large. False: one was alone; it is out."""
        limit = len(render.tasks) // 2
        halves = [Render([task], limit) for task in render.tasks] if limit else []
        with self._lock:
            place = self._renders.index(render)
            self._renders[place : place + 1] = halves
        return bool(halves)

    def drop_cancelled(self) -> list[TaskT]:
        """Removes the renders that nobody is at and in which nobody is left, and returns their tasks. A lone
        cancelled task stays with its batch until that ends."""
        with self._lock:
            dropped = [
                render
                for render in self._renders
                if not render.taken and all(task.cancelled for task in render.tasks)
            ]
            self._renders = [render for render in self._renders if render not in dropped]
        return [task for render in dropped for task in render.tasks]

    def _fill(self, render: Render[TaskT], free: list[Render[TaskT]]) -> None:
        """Takes others that have not begun into the render's batch, the soonest due first."""
        waiting = [other for other in free if other is not render and other.progress is None]
        for other in sorted(waiting, key=lambda other: other.due):
            limit = min(render.limit, other.limit)
            if len(render.tasks) < limit:
                render.tasks += other.tasks
                render.limit = limit
                self._renders.remove(other)
