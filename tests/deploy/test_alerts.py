"""deploy/prometheus is what Prometheus takes; each alert fires when it should and is quiet when it should
be."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

PROMETHEUS = Path(__file__).parents[2] / "deploy/prometheus"

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool: apt install promtool"
)


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        ["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_is_valid() -> None:
    assert "is valid" in promtool("check", "config", "prometheus.yml")


def test_each_alert_fires_and_is_quiet_on_series_made_for_it() -> None:
    promtool("test", "rules", "alerts_test.yml")
    rules = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]
    cases = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    for rule in rules:
        outcomes = {
            bool(expected["exp_alerts"])
            for case in cases
            for expected in case["alert_rule_test"]
            if expected["alertname"] == rule["alert"]
        }
        assert outcomes == {True, False}, rule["alert"]
