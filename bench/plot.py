"""Draws a benchmark's figures as a PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def _bars(kind: str, result: dict[str, Any]) -> tuple[list[str], list[float], str]:
    if kind == "decode":
        labels = ["baseline", *(f"{n} rows" for n in result["rows"])]
        return labels, [result["baseline_tps"], *(row["tps"] for row in result["rows"].values())], "tokens/s"
    if kind == "flow":
        labels = ["baseline", *(f"batch {n}" for n in result["batches"])]
        values = [result["baseline_s"], *(row["s_per_item"] for row in result["batches"].values())]
        return labels, values, "seconds a segment"
    if kind == "text":
        labels = [f"{row['rules']}\n{row['text']}" for row in result["rows"]]
        return labels, [row["median_ms"] for row in result["rows"]], "ms for 1,000 characters"
    if kind == "official":
        rows = result["dtypes"]
        parts = ("alone", "at_once", "stream", "streams_at_once")
        labels = [f"{dtype}\n{part.replace('_', ' ')}" for dtype in rows for part in parts]
        return labels, [row[part]["rtf"] for row in rows.values() for part in parts], "RTF"
    if kind == "start":
        runs = result["ready_s"]
        return [f"run {number}" for number in range(1, len(runs) + 1)], runs, "seconds until it is ready"
    if kind == "fair":
        parts = ("answer_idle_s", "answer_beside_s", "first_audio_idle_s", "first_audio_beside_s")
        values = [max(each) if isinstance(each := result[part], list) else each for part in parts]
        return [part.removesuffix("_s").replace("_", " ") for part in parts], values, "seconds, worst"
    if kind == "work":
        labels = [f"{row['audio_s']:g} s\n{row['chunks'] or 'whole'}" for row in result["rows"]]
        return labels, [row["to_whole"] for row in result["rows"]], "times the whole answer's work"
    labels = [f"{row['concurrency']} at once" for row in result.get("streams") or result["levels"]]
    if "streams" in result:
        return (
            labels,
            [row["first_audio_p50_s"] for row in result["streams"]],
            "seconds until the first audio",
        )
    return labels, [row["audio_s_per_s"] for row in result["levels"]], "audio seconds per second"


def draw(kind: str, result: dict[str, Any], path: Path) -> None:
    labels, values, unit = _bars(kind, result)
    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    axes.bar_label(axes.bar(labels, values), fmt="%.3g")
    axes.set_ylabel(unit)
    axes.set_title(f"bench.py {kind}")
    figure.savefig(path, dpi=120)
