"""python -m tests.simulation [engine] SECONDS [SEED] | [engine] seeds N [SEED] | [engine] seed SEED
python -m tests.simulation faults [NAME...]

scripts/checks/simulate.sh says what each is."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.simulation import virtual

if (
    __name__ == "__main__" and os.environ.get("PYTHONHASHSEED") != "0"
):  # else sets of names have another order
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])

from tests.simulation.world import World

_ROOT = Path(__file__).parents[2]
_FAULT_S = 120  # in which a fault should be found
# Limits of the simulation, and of one seed: the code under test may be in a loop.
_MOST_BYTES, _MOST_S = 4 * 2**30, 60


def simulated(seed: int, root: Path) -> tuple[World, BaseException | None]:
    """Runs one seed. Returns its world, and the fault that was found."""

    def stuck(*_: object) -> None:
        raise virtual.StuckError(f"the seed takes more than {_MOST_S} s of CPU")

    for name in ("jobs", "run", "prompts"):
        shutil.rmtree(root / name, ignore_errors=True)
    signal.signal(signal.SIGPROF, stuck)
    signal.setitimer(signal.ITIMER_PROF, _MOST_S)
    gc.disable()  # what it ends would depend on the memory of earlier seeds
    gc.freeze()
    fault: BaseException | None = None
    virtual.follow(loop := virtual.VirtualLoop(seed))
    world = World(loop, root, seed)
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(world.run())
    except (Exception, virtual.StuckError) as error:
        fault = error
    virtual.follow(None)
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    gc.collect()
    return world, fault


def project_folder(root: Path) -> None:
    """Makes the files that each simulated server reads: one voice."""
    prompts = root / "configs" / "prompts"
    prompts.mkdir(parents=True)
    soundfile.write(prompts / "a.wav", np.sin(np.arange(8000) / 9).astype(np.float32) / 4, 8000)
    index = '{"exampleA": {"prompt_audio_path": "prompts/a.wav", "prompt_text": "text of exampleA"}}'
    (root / "configs" / "prompt_cache.json").write_text(index)


def simulate(
    one: Any,
    first: int,
    of: str,
    *,
    most_seeds: int = 10**9,
    seconds: float = 1e9,
    shows: bool = False,
) -> int:
    """Runs `one` seed after the other from `first` on, and prints what they reached; or the first fault, and
    returns 1."""
    began, hours = time.process_time(), 0.0
    reached, waits = Counter[str](), dict[str, tuple[float, int]]()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        project_folder(root := Path(folder))
        n = 0
        while n == 0 or (n < most_seeds and time.process_time() - began < seconds):
            world, fault = one(first + n, root)
            took_s = time.process_time() - began
            if shows:
                print("\n".join(world.events))
            if fault is not None:
                traceback.print_exception(fault)
                print(f"FAIL: seed {world.seed}, after {took_s:.1f} s of CPU: {fault}")
                print(f"again: bash scripts/checks/simulate.sh {of}seed {world.seed}")
                return 1
            n += 1
            hours += (world.loop.now - virtual.BEGIN_S) / 3600
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


def find_all(names: Sequence[str]) -> int:
    """Puts each fault of tests/simulation/faults whose file's name begins with one of `names` back into a
    copy of the package. Prints its seed, the seconds until it was found, and what the judge said. Returns
    1 if one is not found."""
    missing = 0
    for patch in sorted((_ROOT / "tests/simulation/faults").glob("*.patch")):
        if not names or patch.name.startswith(tuple(names)):
            with tempfile.TemporaryDirectory() as folder:
                missing += not _find(patch, Path(folder))
    return int(missing > 0)


def _find(patch: Path, folder: Path) -> bool:
    for name in ("glm_tts_api", "speech_text", "tests", "configs"):
        subprocess.run(["cp", "-rs", str(_ROOT / name), str(folder)], check=True)
    diff = patch.read_text()
    for name in set(re.findall(r"^\+\+\+ b/(\S+)", diff, re.MULTILINE)):
        (folder / name).unlink()  # was a link
        (folder / name).write_bytes((_ROOT / name).read_bytes())
    subprocess.run(["patch", "-sp1"], cwd=folder, input=diff, text=True, check=True)
    of = ["engine"] if patch.name.startswith("engine") else []
    command = [sys.executable, "-m", "tests.simulation", *of, str(_FAULT_S)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = re.search(r"^FAIL: (seed .*)", done.stdout, re.MULTILINE)
    result = said[1][:180] if said else f"not found {done.stderr[-300:]}"
    print(f"{patch.stem}: {diff.splitlines()[0]}\n    {result}", flush=True)
    return said is not None


def main(arguments: list[str]) -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = min(each for each in (_MOST_BYTES, soft, hard) if each != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    one: Any = simulated
    of = ""
    if arguments[0] == "engine":
        from tests.simulation import engine_world  # which imports PyTorch

        one, of, arguments = engine_world.simulated, "engine ", arguments[1:]
    match arguments:
        case ["faults", *names]:
            return find_all(names)
        case ["seed", seed]:
            return simulate(one, int(seed), of, most_seeds=1, shows=True)
        case ["seeds", n, *first]:
            return simulate(one, int(first[0]) if first else 1, of, most_seeds=int(n))
        case [seconds, *first]:
            return simulate(one, int(first[0]) if first else 1, of, seconds=float(seconds))
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
