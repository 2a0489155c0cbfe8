"""deploy/kubernetes is what the schemas of Kubernetes allow, and names routes and settings of this server."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from glm_tts_api.api_server import create_app
from glm_tts_api.settings import Settings

MANIFESTS = Path(__file__).parents[2] / "deploy/kubernetes"
VERSION = "1.33"  # the oldest that is still supported by many providers


def documents(name: str) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all((MANIFESTS / name).read_text())


def of_kind(name: str, kind: str) -> dict[str, Any]:
    (document,) = (document for document in documents(name) if document["kind"] == kind)
    return document


def pods_of_ray() -> list[dict[str, Any]]:
    cluster = of_kind("rayservice.yaml", "RayService")["spec"]["rayClusterConfig"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def container() -> dict[str, Any]:
    (only,) = of_kind("glm-tts.yaml", "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("name", ["glm-tts.yaml", "autoscaling.yaml"])
def test_every_document_follows_its_schema(name: str) -> None:
    for document in documents(name):
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_the_pods_of_the_ray_service_follow_the_schema_too() -> None:
    for spec in pods_of_ray():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray"}, "spec": spec}
        kubernetes_validate.validate(pod, VERSION, strict=True)


def test_the_probes_ask_routes_that_the_server_has(tmp_path: Path) -> None:
    routes = create_app(Settings.load(tmp_path)).openapi()["paths"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert "get" in routes[container()[probe]["httpGet"]["path"]], probe


def test_the_settings_are_the_servers() -> None:
    names = {name.upper() for name in Settings.model_fields}
    assert of_kind("glm-tts.yaml", "ConfigMap")["data"].keys() <= names


def test_ray_finds_the_application_with_the_settings_of_its_pods(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="the extra cluster is not installed: pip install '.[cluster]'")
    monkeypatch.chdir(tmp_path)
    for variable in pods_of_ray()[0]["containers"][0]["env"]:
        monkeypatch.setenv(variable["name"], variable["value"])
    config = yaml.safe_load(of_kind("rayservice.yaml", "RayService")["spec"]["serveConfigV2"])
    (entry,) = config["applications"]
    module, _, name = entry["import_path"].partition(":")
    application = getattr(importlib.import_module(module), name)({})
    replicas = application._bound_deployment
    assert replicas.ray_actor_options["num_gpus"] == 1
    assert replicas._deployment_config.autoscaling_config.max_replicas == 8


def test_a_pod_has_the_time_that_it_may_take_to_drain() -> None:
    pod = of_kind("glm-tts.yaml", "Deployment")["spec"]["template"]["spec"]
    drain_s = int(of_kind("glm-tts.yaml", "ConfigMap")["data"]["DRAIN_TIMEOUT"])
    pause_s = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= pause_s + drain_s + 10


def test_the_autoscaler_asks_for_the_figure_that_the_adapter_makes() -> None:
    (metric,) = of_kind("autoscaling.yaml", "HorizontalPodAutoscaler")["spec"]["metrics"]
    (rule,) = yaml.safe_load((MANIFESTS / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
