"""Rows: one per request, the rest lent in turns and given back to newcomers."""

from __future__ import annotations

from glm_tts_api.engine.scheduler import Scheduler


def test_every_request_gets_a_row_before_anyone_borrows() -> None:
    scheduler: Scheduler[str] = Scheduler(4)
    for request in "abc":
        scheduler.admit(request)
    given = scheduler.assign({"a": 5, "b": 5, "c": 1})
    assert given[:3] == [("a", 0), ("b", 1), ("c", 2)]
    assert given[3:] == [("a", 3)]
    assert scheduler.n_busy == 4


def test_spare_rows_are_lent_in_turns() -> None:
    scheduler: Scheduler[str] = Scheduler(8)
    for request in "ab":
        scheduler.admit(request)
    given = [request for request, _ in scheduler.assign({"a": 9, "b": 9})]
    assert given.count("a") == given.count("b") == 4
    assert given[2:] in (list("ababab"), list("bababa"))


def test_a_newcomer_finds_a_reserved_row() -> None:
    scheduler: Scheduler[str] = Scheduler(4, n_reserved=1)
    scheduler.admit("long")
    assert len(scheduler.assign({"long": 99})) == 3
    scheduler.admit("new")
    assert scheduler.assign({"long": 96, "new": 1}) == [("new", 3)]


def test_a_borrowed_row_gives_way_at_the_next_segment() -> None:
    scheduler: Scheduler[str] = Scheduler(2)
    scheduler.admit("long")
    assert len(scheduler.assign({"long": 5})) == 2
    scheduler.admit("new")
    assert scheduler.assign({"long": 3, "new": 1}) == []
    scheduler.release(1)
    assert scheduler.assign({"long": 3, "new": 1}) == [("new", 1)]
