"""Simulates how long users wait, by load, number of GPUs and routing (docs/capacity.md).

The simulation of discrete events uses what `bench.py serve` measured of one replica. Needs the extra
`scaling`.

    python scripts/bench.py serve --json serve.json
    python scripts/bench.py serve --stream --json streams.json
    python -m bench.simulate_scaling serve.json streams.json --plot docs/capacity.png
"""

from __future__ import annotations

import json
import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate
from pathlib import Path

import numpy as np
import simpy

from bench.arguments import Arguments
from bench.asking import percentile

SIZES = (1, 8, 100, 1000)
LOADS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_KNOWN_VOICES = 64  # the number of voices that glm_tts_api/engine/voice_features.py caches
_WARM_UP = 0.2  # the share of the first requests that is not counted, since the service is still emptier
_OVER_MEAN = 1.25  # a voice's own replica is left if its load is more than this many times that of others


@dataclass(frozen=True)
class Measured:
    """Measurements of streamed answers of one replica.

    `audio_rate` is the audio in seconds that all requests together get per second, and `first_audio` the time
    in seconds from the beginning of a request's service to its first audio, by the number of requests in
    service. `audio_s` holds the length of every answer. `voice_s` is the time to prepare an unknown voice.
    """

    audio_rate: Mapping[int, float]
    first_audio: Mapping[int, float]
    audio_s: Sequence[float]
    voice_s: float

    @property
    def peak(self) -> float:
        """The most seconds of audio per second that a replica makes."""
        return max(self.audio_rate.values())

    @property
    def mean_audio_s(self) -> float:
        return sum(self.audio_s) / len(self.audio_s)


def read(serve: Path, streams: Path, *, voice_s: float) -> Measured:
    """Reads the measurements of one replica from two JSON files.

    `serve` comes from `bench.py serve --json` and gives the lengths of answers. `streams` comes from
    `bench.py serve --stream --json` and gives the rates, since a stream takes more work than a whole answer.
    """
    levels = json.loads(serve.read_text())["levels"]
    listened = json.loads(streams.read_text())["streams"]
    rate, first = (
        {int(level["concurrency"]): float(level[name]) for level in listened}
        for name in ("audio_s_per_s", "first_audio_p50_s")
    )
    audio_s = [audio_s for level in levels for audio_s in level["audio_s"]]
    return Measured(rate, first, audio_s, voice_s)


@dataclass(frozen=True)
class Service:
    """The properties of the simulated service.

    `places` is the number of requests that a replica serves at once, `queue` the number that may wait for it,
    both for short and long texts together. `voices` is the number of voices; the k-th is used 1/k as often as
    the first.
    """

    measured: Measured
    places: int = 20
    queue: int = 200
    voices: int = 1000

    def by_number(self, curve: Mapping[int, float]) -> list[float]:
        """Returns the values of `curve` for 0 to `places` requests in service.

        Values between the measured points are interpolated linearly, and values outside of them are constant.
        """
        return np.interp(range(self.places + 1), sorted(curve), [curve[n] for n in sorted(curve)]).tolist()


@dataclass(slots=True)
class Request:
    """A simulated request. Its times are seconds since the beginning of the simulation."""

    arrived: float
    audio_s: float
    voice: int
    begun: float = 0.0
    first_audio: float = 0.0
    ended: float = 0.0
    knew_voice: bool = False


