"""Whose turn it is to be rendered: by due time, in order of arrival among equals, and never not at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from glm_tts_api.engine.render_scheduler import RenderScheduler


@dataclass(eq=False)
class Task:
    name: str
    due: float = math.inf
    n_steps: int = 1
    cancelled: bool = False
    gives_way: bool = False


def order_of_ends(scheduler: RenderScheduler[Task]) -> list[str]:
    """Steps each render as often as its longest task says, one step a turn."""
    ended: list[str] = []
    while (render := scheduler.take()) is not None:
        render.progress = (render.progress or 0) + 1
        if render.progress == render.task.n_steps:
            scheduler.remove(render)
            ended.append(render.task.name)
        else:
            scheduler.put_back(render)
    return ended


def scheduler_of(*tasks: Task) -> RenderScheduler[Task]:
    scheduler: RenderScheduler[Task] = RenderScheduler(lambda task: task.gives_way)
    for task in tasks:
        scheduler.add(task)
    return scheduler


@given(st.integers(1, 30), st.integers(1, 12))
def test_tasks_alike_end_in_the_order_in_which_they_came(n_tasks: int, n_steps: int) -> None:
    tasks = [Task(str(index), due=60.0 + index, n_steps=n_steps) for index in range(n_tasks)]
    assert order_of_ends(scheduler_of(*tasks)) == [task.name for task in tasks]


def test_one_that_is_due_sooner_goes_past_those_that_have_begun() -> None:
    scheduler = scheduler_of(*(Task(f"long {index}", due=600, n_steps=10) for index in range(5)))
    render = scheduler.take()
    assert render is not None
    render.progress = 1
    scheduler.put_back(render)
    scheduler.add(Task("short", due=60, n_steps=10))
    assert order_of_ends(scheduler)[0] == "short"


def test_one_that_gives_way_has_the_turns_that_nobody_else_takes() -> None:
    book = Task("book", due=0, n_steps=3, gives_way=True)
    scheduler = scheduler_of(book, *(Task(f"request {at}", n_steps=20) for at in range(2)))
    assert order_of_ends(scheduler) == ["request 0", "request 1", "book"]


def test_one_that_gives_way_has_no_turn_while_it_rests() -> None:
    scheduler = scheduler_of(Task("book", gives_way=True))
    scheduler.rests = True
    assert not scheduler.busy
    assert scheduler.take() is None
    scheduler.rests = False
    assert order_of_ends(scheduler) == ["book"]


def test_a_long_text_gets_on_beside_short_ones_that_never_cease() -> None:
    scheduler = scheduler_of(Task("long", due=600, n_steps=10))
    for turn in range(100):
        scheduler.add(Task("short", due=60 + turn))
        render = scheduler.take()
        assert render is not None
        if render.task.name == "short":
            scheduler.remove(render)
            continue
        render.progress = (render.progress or 0) + 1
        if render.progress == 10:
            return
        scheduler.put_back(render)
    raise AssertionError("the long text was never done")


def test_what_someone_is_at_is_given_to_nobody_else() -> None:
    scheduler = scheduler_of(Task("a"), Task("b"))
    first, second = scheduler.take(), scheduler.take()
    assert first is not None
    assert second is not None
    assert first is not second
    assert scheduler.take() is None
    assert not scheduler.busy
    scheduler.put_back(first)
    assert scheduler.busy
    assert scheduler.take() is first


def test_cancelled_renders_are_dropped() -> None:
    gone, kept = Task("gone", cancelled=True), Task("kept")
    scheduler = scheduler_of(gone, kept)
    assert scheduler.drop_cancelled() == [gone]
    assert order_of_ends(scheduler) == ["kept"]
