"""The lanes beside a model of them, in any order: requests come, go, fail, stop reading, run out of time, go
on with another engine; engines come and go."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from glm_tts_api.errors import DeadlineExceeded, NothingToSay, QueueFull
from glm_tts_api.speech.admission import Admission, AdmissionConfig, Permit
from glm_tts_api.stats.figures import LANES, LaneName
from tests.speech.lanes import counted

LENGTHS = st.sampled_from([5, 60, 500])  # characters: short, medium, long
SECONDS = st.sampled_from([0.0, 45.0, 90.0, 200.0])
PICK = st.integers(0, 1000)
OUTCOMES: dict[type[BaseException], str] = {
    NothingToSay: "failed",
    DeadlineExceeded: "timed_out",
    asyncio.CancelledError: "cancelled",
    QueueFull: "rejected",
}


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time goes on when it is told to."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def settle(self) -> None:
        """Runs whatever can run now."""

        async def others_first() -> None:
            for _ in range(20):
                await asyncio.sleep(0)

        self.run_until_complete(others_first())


class Client:
    """A request that does as it is ordered, and the engine that works for it until `let_go`."""

    def __init__(self, admission: Admission, n_chars: int, *, loop: Clock) -> None:
        self.lane = admission.config.measure(n_chars).lane
        self.due = loop.time() + admission.config.measure(n_chars).timeout_s
        self.unread_since: float | None = None
        self.let_go: Callable[[], None] | None = None
        self.permit: Permit | None = None
        self.first_engine: int | None = None
        self.has_moved = False
        self.engine_works = False
        self._loop = loop
        self._orders: asyncio.Queue[str] = asyncio.Queue()
        self.task = loop.create_task(self._run(admission, n_chars))

    @property
    def waits(self) -> bool:
        return not self.task.done() and self.let_go is None

    @property
    def has_place(self) -> bool:
        return self.let_go is not None and (self.engine_works or not self.task.done())

    @property
    def engine(self) -> int:
        """The first where it has none."""
        return 0 if self.permit is None else self.permit.engine

    @property
    def outcome(self) -> str | None:
        if not self.task.done():
            return None
        if self.task.cancelled():
            return "cancelled"
        error = self.task.exception()
        return "completed" if error is None else OUTCOMES[type(error)]

    def order(self, what: str) -> None:
        if self.unread_since is not None:
            self.due += self._loop.time() - self.unread_since
        self.unread_since = self._loop.time() if what == "stop reading" else None
        self._orders.put_nowait(what)

    async def _run(self, admission: Admission, n_chars: int) -> None:
        arrived_at = self._loop.time()
        async with admission.admit(admission.config.measure(n_chars), arrived_at=arrived_at) as permit:
            self.let_go, self.engine_works = permit.hold(), True
            self.permit, self.first_engine = permit, permit.engine
            while (order := await self._orders.get()) != "end":
                while order == "stop reading":
                    with permit.waiting_for_client():
                        order = await self._orders.get()
                if order == "fail":
                    raise NothingToSay("nothing")
                if order == "end":
                    return


class Lanes(RuleBasedStateMachine):
    """`clients` in the order in which they came; `ranks`: of each engine, as speech/engines.py has them."""

    @initialize(
        engines=st.integers(1, 3), short=st.integers(1, 2), long=st.integers(1, 2), line=st.integers(0, 3)
    )
    def open(self, engines: int, short: int, long: int, line: int) -> None:
        self.ranks = [3] * engines
        self.config = AdmissionConfig(short_limit=short, long_limit=long, queue_size=line)
        self.loop = Clock()
        self.admission = Admission(self.config, engines, lambda number: self.ranks[number])
        self.clients: list[Client] = []

    def teardown(self) -> None:
        """When all have left, every place can be taken again."""
        for client in self.clients:
            client.task.cancel()
            if client.let_go is not None:
                client.let_go()
        self.ranks = [1] * len(self.ranks)
        self.loop.settle()
        for engine in range(len(self.ranks)):
            for counts in self.admission.counts_on(engine).values():
                assert (counts["active"], counts["waiting"]) == (0, 0)
        places = [5] * self.config.short_limit + [500] * self.config.long_limit
        new = [Client(self.admission, n_chars, loop=self.loop) for n_chars in places * len(self.ranks)]
        self.loop.settle()
        assert all(client.has_place for client in new)
        for client in new:
            client.order("end")
        self.loop.settle()
        self.loop.close()

    def having(self, holds: Callable[[Client], bool], lane: str | None = None) -> list[Client]:
        return [client for client in self.clients if holds(client) and lane in (None, client.lane)]

    def n_taken(self, engine: int, lane: str) -> int:
        return len(self.having(lambda client: client.has_place and client.engine == engine, lane))

    def is_free(self, engine: int, lane: LaneName) -> bool:
        """Whether the engine has a place for a request that comes now."""
        return self.ranks[engine] > 0 and self.n_taken(engine, lane) < self.config.limit_of(lane)

    @rule(n_chars=LENGTHS)
    def come(self, n_chars: int) -> None:
        lane = self.config.measure(n_chars).lane
        free = [engine for engine in range(len(self.ranks)) if self.is_free(engine, lane)]
        is_full = not free
        is_full &= len(self.having(lambda client: client.waits, lane)) >= self.config.queue_size
        client = Client(self.admission, n_chars, loop=self.loop)
        self.clients.append(client)
        self.loop.settle()
        assert (client.outcome == "rejected") == is_full
        if client.has_place:
            assert self.ranks[client.engine] == max(self.ranks[engine] for engine in free)

    @rule(pick=PICK, rank=st.integers(0, 3))
    def an_engine_comes_or_goes(self, pick: int, rank: int) -> None:
        self.ranks[pick % len(self.ranks)] = rank
        self.admission.look_again()
        self.loop.settle()

    @precondition(lambda self: self.having(lambda client: client.has_place and not client.task.done()))
    @rule(pick=PICK, to=PICK)
    def go_on_with_another_engine(self, pick: int, to: int) -> None:
        working = self.having(lambda client: client.has_place and not client.task.done())
        client = working[pick % len(working)]
        assert client.permit is not None
        client.permit.move_to(to % len(self.ranks))
        client.has_moved = True
        self.loop.settle()

    @precondition(lambda self: self.having(lambda client: not client.task.done()))
    @rule(pick=PICK)
    def leave(self, pick: int) -> None:
        here = self.having(lambda client: not client.task.done())
        here[pick % len(here)].task.cancel()
        self.loop.settle()

    @precondition(lambda self: self.having(lambda client: client.has_place and not client.task.done()))
    @rule(pick=PICK, what=st.sampled_from(["end", "fail", "stop reading", "stop reading", "read", "read"]))
    def go_on(self, pick: int, what: str) -> None:
        working = self.having(lambda client: client.has_place and not client.task.done())
        working[pick % len(working)].order(what)
        self.loop.settle()

    @precondition(lambda self: self.having(lambda client: client.engine_works))
    @rule(pick=PICK)
    def engine_lets_go(self, pick: int) -> None:
        held = self.having(lambda client: client.engine_works)
        client = held[pick % len(held)]
        assert client.let_go is not None
        client.engine_works = False
        client.let_go()
        client.let_go()
        self.loop.settle()

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.loop.now += seconds
        self.loop.settle()

    @invariant()
    def the_deadline_ends_those_that_are_beyond_it_and_no_others(self) -> None:
        for client in self.having(lambda client: not client.task.done()):
            assert client.unread_since is not None or self.loop.now < client.due
        for client in self.having(lambda client: client.outcome == "timed_out"):
            assert self.loop.now >= client.due

    @invariant()
    def no_engine_has_more_than_its_places_but_for_what_moved_to_it(self) -> None:
        for lane in LANES:
            given = Counter(
                client.engine
                for client in self.having(lambda client: client.has_place, lane)
                if not client.has_moved
            )
            assert max(given.values(), default=0) <= self.config.limit_of(lane)

    @invariant()
    def nobody_waits_while_an_engine_has_a_place(self) -> None:
        for lane in LANES:
            if self.having(lambda client: client.waits, lane):
                assert not any(self.is_free(engine, lane) for engine in range(len(self.ranks)))

    @invariant()
    def nobody_is_let_in_before_one_who_came_earlier(self) -> None:
        for lane in LANES:
            line = [c.waits for c in self.having(lambda c: c.waits or c.let_go is not None, lane)]
            assert line == sorted(line)

    @invariant()
    def the_figures_are_those_of_the_clients(self) -> None:
        for engine in range(len(self.ranks)):
            for lane, counts in self.admission.counts_on(engine).items():
                here = self.having(lambda client: True, lane)
                outcomes = Counter(
                    client.outcome
                    for client in here
                    if client.outcome is not None and client.engine == engine
                )
                assert counts == counted(
                    active=self.n_taken(engine, lane),
                    waiting=0 if engine else sum(client.waits for client in here),
                    total=sum(client.first_engine == engine for client in here),
                    **outcomes,
                )


TestAnyOrder = Lanes.TestCase
TestAnyOrder.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
