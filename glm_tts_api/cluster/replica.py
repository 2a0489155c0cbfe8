"""The server as a Ray Serve application: what a replica runs, how many replicas there are, and how many
requests each may take."""

from __future__ import annotations

from typing import Any

import ray
from fastapi import FastAPI
from ray import serve

from glm_tts_api.api.app_state import AppState
from glm_tts_api.api_server import EngineBuilder, create_app
from glm_tts_api.cluster.metrics import ClusterStats
from glm_tts_api.errors import Unhealthy
from glm_tts_api.logs import configure_logging
from glm_tts_api.settings import Settings

APP_NAME = "glm-tts"
# The share of a replica's places that should be taken on average, so that a burst finds free places.
_TARGET_LOAD = 0.7
_REFUSALS = 64  # requests beyond lanes and queues, so that the replica itself refuses and health probes pass
_UPSCALE_DELAY_S, _DOWNSCALE_DELAY_S = 10, 300  # replicas load slowly: added fast, removed late
_STOP_MARGIN_S = 10  # added to the time to drain, for freeing the model


class Replica:
    """The methods that Ray calls on a replica. serve.ingress adds the HTTP application."""

    app: FastAPI

    async def check_health(self) -> None:
        """Raises Unhealthy if this replica can no longer speak; Ray then starts another one. A replica that
        drains, or that loads its model again after IDLE_UNLOAD_S, is healthy."""
        parts: AppState = self.app.state.parts
        if parts.speech.status == "unhealthy":
            raise Unhealthy(f"{parts.speech.status}: {parts.speech.engines.state.cause}")


def deployment(settings: Settings, *, build_engine: EngineBuilder | None = None) -> Any:
    """Returns the serve.Deployment of the server. Each replica gets a copy of `settings`, so the paths in
    them must be valid on every node. `build_engine` makes a replica's engine; None makes an engine
    process."""
    settings = settings.model_copy(update={"workers": 1})

    def build_app() -> FastAPI:
        configure_logging(as_json=settings.log_format == "json", with_texts=settings.log_text)
        return create_app(settings, build_engine=build_engine, with_others=lambda own: ClusterStats(own).read)

    lanes = settings.admission
    places = sum(lanes.limits.values())
    return serve.deployment(
        serve.ingress(build_app)(Replica),
        name=APP_NAME,
        max_ongoing_requests=places + 2 * lanes.queue_size + _REFUSALS,
        max_queued_requests=places + 2 * lanes.queue_size,
        backpressure_config={"status_code": 503, "retry_after_s": 5},
        graceful_shutdown_timeout_s=settings.drain_timeout + _STOP_MARGIN_S,
        autoscaling_config={
            "min_replicas": settings.min_replicas,
            "max_replicas": settings.max_replicas,
            "target_ongoing_requests": _TARGET_LOAD * places,
            "upscale_delay_s": _UPSCALE_DELAY_S,
            "downscale_delay_s": _DOWNSCALE_DELAY_S,
        },
        ray_actor_options=_device(settings),
    )


def application(_: dict[str, str]) -> Any:
    """Returns the serve.Application for a Serve config file (as KubeRay has), with the settings of the
    environment. Raises StartupError."""
    return deployment(Settings.load()).bind()


def _device(settings: Settings) -> dict[str, int]:
    """Returns the resources that a replica reserves on its node: one GPU, or as many CPU cores as the replica
    computes with."""
    if settings.device == "cpu" or (settings.device == "auto" and not ray.cluster_resources().get("GPU")):
        return {"num_cpus": settings.cpu_threads}
    return {"num_gpus": 1}