class Replica:
    """A simulated replica, which shares its speed evenly among the requests in service.

    The unit of work is a second of audio.
    """

    def __init__(self, env: simpy.Environment, service: Service) -> None:
        self._env = env
        self._service = service
        self._rate = service.by_number(service.measured.audio_rate)
        last = max(service.measured.first_audio)
        self._first_audio_s = [  # grows in proportion beyond the measured numbers
            seconds * max(1.0, n / last)
            for n, seconds in enumerate(service.by_number(service.measured.first_audio))
        ]
        self._queue: deque[Request] = deque()
        self._running: list[tuple[float, int, Request]] = []  # a heap by the _share at which they end
        self._share = 0.0  # audio seconds that a request served since the beginning would have
        self._since = 0.0  # the time for which `_share` was computed
        self._turn = 0
        self._n_begun = 0
        self._voices: OrderedDict[int, None] = OrderedDict()

    @property
    def load(self) -> int:
        """The number of requests in service and in the queue."""
        return len(self._running) + len(self._queue)

    def take(self, request: Request) -> bool:
        """Takes a request into service or into the queue. Returns False if the queue is full."""
        if len(self._running) < self._service.places:
            self._advance()
            self._begin(request)
            self._plan()
        elif len(self._queue) < self._service.queue:
            self._queue.append(request)
        else:
            return False
        return True

    def _begin(self, request: Request) -> None:
        request.begun = self._env.now
        request.knew_voice = request.voice in self._voices
        reading_s = 0.0 if request.knew_voice else self._service.measured.voice_s
        self._voices[request.voice] = None
        self._voices.move_to_end(request.voice)
        if len(self._voices) > _KNOWN_VOICES:
            self._voices.popitem(last=False)
        self._n_begun += 1
        work = request.audio_s + reading_s * self._rate[1]
        heappush(self._running, (self._share + work, self._n_begun, request))
        request.first_audio = request.begun + reading_s + self._first_audio_s[len(self._running)]

    def _speed(self) -> float:
        n = len(self._running)
        return self._rate[n] / n if n else 0.0

    def _advance(self) -> None:
        """Computes `_share` for the present time.

        The method is called before the number of requests in service changes.
        """
        self._share += (self._env.now - self._since) * self._speed()
        self._since = self._env.now

    def _plan(self) -> None:
        """Schedules `_end` for the time at which the next request ends. A later call makes this plan void."""
        self._turn += 1
        if self._running:
            wait = max(0.0, self._running[0][0] - self._share) / self._speed()
            self._env.timeout(wait, value=self._turn).callbacks.append(self._end)

    def _end(self, event: simpy.Event) -> None:
        if event.value != self._turn:
            return
        self._advance()
        _, _, request = heappop(self._running)
        request.ended = self._env.now
        request.first_audio = min(request.first_audio, request.ended)  # for a short answer
        if self._queue:
            self._begin(self._queue.popleft())
        self._plan()


Route = Callable[[random.Random, Sequence[Replica], Request], Replica]


def at_random(rng: random.Random, replicas: Sequence[Replica], _: Request) -> Replica:
    return rng.choice(replicas)


def least_loaded(rng: random.Random, replicas: Sequence[Replica], _: Request) -> Replica:
    """Draws two replicas at random and returns the less loaded one, as Ray Serve's router does."""
    return min(rng.choice(replicas), rng.choice(replicas), key=lambda replica: replica.load)


def voice_affine(rng: random.Random, replicas: Sequence[Replica], request: Request) -> Replica:
    """Returns the replica that belongs to the request's voice, or `least_loaded` if that replica is too full.

    Too full means a load of more than 1 + _OVER_MEAN times the mean load of four random replicas.
    """
    home = replicas[request.voice * 2654435761 % 2**32 % len(replicas)]
    others = [rng.choice(replicas).load for _ in range(4)]
    if home.load <= 1 + _OVER_MEAN * sum(others) / len(others):
        return home
    return least_loaded(rng, replicas, request)


ROUTES: dict[str, Route] = {
    "random": at_random,
    "least loaded": least_loaded,
    "voice-affine": voice_affine,
}


@dataclass(frozen=True)
class Outcome:
    """The result of a simulation.

    Times are in seconds; `refused` and `known_voices` are shares from 0 to 1.
    """

    wait_p95: float
    first_audio_p50: float
    first_audio_p95: float
    latency_mean: float
    latency_p95: float
    refused: float
    known_voices: float


