"""Puts each fault of tests/simulation/faults back into a copy of the package, and looks for it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_MOST_S = 120


def find_all(names: Sequence[str]) -> int:
    """Prints for each fault whose file's name begins with one of `names` its seed, the seconds until it was
    found, and what the judge said. Returns 1 if one is not found."""
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
    began = time.monotonic()
    of_engine = ["engine"] if patch.name.startswith("engine") else []
    command = [sys.executable, "-m", "tests.simulation", *of_engine, str(_MOST_S)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = re.search(r"^FAIL: seed (\d+), after .*? s: (.*)", done.stdout, re.MULTILINE)
    result = f"seed {said[1]}: {said[2][:160]}" if said else f"not found {done.stderr[-300:]}"
    print(f"{patch.stem}: {diff.splitlines()[0]}\n    {time.monotonic() - began:.0f} s, {result}", flush=True)
    return said is not None
