"""Lanes: first come first served, bounded, timed from arrival; a place is free only when the engine is."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable

import pytest

from glm_tts_api.errors import DeadlineExceeded, NothingToSay, QueueFull
from glm_tts_api.speech.admission import Admission
from glm_tts_api.speech.lane_limits import AdmissionConfig
from glm_tts_api.stats.lane_counts import LaneCounts, lane_counters

Scenario = Callable[[Admission, Callable[[], LaneCounts]], Awaitable[None]]


class ClockThatJumps(asyncio.SelectorEventLoop):
    """A loop that waits for nobody: where nothing is to be done, its clock goes on to the next timer."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(Impatient(self))

    def time(self) -> float:
        return self._now

    def go_on(self, seconds: float) -> None:
        self._now += seconds


class Impatient(selectors.SelectSelector):
    def __init__(self, loop: ClockThatJumps) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing will ever happen"
        self._loop.go_on(timeout)
        return super().select(0)


def play(scenario: Scenario, **limits: float) -> None:
    """Runs `scenario` on one engine, with a short lane of one place unless `limits` say otherwise."""
    counters = lane_counters()
    config = AdmissionConfig(**{"short_limit": 1, "long_limit": 1, **limits})  # type: ignore[arg-type]

    async def run() -> None:
        await scenario(Admission(config, [counters]), counters["short_text"].read)

    with asyncio.Runner(loop_factory=ClockThatJumps) as runner:
        runner.run(run())


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("n_chars", "lane", "timeout_s"),
    [
        (1, "short_text", 60),
        (50, "short_text", 60),
        (51, "short_text", 300),
        (200, "short_text", 300),
        (201, "long_text", 600),
    ],
)
def test_lane_and_deadline_by_length(n_chars: int, lane: str, timeout_s: float) -> None:
    config = AdmissionConfig()
    length = config.measure(n_chars)
    assert (length.lane, length.timeout_s) == (lane, timeout_s)


