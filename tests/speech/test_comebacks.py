"""When refused clients come back: a simulation of a lane, in its own time."""

from __future__ import annotations

import heapq

import pytest

from glm_tts_api.speech.comeback import MOST_S, Comebacks


def tries_of(n_clients: int, *, n_places: int, queue: int, held_s: float) -> list[int]:
    """How many tries each of the clients needs that come at once to a lane whose pace is known."""
    lane, tries = Comebacks(), [0] * n_clients
    lane.measure(held_s)
    places: list[float] = []  # since when each is held
    waiting: list[int] = []
    events = [(number * 1e-3, "comes", number) for number in range(n_clients)]
    while events:
        now, kind, number = heapq.heappop(events)
        if kind == "comes":
            tries[number] += 1
            if len(places) == n_places and len(waiting) == queue:
                heapq.heappush(events, (now + lane.next(now, places), "comes", number))
                continue
            waiting.append(number)
        else:
            places.remove(now - held_s if now - held_s in places else min(places))
            lane.measure(held_s)
        while waiting and len(places) < n_places:
            waiting.pop(0)
            places.append(now)
            heapq.heappush(events, (now + held_s, "leaves", -1))
    return tries


@pytest.mark.parametrize("queue", [0, 1, 4])
@pytest.mark.parametrize("held_s", [0.3, 8.0])
def test_refused_together_they_all_speak_at_their_second_try(queue: int, held_s: float) -> None:
    """openai's client tries three times; all at 5, 10 s would leave eight of these unheard."""
    assert max(tries_of(20 if held_s < 1 else 12, n_places=4, queue=queue, held_s=held_s)) <= 2


def test_no_two_come_back_together() -> None:
    lane = Comebacks()
    times = [lane.next(100.0, [99.0] * 4) for _ in range(40)]
    assert len(set(times)) == 40
    assert all(0 < each <= MOST_S for each in times)


def test_a_lane_slower_than_it_was_says_so() -> None:
    lane = Comebacks()
    lane.measure(1.0)
    quick = lane.next(0.0, [0.0])
    assert lane.next(1000.0, [980.0]) > 10 * quick
