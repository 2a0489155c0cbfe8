"""Overload, deadlines and clients that leave, as a client sees them; the engine speaks tones on demand."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from glm_tts_api.errors import InternalFault
from glm_tts_api.settings import VERIFY_TOKEN
from tests.api.raw_client import ask_for_speech, connected
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine
from tests.scraping import Scrape

Serve = Callable[..., Running]


def test_the_lanes_of_an_engine_with_fewer_rows_have_fewer_places(serve: Serve) -> None:
    server = serve(ToneEngine(n_rows=16), ToneEngine(n_rows=20))
    with server.client() as client:
        body = client.get("/api/v1/stats/concurrency").json()
        told = Scrape(client.get("/metrics").text)
    lanes = ("short_text", "long_text")
    assert [[each[lane]["limit"] for lane in lanes] for each in body["per_worker"]] == [[12, 4], [15, 5]]
    assert [body["stats"][lane]["limit"] for lane in lanes] == [27, 9]
    assert body["config"]["concurrency"] == {"short_text": 15, "long_text": 5, "threshold": 200}
    assert told("lane_limit", worker="0", lane="short_text") == 12


def test_a_spent_deadline_is_408_and_stops_the_work(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=30, freeing_s=600), medium_text_timeout=0.3)
    answer = server.say("x" * 51)
    assert (answer.status_code, answer.json()["code"]) == (408, "deadline_passed")
    assert "within 0.3 s (MEDIUM_TEXT_TIMEOUT)" in answer.json()["message"]
    assert "Nothing was spoken yet." in answer.json()["message"]
    assert server.lane()["active"] == 1  # the engine still holds the job
    server.engine.release()
    server.wait_for_lane(active=0, timed_out=1, total=1)
    assert (server.engine.n_stopped, server.engine.n_spoken) == (1, 0)


def test_the_sentence_that_proves_a_restart_waits_behind_nobody(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "0123456789abcdef0123"
    monkeypatch.setenv(VERIFY_TOKEN, token)
    server = serve(ToneEngine(delay_s=600), short_text_concurrency=1, queue_max_size=0)
    with ThreadPoolExecutor() as pool, server.client(headers={"X-Verify-Token": token}) as verifier:
        speaking = pool.submit(server.say)
        server.wait_for_lane(active=1)
        assert server.say().status_code == 503
        fields = {"input_text": "hello", "index": "exampleA"}
        server.engine.delay_s = 0
        assert verifier.post("/api/v1/tts", data=fields).status_code == 200
        server.engine.release()
        assert speaking.result().status_code == 200
    server.wait_for_lane(total=1, rejected=1)


def test_a_client_that_leaves_stops_the_work(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=30), short_text_concurrency=1)
    with ExitStack() as stack:
        for _ in range(3):
            ask_for_speech(stack.enter_context(connected(int(server.url.rpartition(":")[2]))))
        server.wait_for_lane(active=1, waiting=2)
    server.wait_for_lane(active=0, waiting=0, cancelled=3)
    assert server.engine.n_spoken == 0
    server.engine.delay_s = 0
    assert server.say().status_code == 200


@pytest.mark.parametrize(
    "fault",
    [RuntimeError("secret /path/of/ours"), InternalFault("Something went wrong")],
    ids=["bug", "known"],
)
def test_a_fault_of_ours_is_500_without_a_trace_and_the_server_goes_on(
    serve: Serve, fault: Exception
) -> None:
    server = serve(ToneEngine(fault=fault))
    answer = server.say()
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
    server.engine.fault = None
    assert server.say().status_code == 200
    server.wait_for_lane(failed=1, active=0)