@pytest.mark.parametrize("limit", [{"short_limit": 0}, {"long_limit": 0}, {"queue_size": -1}])
def test_a_lane_without_a_place_is_refused(limit: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        AdmissionConfig(**limit)


def test_a_permit_tells_how_much_of_its_time_is_used_up() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        async with admission.admit(admission.config.measure(5), arrived_at=now()) as permit:
            assert permit.timeout_ratio == 0
        async with admission.admit(admission.config.measure(5), arrived_at=now() - 1800) as permit:
            assert permit.timeout_ratio == 0.5

    play(scenario, short_timeout_s=3600)


def test_an_answer_may_still_be_sent_once_the_deadline_has_passed() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        async def client() -> None:
            async with admission.admit(admission.config.measure(5), arrived_at=now()) as permit:
                try:
                    await asyncio.sleep(3600)
                finally:
                    with permit.waiting_for_client():
                        await asyncio.sleep(0)

        with pytest.raises(DeadlineExceeded):
            await client()

    play(scenario, short_timeout_s=60)


def test_first_come_first_served_and_all_counted() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        order: list[int] = []

        async def client(number: int) -> None:
            async with admission.admit(admission.config.measure(5), arrived_at=now()):
                order.append(number)
                await asyncio.sleep(0.002)

        tasks = [asyncio.create_task(client(number)) for number in range(8)]
        await asyncio.sleep(0)
        assert (counts().active, counts().waiting) == (1, 7)
        await asyncio.gather(*tasks)
        assert order == list(range(8))
        assert counts() == LaneCounts(total=8, completed=8)

    play(scenario)


def test_a_full_line_sends_away_at_once() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        async def client() -> None:
            async with admission.admit(admission.config.measure(5), arrived_at=now()):
                await asyncio.sleep(3600)

        tasks = [asyncio.create_task(client()) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull) as refusal:
            async with admission.admit(admission.config.measure(5), arrived_at=now()):
                pass
        assert refusal.value.retry_after_s
        assert (counts().active, counts().waiting, counts().rejected, counts().total) == (1, 2, 1, 1)
        async with admission.admit(admission.config.measure(500), arrived_at=now()):
            pass  # the long lane is a lane of its own
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert counts() == LaneCounts(total=1, cancelled=3, rejected=1)

    play(scenario, queue_size=2)


def test_no_line_at_all() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        async with admission.admit(admission.config.measure(5), arrived_at=now()):
            with pytest.raises(QueueFull):
                async with admission.admit(admission.config.measure(5), arrived_at=now()):
                    pass
        async with admission.admit(admission.config.measure(5), arrived_at=now()):
            pass

    play(scenario, queue_size=0)


def test_the_deadline_counts_from_arrival_and_covers_wait_and_work() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        with pytest.raises(DeadlineExceeded):  # while working
            async with admission.admit(admission.config.measure(5), arrived_at=now()):
                await asyncio.sleep(3600)
        async with admission.admit(admission.config.measure(5), arrived_at=now() + 60):
            with pytest.raises(DeadlineExceeded):  # while waiting
                async with admission.admit(admission.config.measure(5), arrived_at=now()):
                    raise AssertionError("there is no place")
        with pytest.raises(DeadlineExceeded):  # before it was let in
            async with admission.admit(admission.config.measure(5), arrived_at=now() - 61):
                await asyncio.sleep(0)
        assert (counts().timed_out, counts().active, counts().waiting) == (3, 0, 0)

    play(scenario, short_timeout_s=60)


def test_a_time_out_of_the_work_itself_is_not_the_deadline() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        with pytest.raises(TimeoutError):
            async with admission.admit(admission.config.measure(5), arrived_at=now()):
                raise TimeoutError
        assert (counts().failed, counts().timed_out) == (1, 0)

    play(scenario)


def test_the_place_is_free_only_when_the_engine_has_let_go() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        held: list[Callable[[], None]] = []

        async def client_that_runs_out_of_time() -> None:
            async with admission.admit(admission.config.measure(5), arrived_at=now()) as permit:
                held.append(permit.hold())
                await asyncio.sleep(3600)

        with pytest.raises(DeadlineExceeded):
            await client_that_runs_out_of_time()
        assert (counts().active, counts().timed_out) == (1, 1)

        async def next_client() -> None:
            async with admission.admit(admission.config.measure(60), arrived_at=now()):
                pass

        waiting = asyncio.create_task(next_client())
        await asyncio.sleep(0.01)
        assert counts().waiting == 1
        held[0]()
        held[0]()  # heard twice, it still frees one place
        await waiting
        assert (counts().active, counts().completed) == (0, 1)
        async with admission.admit(admission.config.measure(60), arrived_at=now()):
            waiting = asyncio.create_task(next_client())
            await asyncio.sleep(0)
            assert (counts().active, counts().waiting) == (1, 1)
        await waiting

    play(scenario, short_timeout_s=60)


def test_a_place_that_comes_free_as_the_next_in_line_leaves_is_for_the_one_behind() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        async def client() -> None:
            async with admission.admit(admission.config.measure(5), arrived_at=now()):
                pass

        async with admission.admit(admission.config.measure(5), arrived_at=now()):
            leaving, behind = asyncio.create_task(client()), asyncio.create_task(client())
            await asyncio.sleep(1)
            leaving.cancel()
        await behind
        assert counts() == LaneCounts(total=2, completed=2, cancelled=1)

    play(scenario)


def test_an_error_of_the_work_counts_as_failed_and_frees_the_place() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        with pytest.raises(NothingToSay):
            async with admission.admit(admission.config.measure(5), arrived_at=now()):
                raise NothingToSay("nothing")
        assert counts() == LaneCounts(total=1, failed=1)

    play(scenario)


def test_a_storm_of_cancels_loses_no_place() -> None:
    async def scenario(admission: Admission, counts: Callable[[], LaneCounts]) -> None:
        async def client() -> None:
            async with admission.admit(admission.config.measure(5), arrived_at=now()):
                await asyncio.sleep(0.001)

        for round_number in range(50):
            tasks = [asyncio.create_task(client()) for _ in range(20)]
            await asyncio.sleep(0)
            for tick in range(round_number % 7):
                await asyncio.sleep(0.0005 * tick)
            for number, task in enumerate(tasks):
                if number % 2:
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        figures = counts()
        assert (figures.active, figures.waiting) == (0, 0)
        assert figures.completed + figures.cancelled == 1000
        together = most = 0
        async with asyncio.TaskGroup() as group:

            async def last() -> None:
                nonlocal together, most
                async with admission.admit(admission.config.measure(5), arrived_at=now()):
                    together += 1
                    most = max(most, together)
                    await asyncio.sleep(0.005)
                    together -= 1

            for _ in range(9):
                group.create_task(last())
        assert most == 3

    play(scenario, short_limit=3)
