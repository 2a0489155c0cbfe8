"""Whose turn it is to be rendered: by due time, in order of arrival among equals, and never not at all."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from glm_tts_api.engine.render_scheduler import RenderScheduler


@dataclass(eq=False)
class Task:
    """A stand-in for a Span."""

    name: str
    due: float = math.inf
    n_steps: int = 1
    cancelled: bool = False
    is_background: bool = False
    client: str = ""
    tokens: Sequence[int] = (0,)
    progress: int = 0
    taken: bool = False

    @property
    def request(self) -> Task:
        return self

    speech = voice = request
    speech_tokens = ()


def step(scheduler: Any, *, render: Task | None = None) -> str:
    """Takes a step of a render, or of the next one. Returns its name if it has ended with this step, else an
    empty one."""
    render = render or scheduler.take()
    assert render is not None
    render.progress += 1
    ended = render.progress >= render.n_steps
    scheduler.give_back(render, ended=ended)
    return render.name if ended else ""


def order_of_ends(scheduler: Any) -> list[str]:
    """Steps each render as often as its longest task says, one step a turn."""
    ended: list[str] = []
    while (render := scheduler.take()) is not None:
        ended += filter(None, [step(scheduler, render=render)])
    return ended


def scheduler_of(*tasks: Task) -> Any:
    scheduler = cast(Any, RenderScheduler())
    for task in tasks:
        scheduler.add(task)
    return scheduler


def test_background_work_has_the_turns_that_nobody_else_takes_and_none_while_it_is_paused() -> None:
    book = Task("book", due=0, n_steps=3, is_background=True)
    scheduler = scheduler_of(book, *(Task(f"request {at}", n_steps=20) for at in range(2)))
    scheduler.background_paused = True
    assert order_of_ends(scheduler) == ["request 0", "request 1"]
    assert scheduler.take() is None
    scheduler.background_paused = False
    assert order_of_ends(scheduler) == ["book"]


def test_a_second_thread_never_works_for_a_client_while_another_has_none() -> None:
    scheduler = scheduler_of(*(Task("flood", due=0, client="flood") for _ in range(40)))
    scheduler.add(Task("single", due=1000, n_steps=10, tokens=range(1000), client="single"))
    at_work = [scheduler.take(), scheduler.take()]
    for _ in range(18):
        assert {render.client for render in at_work} == {"flood", "single"}
        step(scheduler, render=at_work.pop(0))
        at_work.append(scheduler.take())


@given(st.integers(), st.integers(2, 6))
def test_clients_that_always_have_renders_have_equal_shares_of_the_work(seed: int, n_clients: int) -> None:
    draw, clients = random.Random(seed), [f"client {number}" for number in range(n_clients)]

    def task(client: str) -> Task:
        return Task(
            client, draw.random(), draw.randint(1, 12), client=client, tokens=range(draw.randint(1, 50))
        )

    scheduler = scheduler_of(*(task(client) for client in clients for _ in range(draw.randint(1, 15))))
    worked = Counter[str]()
    for _ in range(400):
        render = scheduler.take()
        assert render
        worked[render.client] += len(render.tokens)
        if step(scheduler, render=render):
            scheduler.add(task(render.client))
        assert max(worked.values()) - min(worked[client] for client in clients) <= 2 * 50


@given(st.integers(), st.integers(1, 30))
def test_a_client_alone_has_every_turn_by_due_time_and_each_fourth_by_arrival(
    seed: int, n_tasks: int
) -> None:
    draw = random.Random(seed)
    tasks = [Task(str(at), draw.random(), draw.randint(1, 9), client="alone") for at in range(n_tasks)]
    waiting, left = list(tasks), {task.name: task.n_steps for task in tasks}
    expected = list[str]()
    while waiting:
        expected.append((waiting[0] if len(expected) % 4 == 3 else min(waiting, key=lambda it: it.due)).name)
        left[expected[-1]] -= 1
        waiting = [task for task in waiting if left[task.name]]
    scheduler, order = scheduler_of(*tasks), list[str]()
    while (render := scheduler.take()) is not None:
        order.append(render.name)
        step(scheduler, render=render)
    assert order == expected
