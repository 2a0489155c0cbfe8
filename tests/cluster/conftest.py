"""For clusters of this machine alone, with the projects and the engine of tests/api."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def ray_environment() -> Iterator[None]:
    """What Ray's processes are to have in their environment, and what ray reads when it is imported."""
    pytest.importorskip("ray", reason="the extra cluster is not installed: pip install '.[cluster]'")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        environment.setenv("RAY_AUTH_MODE", "disabled")
        environment.setenv("RAY_worker_niceness", "0")
        environment.setenv("RAY_SERVE_PROXY_PREFER_LOCAL_NODE_ROUTING", "0")
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("RAY_SERVE_LOG_TO_STDERR", "0")
        environment.setenv("RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S", "1")
        environment.setenv(
            "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH", "glm_tts_api.cluster.refusals:middlewares"
        )
        yield
