"""python -m tests.simulation SECONDS [SEED] | seeds N | seed SEED | engine ... | faults [NAME...]

scripts/checks/simulate.sh says what each is."""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.simulation import virtual

if (
    __name__ == "__main__" and os.environ.get("PYTHONHASHSEED") != "0"
):  # else sets of names have another order
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])

from tests.simulation.track_record import find_all
from tests.simulation.world import World, emptied, project_folder

_MOST_BYTES, _MOST_S = (
    4 * 2**30,
    60,
)  # of the simulation, and of one seed: the code under test may be in a loop


def simulated(seed: int, root: Path) -> tuple[World, BaseException | None]:
    """Runs one seed. Returns its world, and the fault that was found."""
    worlds: list[World] = []

    async def main(loop: virtual.VirtualLoop) -> None:
        worlds.append(World(loop, emptied(root), seed))
        await worlds[0].run()

    def stuck(*_: object) -> None:
        raise virtual.StuckError(f"the seed takes more than {_MOST_S} s of CPU")

    signal.signal(signal.SIGPROF, stuck)
    signal.setitimer(signal.ITIMER_PROF, _MOST_S)
    gc.disable()  # what it ends would depend on the memory of earlier seeds
    gc.freeze()
    fault: BaseException | None = None
    try:
        virtual.run(main, seed)
    except (Exception, virtual.StuckError) as error:
        fault = error
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    gc.collect()
    return worlds[0], fault


class Report:
    """The results of all seeds together."""

    def __init__(self, first: int) -> None:
        self.first, self.n = first, 0
        self.hours = self.skipped = 0.0
        self.began = virtual.real_time()
        self.reached = Counter[str]()
        self.waits: dict[str, tuple[float, int]] = {}

    @property
    def took_s(self) -> float:
        return virtual.real_time() - self.began

    def add(self, world: Any) -> None:
        self.n += 1
        self.hours += (world.loop.now - virtual.BEGIN_S) / 3600
        self.skipped += world.loop.skipped_s / 3600
        self.reached += world.reached
        for kind, wait in world.waits.items():
            self.waits[kind] = max(self.waits.get(kind, (0.0, 0)), (wait, world.seed))

    def show(self) -> None:
        for name, times in sorted(self.reached.items()):
            print(f"  {name}: {times}")
        for kind, (wait, seed) in sorted(self.waits.items()):
            print(f"longest {kind}: {wait:.1f} s (seed {seed})")
        print(
            f"{self.n} seeds from {self.first} on, {self.hours:.0f} simulated hours "
            f"({self.hours - self.skipped:.1f} without skipped ticks) in {self.took_s:.0f} s and "
            f"{time.process_time():.0f} s of CPU; {len(self.reached)} states and failpoints; no fault"
        )


def main(arguments: list[str]) -> int:
    simulate: Callable[[int, Path], tuple[Any, BaseException | None]] = simulated
    command = "bash scripts/checks/simulate.sh"
    if arguments[0] == "engine":
        from tests.simulation import engine_world  # which imports PyTorch

        simulate, command, arguments = engine_world.simulated, f"{command} engine", arguments[1:]
    match arguments:
        case ["faults", *names]:
            return find_all(names)
        case ["seed", seed]:
            first, most_seeds, seconds = int(seed), 1, 0.0
        case ["seeds", n]:
            first, most_seeds, seconds = 1, int(n), float("inf")
        case _:
            seconds, first = float(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1
            most_seeds = sys.maxsize
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    report = Report(first)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        project_folder(root := Path(folder))
        while report.n == 0 or (report.n < most_seeds and report.took_s < seconds):
            world, fault = simulate(first + report.n, root)
            if arguments[0] == "seed":
                print("\n".join(world.events), f"digest {world.digest:08x}", sep="\n")
            if fault is not None:
                traceback.print_exception(fault)
                print(f"FAIL: seed {world.seed}, after {report.took_s:.1f} s: {fault}")
                print(f"again: {command} seed {world.seed}")
                return 1
            report.add(world)
    report.show()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
