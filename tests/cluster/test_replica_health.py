"""When Ray is told to put another replica in the place of one."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path

import pytest

from glm_tts_api.api_server import create_app
from glm_tts_api.engine.state import EngineState, Status
from glm_tts_api.errors import Unhealthy
from glm_tts_api.settings import Settings
from tests.api.project_folder import project
from tests.api.tone_engine import ToneEngine


@pytest.mark.parametrize("status", ["ready", "idle", "loading", "stalled", "failed"])
def test_a_replica_that_cannot_speak_is_replaced(
    status: Status, ray_environment: None, tmp_path: Path
) -> None:
    from glm_tts_api.cluster.replica import Replica

    engine = ToneEngine(state=EngineState(status, "a cause"))
    replica = Replica()
    settings = Settings.load(project(tmp_path / "project"))
    replica.app = create_app(settings, build_engine=lambda *_: engine)

    async def check() -> None:
        async with replica.app.router.lifespan_context(replica.app):
            await replica.check_health()

    is_refused = pytest.raises(Unhealthy, match="a cause")
    with is_refused if status in ("stalled", "failed") else nullcontext():
        asyncio.run(check())
