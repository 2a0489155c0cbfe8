"""docs/metrics.md and its Chinese twin name every series and every alert."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glm_tts_api.stats.metrics import SERIES
from glm_tts_api.stats.workers import KeyCounts
from tests.stats.test_exposition import scrape, worker

ROOT = Path(__file__).parents[2]


_PARTS = re.compile("_(bucket|count|sum)$")


def series() -> set[str]:
    of_keys = KeyCounts()
    of_keys.add("app", "completed", 0.5)
    told = scrape(worker(), of_keys=of_keys)
    return {_PARTS.sub("", name) for name, _ in told.samples} | {one.name for one in SERIES}


@pytest.mark.parametrize("page", ["docs/metrics.md", "docs/metrics_zh.md"])
def test_the_page_names_every_series_and_every_alert(page: str) -> None:
    text = (ROOT / page).read_text()
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    alerts = set(re.findall(r"alert: (\w+)", (ROOT / "deploy/prometheus/alerts.yml").read_text()))
    assert listed == series() | alerts