def simulate(
    service: Service, *, replicas: int, load: float, route: str, requests: int, seed: int = 1
) -> Outcome:
    """Simulates `replicas` replicas under `requests` requests that arrive at random times.

    `load` is the requested audio per second, as a share of the audio per second that all full replicas make.
    """
    env, rng = simpy.Environment(), random.Random(seed)
    measured = service.measured
    fleet = [Replica(env, service) for _ in range(replicas)]
    popularity = list(accumulate(1 / rank for rank in range(1, service.voices + 1)))
    a_second = load * replicas * measured.peak / measured.mean_audio_s
    taken: list[Request] = []
    refused = 0

    def arrivals() -> Iterator[simpy.Event]:
        nonlocal refused
        for number in range(requests):
            yield env.timeout(rng.expovariate(a_second))
            (voice,) = rng.choices(range(service.voices), cum_weights=popularity)
            request = Request(env.now, rng.choice(measured.audio_s), voice)
            counts = number >= _WARM_UP * requests
            if not ROUTES[route](rng, fleet, request).take(request):
                refused += counts
            elif counts:
                taken.append(request)

    env.process(arrivals())
    env.run()
    first = [request.first_audio - request.arrived for request in taken]
    latency = [request.ended - request.arrived for request in taken]
    return Outcome(
        wait_p95=percentile([request.begun - request.arrived for request in taken], 0.95),
        first_audio_p50=percentile(first, 0.5),
        first_audio_p95=percentile(first, 0.95),
        latency_mean=sum(latency) / len(latency),
        latency_p95=percentile(latency, 0.95),
        refused=refused / (refused + len(taken)),
        known_voices=sum(request.knew_voice for request in taken) / len(taken),
    )


Table = dict[tuple[int, str, float], Outcome]


def whole_table(service: Service, sizes: Sequence[int], requests: int | None) -> Table:
    print("GPUs  routing       load  wait p95 s  first audio p50 s  p95 s  whole p95 s  refused  voice known")
    table = {}
    for replicas in sizes:
        count = requests or max(20_000, 200 * replicas)  # for a p95 with two stable digits
        for name in ROUTES if replicas > 1 else ("random",):
            for load in LOADS:
                found = simulate(service, replicas=replicas, load=load, route=name, requests=count)
                table[replicas, name, load] = found
                print(
                    f"{replicas:>4}  {name:<12}  {load:>4.0%}  {found.wait_p95:>10.2f}  "
                    f"{found.first_audio_p50:>17.2f}  {found.first_audio_p95:>5.2f}  "
                    f"{found.latency_p95:>11.2f}  {found.refused:>7.1%}  {found.known_voices:>11.0%}",
                    flush=True,
                )
    return table


def draw(table: Table, sizes: Sequence[int], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(
        2, len(sizes), figsize=(12, 6), sharex=True, squeeze=False, layout="constrained"
    )
    for column, replicas in enumerate(sizes):
        for name in ROUTES:
            found = [table.get((replicas, name, load)) for load in LOADS]
            for row, figures in enumerate(("wait_p95", "first_audio_p95")):
                values = [getattr(outcome, figures) if outcome else float("nan") for outcome in found]
                panels[row][column].plot(LOADS, values, marker="o", label=name)
        panels[0][column].set_title("1 GPU" if replicas == 1 else f"{replicas} GPUs")
        panels[1][column].set_xlabel("load")
    panels[0][0].set_ylabel("wait p95, s")
    panels[1][0].set_ylabel("first audio p95, s")
    panels[0][-1].legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = Arguments(__doc__)
    parser.add_argument("serve", type=Path, metavar="SERVE.json", help="of bench.py serve --json")
    parser.add_argument(
        "streams", type=Path, metavar="STREAMS.json", help="of bench.py serve --stream --json"
    )
    parser.add_argument("--voice-s", type=float, default=0.3, help="an unknown voice costs a replica so long")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="GPUS")
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    parser.add_argument("--requests", type=int, help="in each row (20,000 and more)")
    args = parser.parse_args()
    service = Service(measured := read(args.serve, args.streams, voice_s=args.voice_s))
    print(
        f"A full replica makes {measured.peak:.2f} s of audio a second; "
        f"an answer has {measured.mean_audio_s:.2f} s."
    )
    table = whole_table(service, args.sizes, args.requests)
    if args.plot:
        draw(table, args.sizes, args.plot)


if __name__ == "__main__":
    main()
