"""A book with a piece that ends engines, in a real server whose engines are real processes without models."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.api.job_client import begin, look
from tests.api.server_process import Server


def test_a_piece_that_ends_engines_fails_its_job_and_requests_are_answered(
    process: Callable[..., Server],
) -> None:
    environ = {"ENGINE": "tests.engine.echo_process"}
    server = process("tests.api.real_app:app", environ=environ, short_text_timeout=600)
    server.wait_until_all_speak(240)
    job = begin(server.client, input_text="hello^")
    deadline = time.monotonic() + 240
    while look(server.client, job)["state"] != "failed":
        assert server.say().status_code == 200
        assert time.monotonic() < deadline
    assert "engines died while they spoke this text" in look(server.client, job)["message"]
    server.wait_until_all_speak(240)
    assert server.scrape()("engine_restarts_total") == 3
