"""When Ray is told to put another replica in the place of one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from glm_tts_api.api_server import create_app
from glm_tts_api.engine.state import EngineState, Status
from glm_tts_api.errors import Unhealthy
from glm_tts_api.settings import Settings
from tests.api.project_folder import project
from tests.api.tone_engine import ToneEngine


def check_health(status: Status, root: Path) -> None:
    from glm_tts_api.cluster.replica import Replica

    engine = ToneEngine(state=EngineState(status, "a cause"))
    replica = Replica()
    replica.app = create_app(Settings.load(project(root)), build_engine=lambda *_: engine)

    async def check() -> None:
        async with replica.app.router.lifespan_context(replica.app):
            await replica.check_health()

    asyncio.run(check())


@pytest.mark.parametrize("status", ["ready", "idle", "loading"])
def test_a_replica_that_will_speak_is_left_alone(
    status: Status, ray_environment: None, tmp_path: Path
) -> None:
    check_health(status, tmp_path / "project")


@pytest.mark.parametrize("status", ["stalled", "failed"])
def test_one_that_does_not_speak_is_replaced(status: Status, ray_environment: None, tmp_path: Path) -> None:
    with pytest.raises(Unhealthy, match="a cause"):
        check_health(status, tmp_path / "project")
