"""Reads golden files (inputs and outputs of the published code), and collects the results of comparisons."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from torch import Tensor

Verdict = Literal["PASS", "FAIL"]
Numbers = Tensor | npt.NDArray[Any] | Sequence[float] | float


class Golden:
    """A golden file, .npz or .json, read as a mapping. Strings inside an .npz file are parsed as JSON."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        self._data: dict[str, Any] = {}
        if path.suffix == ".json":
            self._data = json.loads(path.read_text(encoding="utf-8"))
        else:
            with np.load(path) as archive:
                self._data = {key: _plain(archive[key]) for key in archive.files}

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def keys(self) -> list[str]:
        return list(self._data)

    @property
    def meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = self._data["meta"]
        return meta

    @property
    def cases(self) -> list[Any]:
        """The list of cases, which stands under the file's key `cases`, or under `cases` inside `meta`."""
        cases: list[Any] = self._data["cases"] if "cases" in self._data else self.meta["cases"]
        return cases


def _plain(array: npt.NDArray[Any]) -> Any:
    return json.loads(str(array)) if array.dtype.kind == "U" else array


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One line of the report. `tokens` counts the matched and the expected tokens, or is None."""

    component: str
    case: str
    verdict: Verdict
    reason: str = ""
    max_abs: float | None = None
    relative: float | None = None
    tokens: tuple[int, int] | None = None

    def line(self) -> str:
        errors = f"max_abs={_figure(self.max_abs)} rel={_figure(self.relative)}"
        tokens = "-" if self.tokens is None else f"{self.tokens[0]}/{self.tokens[1]}"
        reason = f" {self.reason}" if self.reason else ""
        return f"{self.component:<14} {self.case:<30} {errors} tokens={tokens:<9} {self.verdict}{reason}"


def _figure(value: float | None) -> str:
    return "-".ljust(8) if value is None else f"{value:.2e}"


class Case:
    """Collects the comparisons of one case. The result shows the largest errors and all failed comparisons.

    Each comparison returns whether it holds, so that a case can skip the steps that depend on it.
    """

    def __init__(self, component: str, case: str) -> None:
        self.component, self.case = component, case
        self._max_abs: float | None = None
        self._relative: float | None = None
        self._tokens: tuple[int, int] | None = None
        self._failures: list[str] = []
        self._notes: list[str] = []

    def close(self, what: str, actual: Numbers, expected: Numbers, *, atol: float) -> bool:
        """Checks that `actual` and `expected` have the same shape and differ by at most `atol` in each
        value."""
        a, b = _array(actual), _array(expected)
        if a.shape != b.shape:
            return self.holds(False, f"{what}: shape {list(a.shape)}, expected {list(b.shape)}")
        if not a.size:
            return True
        error = float(np.abs(a - b).max())
        self._max_abs = _larger(self._max_abs, error)
        self._relative = _larger(self._relative, error / max(float(np.abs(b).max()), 1e-30))
        return self.holds(error <= atol, f"{what}: {error:.3g} > {atol:g}")  # a NaN fails too

    def snr(self, what: str, actual: Numbers, expected: Numbers, *, above: float) -> bool:
        """Checks that the shapes are equal, and that the signal-to-noise ratio is more than `above` dB."""
        a, b = _array(actual), _array(expected)
        if a.shape != b.shape:
            return self.holds(False, f"{what}: shape {list(a.shape)}, expected {list(b.shape)}")
        noise, signal = float(((a - b) ** 2).sum()), float((b**2).sum())
        ratio = 10 * math.log10(max(signal, 1e-30) / max(noise, 1e-30)) if math.isfinite(noise) else -math.inf
        self._max_abs = _larger(self._max_abs, float(np.abs(a - b).max(initial=0.0)))
        self._relative = _larger(self._relative, math.sqrt(noise / max(signal, 1e-30)))
        self.note(f"{what} {ratio:.1f} dB")
        return self.holds(ratio > above, f"{what}: {ratio:.1f} dB, wanted more than {above:g}")

    def same(self, what: str, actual: Sequence[Any], expected: Sequence[Any]) -> bool:
        """Checks that two sequences (of tokens, ids or strings) are equal.

        The numbers of equal and of expected elements are added to the result's count of tokens.
        """
        matched = sum(a == b for a, b in zip(actual, expected, strict=False))
        before = self._tokens or (0, 0)
        self._tokens = (before[0] + matched, before[1] + len(expected))
        equal = list(actual) == list(expected)
        first = next((i for i, (a, b) in enumerate(zip(actual, expected, strict=False)) if a != b), matched)
        return self.holds(
            equal, f"{what}: differs at {first} (lengths {len(actual)} and {len(expected)} expected)"
        )

    def holds(self, condition: bool, otherwise: str) -> bool:
        if not condition:
            self._failures.append(otherwise)
        return condition

    def note(self, text: str) -> None:
        self._notes.append(text)

    def result(self) -> CaseResult:
        verdict: Verdict = "FAIL" if self._failures else "PASS"
        reason = "; ".join(self._failures or self._notes)
        return CaseResult(
            self.component, self.case, verdict, reason, self._max_abs, self._relative, self._tokens
        )


def _array(values: Numbers) -> npt.NDArray[np.float64]:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def _larger(so_far: float | None, value: float) -> float:
    return value if so_far is None or not value <= so_far else so_far
