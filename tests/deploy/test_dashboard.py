"""A real Prometheus scrapes a server, with the configuration of deploy/: no panel of the dashboard is
empty."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.api.project_folder import project
from tests.api.running import Running, running_app
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.scripts.own_project import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/dashboard.json").read_text())

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs Prometheus: apt install prometheus"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = project(tmp_path_factory.mktemp("server") / "project", metrics_key="k3y")
    with running_app(root, lambda *_: ToneEngine()) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(DEPLOY / "prometheus/alerts.yml", folder)
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["authorization"] = {"credentials": "k3y"}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "targets.yml").write_text(yaml.safe_dump([{"targets": [server.url.removeprefix("http://")]}]))
    address = f"127.0.0.1:{free_port()}"
    options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["prometheus", *options], cwd=folder, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=60) as client:
            wait_until(lambda: is_ready(client, process, folder), 60)
            yield client
    finally:
        process.kill()
        process.wait()


def is_ready(client: httpx.Client, process: subprocess.Popen[bytes], folder: Path) -> bool:
    assert process.poll() is None, (folder / "log").read_text()
    try:
        return client.get("/-/ready").is_success and bool(values(client, 'up{job="glm-tts"} == 1'))
    except httpx.TransportError:
        return False


def values(prometheus: httpx.Client, query: str) -> list[float]:
    """Those that are a number."""
    body: dict[str, Any] = prometheus.get("/api/v1/query", params={"query": query}).json()
    assert body["status"] == "success", body
    found = (float(result["value"][1]) for result in body["data"]["result"])
    return [value for value in found if not math.isnan(value)]


def queries() -> list[str]:
    """As Grafana would send them."""
    return [
        target["expr"].replace("$instance", ".+").replace("$__rate_interval", "1m")
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    ]


def test_no_panel_of_the_dashboard_is_empty(server: Running, prometheus: httpx.Client) -> None:
    assert len(queries()) > 20
    empty = queries()

    def speak_and_look() -> bool:
        assert server.say(stream="true", response_format="mp3").status_code == 200
        empty[:] = [query for query in empty if not values(prometheus, query)]
        return not empty

    wait_until(speak_and_look, 90)


def test_promtool_finds_no_fault_in_the_metrics(server: Running) -> None:
    with server.client() as client:
        metrics = client.get("/metrics", headers={"Authorization": "Bearer k3y"}).content
    done = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_every_alert_is_watched_and_none_fires_where_nothing_is_wrong(prometheus: httpx.Client) -> None:
    assert len(rules(prometheus)) == 9
    wait_until(lambda: all(rule["health"] == "ok" for rule in rules(prometheus)))
    assert "firing" not in {rule["state"] for rule in rules(prometheus)}


def rules(prometheus: httpx.Client) -> list[dict[str, Any]]:
    (group,) = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    return list(group["rules"])
