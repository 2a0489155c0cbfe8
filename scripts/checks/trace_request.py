"""Counts, with a profiler in the server and in its engine, what one POST /api/v1/tts of five words enters.

    python -m scripts.checks.trace_request          the functions and types by room, against [tool.request]
    python -m scripts.checks.trace_request --list   also names each function, with its lines, and each type

A function counts once, however often it is called. Comprehensions and lambdas do not count. A type counts if
its `__init__` runs. The server speaks the same request twice before it is traced, so that nothing is counted
that happens once. Exit code 1: more than pyproject.toml's [tool.request] allows.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path
from statistics import median

import httpx

from bench.server import ROOT, running_server

_REQUEST = {"input_text": (None, "It costs 42 dollars."), "index": (None, "exampleA"), "seed": (None, "3")}
_PROCESSES = 2  # the server and its engine
_WAIT_S = 20


def traced() -> tuple[dict[str, int], list[str]]:
    """Speaks the request on a server of its own. Returns the lines of each function that it entered, by
    "module name", and the names of the types that were made."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(Path(__file__).with_name("tracer.py"), folder / "sitecustomize.py")
        path = os.pathsep.join([name, str(ROOT)])
        with running_server({"PYTHONPATH": path, "TRACE_FOLDER": name, "WORKERS": "1"}) as (url, _):

            def speak() -> None:
                answer = httpx.post(f"{url}/api/v1/tts", files=_REQUEST, timeout=120, trust_env=False)
                answer.raise_for_status()

            speak()
            speak()
            time.sleep(2)  # what follows an answer has ended
            (folder / "on").touch()
            time.sleep(0.5)
            speak()
            (folder / "on").unlink()
            give_up = time.monotonic() + _WAIT_S
            while len(files := [*folder.glob("*.json")]) < _PROCESSES:
                if time.monotonic() > give_up:
                    raise SystemExit("a process of the server wrote no trace")
                time.sleep(0.1)
            found = [json.loads(file.read_text()) for file in files]
    functions = {function: lines for one in found for function, lines in one["functions"].items()}
    return functions, sorted({kind for one in found for kind in one["types"]})


def _room(name: str) -> str:
    """Returns the room of a function or type: "engine" of "glm_tts_api.engine.core EngineCore.submit"."""
    package, _, rest = name.partition(".")
    return package if package != "glm_tts_api" else rest.partition(" ")[0].partition(".")[0]


def main(arguments: list[str]) -> int:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--list", action="store_true")
    listed = parser.parse_args(arguments).list
    functions, types = traced()
    if listed:
        print(*(f"{lines:4} {name}" for name, lines in sorted(functions.items())), *types, sep="\n")
    n_of = Counter(map(_room, functions))
    print(f"{len(functions)} functions entered, {len(types)} types made.")
    print(f"Lines of a function: median {median(functions.values()):g}, longest {max(functions.values())}.")
    print("Functions by room:", ", ".join(f"{room} {n}" for room, n in n_of.most_common()))
    found = {"functions": len(functions), "types": len(types), **n_of}
    allowed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["request"]
    over = [f"{name}: {found[name]}, allowed {most}" for name, most in allowed.items() if found[name] > most]
    print("\n".join(over) or "No more than [tool.request] allows.")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
