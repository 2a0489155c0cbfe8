"""The server's own tasks: none of them ends unseen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glm_tts_api.engine.state import EngineUsage
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.scraping import Scrape


class EngineWithAFault(ToneEngine):
    is_mended = False

    @property
    def usage(self) -> EngineUsage | None:
        if not self.is_mended:
            raise ZeroDivisionError
        return super().usage


def test_a_task_that_ends_by_an_error_is_told_in_health_and_begun_again(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glm_tts_api.api.app_state._AGAIN_S", 0.01)
    monkeypatch.setattr("glm_tts_api.api.app_state._TOLD_S", 1.0)
    engine = EngineWithAFault()
    with serve(engine).client() as client:

        def warnings() -> list[str]:
            told: list[str] = client.get("/api/v1/health").raise_for_status().json()["warnings"]
            return told

        wait_until(lambda: "figures of engines and jobs" in " ".join(warnings()))
        engine.is_mended = True
        wait_until(lambda: not warnings())
        assert Scrape(client.get("/metrics").text)("decode_rows", worker="0") == 20
