"""Chooses the next render. Plain Python: knows tasks by when they are due, no tensors.

Earliest deadline first; the tasks say when they are due. The scheduler chooses anew between two steps, so a
newcomer that is due sooner goes past renders that have begun. Every fourth turn goes to the render that has
waited longest, so none waits for ever for newcomers that never cease. A task that gives way has its turn when
there is no other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
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
    """A task on its way. `progress` belongs to the thread that renders it; None until that has begun."""

    task: TaskT
    progress: Any = None
    taken: bool = False


class RenderScheduler(Generic[TaskT]):
    """Renders in order of arrival. Any thread may call. `rests`: whether tasks that give way have no turn at
    all."""

    def __init__(self, gives_way: Callable[[TaskT], bool] = lambda task: False) -> None:
        """`gives_way`: whether a task does."""
        self.rests = False
        self._gives_way = gives_way
        self._renders: list[Render[TaskT]] = []
        self._n_turns = 0
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """There is a render that no thread works at."""
        with self._lock:
            return bool(self._free())

    @property
    def n_wanting(self) -> int:
        """How many renders want steps, those that somebody is at among them."""
        with self._lock:
            return len(self._free()) + sum(render.taken for render in self._renders)

    def add(self, task: TaskT) -> None:
        with self._lock:
            self._renders.append(Render(task))

    def take(self) -> Render[TaskT] | None:
        """The render whose turn it is; nobody else gets it until it is put back."""
        with self._lock:
            free = self._free()
            if not free:
                return None
            self._n_turns += 1
            oldest = self._n_turns % _OLDEST_EVERY == 0
            render = free[0] if oldest else min(free, key=lambda render: render.task.due)
            render.taken = True
            return render

    def _free(self) -> list[Render[TaskT]]:
        """Those that have a turn now."""
        free = [render for render in self._renders if not render.taken]
        urgent = [render for render in free if not self._gives_way(render.task)]
        return urgent or ([] if self.rests else free)

    def put_back(self, render: Render[TaskT]) -> None:
        """It waits for its next turn."""
        render.taken = False

    def remove(self, render: Render[TaskT]) -> None:
        """It has ended."""
        with self._lock:
            self._renders.remove(render)

    def drop_cancelled(self) -> list[TaskT]:
        """Removes cancelled renders that nobody is at, and returns their tasks."""
        with self._lock:
            dropped = [render for render in self._renders if not render.taken and render.task.cancelled]
            self._renders = [render for render in self._renders if render not in dropped]
        return [render.task for render in dropped]
