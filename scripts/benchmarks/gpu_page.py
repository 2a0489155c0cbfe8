"""What scripts/gpu_check.sh found, on one page that can be pasted into an issue."""

from __future__ import annotations

import platform
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from glm_tts_api import __version__
from glm_tts_api.model.gpus import driver_version
from scripts.benchmarks.gpu_serving import Load

Verdict = Literal["PASS", "FAIL", "-"]
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the page; "-" where nothing can be said without a GPU."""

    what: str
    verdict: Verdict
    seen: str


def found(what: str, passed: bool, seen: str, *, device: torch.device) -> Finding:
    return Finding(what, "-" if device.type == "cpu" else "PASS" if passed else "FAIL", seen)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(
    device: torch.device, size: str, findings: Sequence[Finding], loads: Sequence[Load], memory: str
) -> str:
    return "\n".join(
        [
            "# GPU check",
            "",
            *_machine(device),
            f"- glm-tts-api {__version__}{_revision()}; random weights of the {size} sizes",
            "",
            table(
                ("check", "verdict", "seen"),
                sorted((each.what, each.verdict, each.seen) for each in findings),
            ),
            "",
            table(
                ("requests at once", "of", "RTF p95", "audio s/s", "first audio p95 s", "latency p50 s"),
                [
                    (each.concurrency, each.n_requests, each.rtf_p95, each.audio_s_per_s,
                     each.first_audio_p95, each.latency_p50)
                    for each in loads
                ],
            ),
            "",
            memory,
            "",
            verdict(device, findings),
        ]
    )  # fmt: skip


def verdict(device: torch.device, findings: Sequence[Finding]) -> str:
    failed = [each.what for each in findings if each.verdict == "FAIL"]
    if failed:
        return f"**FAIL**: {'; '.join(failed)}"
    return "**PASS**" if device.type == "cuda" else "**NO GPU**: these figures say nothing about one"


def from_junit(report: Path, device: torch.device, *, rows: dict[str, str]) -> list[Finding]:
    """From pytest's JUnit report: all of them in a row, and rows of their own for the tests named."""
    outcomes: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        name = case.get("name", "?").partition("[")[0]
        outcomes[name] = "failed" if "failed" in (outcome, outcomes.get(name)) else outcome
    ran = {name: outcome for name, outcome in outcomes.items() if outcome != "skipped"}
    failed = [name for name, outcome in ran.items() if outcome == "failed"]
    summary = f"{len(ran) - len(failed)} passed, {len(outcomes) - len(ran)} skipped"
    findings = []
    for what, name in rows.items():
        outcome = outcomes.get(name, "not there")
        findings.append(found(what, outcome == "passed", f"{name}: {outcome}", device=device))
    seen = f"{summary}, failed: {', '.join(failed)}" if failed else summary
    return [*findings, found("every test marked gpu", bool(ran) and not failed, seen, device=device)]


def _machine(device: torch.device) -> list[str]:
    lines = []
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        lines.append(
            f"- {properties.name}, compute capability {properties.major}.{properties.minor},"
            f" {properties.total_memory / _GIB:.1f} GiB"
        )
    else:
        lines.append("- no GPU: this ran on the CPU")
    cudnn = torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else "none"
    lines.append(f"- NVIDIA driver {driver_version() or 'none'}")
    lines.append(f"- PyTorch {torch.__version__}, CUDA {torch.version.cuda or 'none'}, cuDNN {cudnn}")
    lines.append(f"- Python {platform.python_version()}, {platform.platform()}")
    return lines


def _revision() -> str:
    """The commit, in a clone."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f" ({done.stdout.strip()})"


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
