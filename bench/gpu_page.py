"""Formats the results of scripts/gpu_check.sh as one Markdown page that can be pasted into an issue."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.gpu_timing import GIB
from glm_tts_api import __version__
from glm_tts_api.model.placement import driver_version

Figures = Mapping[str, float | str]
_SMI = (
    "clocks.sm", "clocks.max.sm", "clocks.mem", "power.limit", "mig.mode.current", "memory.used",
    "utilization.gpu",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A measured row of the page.

    `goal` maps a figure's label to its goal: "<= 3", ">= 40", or the exact value. `must` says that the whole
    check fails if a goal is missed.
    """

    what: str
    figures: Figures
    floor: Figures
    goal: Mapping[str, str]
    must: bool = False

    @property
    def missed(self) -> list[str]:
        """The labels of the figures that miss their goal. A figure that was not measured misses its goal."""
        return [label for label, goal in self.goal.items() if not _meets(self.figures.get(label), goal)]

    def verdict(self, device: torch.device) -> str:
        """Returns "PASS", "missed" or "FAIL" (if `must`), or "-" on a CPU and for a row without a goal."""
        if device.type == "cpu" or not self.goal:
            return "-"
        return ("FAIL" if self.must else "missed") if self.missed else "PASS"


def failed(what: str, error: BaseException) -> Line:
    """Returns the page's line for the row named `what` whose measurement raised `error`."""
    said = f"{type(error).__name__}: {error}".partition("\n")[0].replace("|", "/")[:200]
    return Line(what, {"error": said}, {}, {"error": "none"}, must=True)


def _meets(value: float | str | None, goal: str) -> bool:
    sign, _, limit = goal.partition(" ")
    if sign == "<=":
        return isinstance(value, float | int) and value <= float(limit)
    if sign == ">=":
        return isinstance(value, float | int) and value >= float(limit)
    return value == goal


def page(device: torch.device, machine: Sequence[str], lines: Sequence[Line], rest: str) -> str:
    rows = [
        (line.what, _cell(line.figures), _cell(line.floor), _cell(line.goal), line.verdict(device))
        for line in lines
    ]
    return "\n".join(
        [
            "# GPU check",
            "",
            *machine,
            "",
            table(("what", "measured", "floor", "goal", ""), rows),
            "",
            rest,
            "",
            verdict(device, lines),
        ]
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verdict(device: torch.device, lines: Sequence[Line]) -> str:
    wrong = [line.what for line in lines if line.must and line.missed]
    if device.type == "cpu":
        return "**NO GPU**: these figures say nothing about one"
    return f"**FAIL**: {'; '.join(wrong)}" if wrong else "**PASS**"


def from_junit(report: Path) -> list[Line]:
    """Reads pytest's JUnit report, and returns a line for each test file: the passed and the failed tests.

    The line of a file that needs a missing library says that it was left out.
    """
    files: dict[str, list[tuple[str, str]]] = {}
    lines = []
    for case in ElementTree.parse(report).iter("testcase"):
        missing = re.search(r"ModuleNotFoundError: (.*)", case.findtext("error", ""))
        if missing:
            file = case.get("name", "?").removeprefix("tests.")
            lines.append(Line(f"tests, {file}", {"left out": missing[1]}, {}, {}))
            continue
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        file = case.get("classname", "?").removeprefix("tests.")
        files.setdefault(file, []).append((outcome, case.get("name", "?")))
    for file, cases in sorted(files.items()):
        figures: dict[str, float | str] = {
            kind: sum(outcome == kind for outcome, _ in cases) for kind in ("passed", "skipped")
        }
        wrong = [name.replace("|", "/") for outcome, name in cases if outcome == "failed"]
        figures["failed"] = ", ".join(wrong) or "none"
        lines.append(Line(f"tests, {file}", figures, {}, {"failed": "none"}, must=True))
    return lines


def describe(device: torch.device) -> list[str]:
    """Returns Markdown lines about the machine: the GPU and its present use, the driver and the software."""
    lines = ["- no GPU: this ran on the CPU"]
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        lines = [
            f"- {properties.name}, compute capability {properties.major}.{properties.minor},"
            f" {properties.total_memory / GIB:.1f} GiB, {properties.multi_processor_count} SMs,"
            f" {'bfloat16' if bf16 else 'no bfloat16'}",
            f"- nvidia-smi: {_smi(device)}",
        ]
    cudnn = torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else "none"
    lines.append(f"- NVIDIA driver {driver_version() or 'none'}; {len(os.sched_getaffinity(0))} CPU cores")
    lines.append(f"- PyTorch {torch.__version__}, CUDA {torch.version.cuda or 'none'}, cuDNN {cudnn}")
    lines.append(f"- glm-tts-api {__version__}{_revision()}; random weights of the official sizes")
    lines.append(f"- Python {platform.python_version()}, {platform.platform()}")
    return lines


def _smi(device: torch.device) -> str:
    uuid = torch.cuda.get_device_properties(device).uuid
    options = (f"--id=GPU-{uuid}", f"--query-gpu={','.join(_SMI)}", "--format=csv,noheader")
    said = _output("nvidia-smi", *options).strip() or "no answer"
    return ", ".join(f"{name} {value.strip()}" for name, value in zip(_SMI, said.split(","), strict=False))


def _revision() -> str:
    """Returns the commit in parentheses, or "" outside of a git clone."""
    said = _output("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty").strip()
    return f" ({said})" if said else ""


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _cell(figures: Figures) -> str:
    return "; ".join(f"{label}: {_number(value)}" for label, value in figures.items())


def _number(value: float | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
