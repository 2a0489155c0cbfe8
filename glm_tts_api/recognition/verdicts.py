"""Converts the recogniser's verdicts to the form in which answers and files show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from glm_tts_api.contracts import VERDICTS, Verified


def listed(found: Mapping[int, Verified]) -> list[dict[str, Any]]:
    """Returns the verdicts in the order of the segments, as dictionaries with the segment's number and the
    fields of Verified. `found` has the verdicts by the segment's number."""
    return [{"segment": segment, **asdict(each)} for segment, each in sorted(found.items())]


def told(found: Mapping[int, Verified]) -> dict[str, Any]:
    """Returns how many units have each verdict, and the list of the units whose verdict is not ok."""
    counts = Counter(each.verdict for each in found.values())
    doubtful = {unit: each for unit, each in found.items() if each.verdict != "ok"}
    return {"count": {verdict: counts[verdict] for verdict in VERDICTS}, "doubtful": listed(doubtful)}
