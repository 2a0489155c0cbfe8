"""Formats the results of scripts/gpu_check.sh as one Markdown page that can be pasted into an issue."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from glm_tts_api import __version__
from glm_tts_api.model.placement import driver_version

GIB = 2**30
Figures = Mapping[str, float | str]
_SMI = "clocks.sm,clocks.max.sm,clocks.mem,power.limit,mig.mode.current,memory.used,utilization.gpu"


@dataclass(frozen=True, slots=True)
class Line:
    """A row, with its `figures` once it is measured. `goal` maps a figure's label to its goal: "<= 3",
    ">= 40", or the exact value. `must` says that the whole check fails if a goal is missed. `real` says that
    only a real card can reach the goals: on a fake one (tests/gpu_fake) kernels compute nothing."""

    what: str
    goal: Mapping[str, str] = field(default_factory=dict)
    must: bool = False
    real: bool = True
    figures: Figures = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """A figure that was not measured misses its goal."""
        if self.goal and self.real and on_a_fake():
            return "needs a real card"
        missed = any(not _meets(self.figures.get(label), goal) for label, goal in self.goal.items())
        return "-" if not self.goal else "PASS" if not missed else "FAIL" if self.must else "missed"


def on_a_fake() -> bool:
    return torch.cuda.is_available() and torch.cuda.get_device_name(0).startswith("Fake GPU")


def failed(what: str, error: BaseException) -> Line:
    """Returns the page's line for the row named `what` whose measurement raised `error`."""
    said = f"{type(error).__name__}: {error}".partition("\n")[0].replace("|", "/")[:200]
    return Line(what, {"error": "none"}, must=True, real=False, figures={"error": said})


def _meets(value: float | str | None, goal: str) -> bool:
    sign, _, limit = goal.partition(" ")
    if sign not in ("<=", ">="):
        return value == goal
    return isinstance(value, float | int) and (
        value <= float(limit) if sign == "<=" else value >= float(limit)
    )


def page(machine: Sequence[str], lines: Sequence[Line], rest: str) -> str:
    rows = [("what", "measured", "goal", ""), ("---",) * 4]
    rows += [(line.what, _cell(line.figures), _cell(line.goal), line.verdict) for line in lines]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    wrong = [line.what for line in lines if line.verdict == "FAIL"]
    verdict = f"**FAIL**: {'; '.join(wrong)}" if wrong else "**PASS**"
    return "\n\n".join(["# GPU check", "\n".join(machine), table, rest, verdict])


def describe(device: torch.device) -> list[str]:
    """Returns Markdown lines about the machine: the GPU and its present use, the driver and the software."""
    card = torch.cuda.get_device_properties(device)
    smi = _output("nvidia-smi", f"--id=GPU-{card.uuid}", f"--query-gpu={_SMI}", "--format=csv,noheader")
    revision = _output("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty")
    return [
        f"- {card.name}, sm_{card.major}{card.minor}, {card.total_memory / GIB:.1f} GiB,"
        f" {card.multi_processor_count} SMs",
        f"- nvidia-smi, {_SMI}: {smi}",
        f"- NVIDIA driver {driver_version() or 'none'}; {len(os.sched_getaffinity(0))} CPU cores",
        f"- PyTorch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}",
        f"- glm-tts-api {__version__} ({revision}); random weights",
        f"- Python {platform.python_version()}, {platform.platform()}",
    ]


def _output(*command: str) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return "no answer"
    return run.stdout.strip()


def _cell(figures: Figures) -> str:
    numbers = (
        (label, f"{value:.3g}" if isinstance(value, float) else value) for label, value in figures.items()
    )
    return "; ".join(f"{label}: {value}" for label, value in numbers)
