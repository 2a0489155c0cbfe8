"""Simulates how long users wait, by load, number of GPUs and routing (docs/capacity.md).

The simulation of discrete events uses what `bench.py serve` measured of one replica. Needs the extra
`scaling`.

    python scripts/bench.py serve --json serve.json
    python scripts/bench.py serve --stream --json streams.json
    python bench/simulate_scaling.py serve.json streams.json --plot docs/capacity.png
    python bench/simulate_scaling.py serve.json streams.json --replicas 3 --against http://localhost:8049
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import simpy

from bench.scaling.measured import Measured, read
from bench.scaling.replica import Replica, Request
from bench.scaling.routing import ROUTES, Route

SIZES = (1, 8, 100, 1000)
LOADS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_RUNS = 200  # simulations that are compared with one run of a real service
_WARM_UP = 0.2  # the share of the first requests that is not counted, since the service is still emptier


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


@dataclass(frozen=True)
class Outcome:
    """The result of a simulation.

    Times are in seconds; `refused` and `known_voices` are shares from 0 to 1.
    """

    wait_p95: float
    first_audio_p50: float
    first_audio_p95: float
    latency_mean: float
    latency_p50: float
    latency_p95: float
    refused: float
    known_voices: float


def simulate(
    service: Service, *, replicas: int, load: float, route: Route, requests: int, seed: int = 1
) -> Outcome:
    """Simulates `replicas` replicas under `requests` requests that arrive at random times.

    `load` is the requested audio per second, as a share of the audio per second that all full replicas make.
    """
    env, rng = simpy.Environment(), random.Random(seed)
    measured = service.measured
    fleet = [Replica(env, measured, places=service.places, queue=service.queue) for _ in range(replicas)]
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
            if not route(rng, fleet, request).take(request):
                refused += counts
            elif counts:
                taken.append(request)

    env.process(arrivals())
    env.run()
    return _outcome(taken, refused)


def _outcome(taken: Sequence[Request], refused: int) -> Outcome:
    first = [request.first_audio - request.arrived for request in taken]
    latency = [request.ended - request.arrived for request in taken]
    return Outcome(
        wait_p95=percentile([request.begun - request.arrived for request in taken], 0.95),
        first_audio_p50=percentile(first, 0.5),
        first_audio_p95=percentile(first, 0.95),
        latency_mean=sum(latency) / len(latency),
        latency_p50=percentile(latency, 0.5),
        latency_p95=percentile(latency, 0.95),
        refused=refused / (refused + len(taken)),
        known_voices=sum(request.knew_voice for request in taken) / len(taken),
    )


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def enough_requests(replicas: int) -> int:
    """Returns the number of requests for a p95 with two stable digits, at least 200 for each replica."""
    return max(20_000, 200 * replicas)


Table = dict[tuple[int, str, float], Outcome]


def whole_table(service: Service, sizes: Sequence[int], requests: int | None) -> Table:
    table = {}
    for replicas in sizes:
        for name, route in ROUTES.items():
            for load in LOADS if replicas > 1 or name == "random" else ():
                count = requests or enough_requests(replicas)
                found = simulate(service, replicas=replicas, load=load, route=route, requests=count)
                table[replicas, name, load] = found
                print(_row(replicas, name, load, found), flush=True)
    return table


HEAD = "GPUs  routing       load  wait p95 s  first audio p50 s  p95 s  whole p95 s  refused  voice known"


def _row(replicas: int, name: str, load: float, found: Outcome) -> str:
    return (
        f"{replicas:>4}  {name:<12}  {load:>4.0%}  {found.wait_p95:>10.2f}  {found.first_audio_p50:>17.2f}"
        f"  {found.first_audio_p95:>5.2f}  {found.latency_p95:>11.2f}  {found.refused:>7.1%}"
        f"  {found.known_voices:>11.0%}"
    )


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


def compare(url: str, service: Service, *, replicas: int, load: float, requests: int) -> None:
    """Sends requests to the real service at `url`, and prints its times beside the simulated times.

    Each of the simulations has the same number of requests. The error is that of the median simulation. The
    first fifth of the requests is left out in both.
    """
    from bench.scaling.real import ask
    from bench.serve import VOICES

    service = replace(service, voices=len(VOICES))
    measured = service.measured
    rate = load * replicas * measured.peak / measured.mean_audio_s
    heard = asyncio.run(ask(url, rate=rate, requests=requests, n_measured=measured.n_texts))
    print(f"{requests} requests, {rate:.2f} a second: {sum(one is not None for one in heard)} answered")
    answered = [one for one in heard[int(_WARM_UP * requests) :] if one]
    first, whole = [one.first_audio for one in answered], [one.whole for one in answered]
    simulated = [
        simulate(
            service, replicas=replicas, load=load, route=ROUTES["least loaded"], requests=requests, seed=seed
        )
        for seed in range(_RUNS)
    ]
    for name, seen in (
        ("first_audio_p50", percentile(first, 0.5)),
        ("first_audio_p95", percentile(first, 0.95)),
        ("latency_p50", percentile(whole, 0.5)),
        ("latency_p95", percentile(whole, 0.95)),
    ):
        said = [getattr(outcome, name) for outcome in simulated]
        low, middle, high = (percentile(said, share) for share in (0.05, 0.5, 0.95))
        print(
            f"{name}: {seen:.2f} s, simulated {middle:.2f} s ({middle / seen - 1:+.0%}; "
            f"nine of ten runs: {low:.2f} to {high:.2f} s)"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("serve", type=Path, metavar="SERVE.json", help="of bench.py serve --json")
    parser.add_argument(
        "streams", type=Path, metavar="STREAMS.json", help="of bench.py serve --stream --json"
    )
    parser.add_argument("--places", type=int, default=20, help="of a replica, both lanes")
    parser.add_argument("--queue", type=int, default=200, help="of a replica, both lanes")
    parser.add_argument("--voices", type=int, default=1000)
    parser.add_argument(
        "--voice-s", type=float, default=0.3, help="seconds that an unknown voice costs a replica"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="GPUS")
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    parser.add_argument("--against", metavar="URL", help="asks a real service, and compares")
    parser.add_argument("--replicas", type=int, default=1, help="of that service")
    parser.add_argument("--load", type=float, default=0.6, help="for that service")
    parser.add_argument("--requests", type=int, help="in each row (20,000 and more), or to that service (60)")
    return parser.parse_args()


def main() -> None:
    args = _arguments()
    measured = read(args.serve, args.streams, voice_s=args.voice_s)
    service = Service(measured, places=args.places, queue=args.queue, voices=args.voices)
    print(
        f"A full replica makes {measured.peak:.2f} s of audio a second; "
        f"an answer has {measured.mean_audio_s:.2f} s."
    )
    if args.against:
        compare(args.against, service, replicas=args.replicas, load=args.load, requests=args.requests or 60)
        return
    print(HEAD)
    table = whole_table(service, args.sizes, args.requests)
    if args.plot:
        draw(table, args.sizes, args.plot)


if __name__ == "__main__":
    main()
