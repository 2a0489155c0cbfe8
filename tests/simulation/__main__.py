"""python -m tests.simulation [engine] SECONDS [SEED] | [engine] seeds N [SEED] | [engine] seed SEED
python -m tests.simulation faults [NAME...]

scripts/checks/simulate.sh says what each is."""

from __future__ import annotations

import gc
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.simulation import virtual

_ROOT = Path(__file__).parents[2]
_COPIED = "glm_tts_api speech_text tests/simulation tests/api/project_folder.py tests/recordings.py"
_FAULT_S = 120  # in which a fault should be found
_MOST_S = 60  # of one seed: the code under test may be in a loop


def _stuck(*_: object) -> None:
    raise virtual.StuckError(f"the seed takes more than {_MOST_S} s of CPU")


def simulated(world: Any) -> BaseException | None:
    """Runs the world of one seed. Returns the fault that was found."""
    signal.signal(signal.SIGPROF, _stuck)
    signal.setitimer(signal.ITIMER_PROF, _MOST_S)
    gc.disable()  # what it ends would depend on the memory of earlier seeds
    gc.freeze()
    try:
        world.run()
    except (Exception, virtual.StuckError) as error:
        return error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        gc.collect()
    return None


def simulate(of: str, first: int, *, most: float = 1e9, seconds: float = 1e9, shows: bool = False) -> int:
    """Runs one seed after the other from `first` on, and prints what they reached; or the first fault, and
    returns 1."""
    worlds: Any = import_module(f"tests.simulation.{of}_world")
    began, n, hours = time.process_time(), 0, 0.0
    reached, waits = Counter[str](), dict[str, tuple[float, int]]()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        while n == 0 or (n < most and time.process_time() - began < seconds):
            fault = simulated(world := worlds.World(first + n, Path(folder)))
            took_s = time.process_time() - began
            if shows:
                print("\n".join(world.events))
            if fault is not None:
                traceback.print_exception(fault)
                print(f"FAIL: seed {world.seed}, after {took_s:.1f} s of CPU: {fault}")
                print(f"again: bash scripts/checks/simulate.sh {of} seed {world.seed}")
                return 1
            n += 1
            hours += (world.clock.now - virtual.BEGIN_S) / 3600
            reached += world.reached
            for kind, wait in world.waits.items():
                waits[kind] = max(waits.get(kind, (0.0, 0)), (wait, world.seed))
    for name, times in sorted(reached.items()):
        print(f"  {name}: {times}")
    for kind, (wait, seed) in sorted(waits.items()):
        print(f"longest {kind}: {wait:.1f} s (seed {seed})")
    print(
        f"{n} seeds from {first} on, {hours:.0f} simulated hours in {took_s:.0f} s of CPU; "
        f"{len(reached)} states and failpoints; no fault"
    )
    return 0


def find(names: Sequence[str]) -> int:
    """Puts each fault of tests/simulation/faults whose file's name begins with one of `names` back into a
    copy of the package. Prints its seed, the seconds until it was found, and what the judge said. Returns
    how many are not found."""
    missing = 0
    patches = sorted((_ROOT / "tests/simulation/faults").glob("*.patch"))
    for patch in (each for each in patches if each.name.startswith(tuple(names))):
        of = "engine" if patch.name.startswith("engine") else "server"
        command = [sys.executable, "-m", "tests.simulation", of, str(_FAULT_S)]
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cp", "-r", "--parents", *_COPIED.split(), folder], cwd=_ROOT, check=True)
            subprocess.run(["patch", "-sp1", "-i", str(patch)], cwd=folder, check=True)
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        said = re.search(r"^FAIL: (seed .*)", done.stdout, re.MULTILINE)
        result = said[1][:180] if said else f"not found {done.stderr[-300:]}"
        print(f"{patch.stem}: {patch.read_text().splitlines()[0]}\n    {result}", flush=True)
        missing += said is None
    return missing


def main(arguments: list[str]) -> int:
    of = arguments.pop(0) if arguments[0] in ("engine", "server") else "server"
    match arguments:
        case ["faults", *names]:
            return find(names or [""])
        case ["seed", seed]:
            return simulate(of, int(seed), most=1, shows=True)
        case ["seeds", n, *first]:
            return simulate(of, int(first[0]) if first else 1, most=int(n))
        case [seconds, *first]:
            return simulate(of, int(first[0]) if first else 1, seconds=float(seconds))
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
