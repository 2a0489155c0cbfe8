"""Reads Prometheus' text format as its own client does."""

from __future__ import annotations

import math

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scrape:
    """One answer of /metrics; series without their prefix."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples: Samples = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = sample.name.removeprefix("glm_tts_")
                self.samples[name, frozenset(sample.labels.items())] = sample.value

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of all samples of the series that have these labels; not a number if there are none."""
        found = [
            value
            for (series, have), value in self.samples.items()
            if series == name and labels.items() <= have
        ]
        return math.fsum(found) if found else math.nan
