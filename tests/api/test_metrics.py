"""GET /metrics as Prometheus sees it: what each API's requests add to it, who may read it, what it waits
for."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread

import pytest

from bench.loop_lag import LoopLag
from glm_tts_api.speech.request_log import Playback
from tests.api.running import Running
from tests.api.socket_client import SENTENCES, heard, talking, tell, write
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until
from tests.scraping import Scrape

Serve = Callable[..., Running]

MP3 = {"stream": "true", "response_format": "mp3"}
SPEECH = {"input": "hello", "voice": "exampleA"}


def scrape(server: Running) -> Scrape:
    with server.client() as client:
        answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return Scrape(answer.text)


def wait_for(server: Running, n_requests: int) -> Scrape:
    """The figures once that many requests are in them: just after their clients have the answers."""
    wait_until(lambda: scrape(server)("requests_total") == n_requests)
    return scrape(server)


def test_each_request_counts_by_api_lane_outcome_and_format(server: Running) -> None:
    with server.client() as client:
        client.post("/api/v1/tts", data={"input_text": "hello", "index": "exampleA"})
        client.post("/api/v1/tts", data={"input_text": "hello " * 50, "index": "exampleA", **MP3})
        client.post("/api/v1/tts", data={"input_text": "hello", "index": "nobody"})
        client.post("/api/v1/tts", content=b"{", headers={"Content-Type": "application/json"})
        client.post("/v1/audio/speech", json={**SPEECH, "response_format": "opus"})
        client.get("/tts", params={"text": "hello", "character": "exampleA"})
        client.post("/api/paas/v4/audio/speech", json={**SPEECH, "response_format": "wav"})
    with talking(server.url) as client:
        write(client, "".join(SENTENCES))
        tell(client, "end")
        heard(client, "done")
    told = wait_for(server, 10)
    for api, lane, outcome, audio_format, n in (
        ("v1", "short_text", "completed", "wav", 1),
        ("v1", "long_text", "completed", "mp3", 1),
        ("v1", "short_text", "unknown_voice", "none", 1),
        ("v1", "none", "unparsable_body", "none", 1),
        ("openai", "short_text", "completed", "opus", 1),
        ("gpt_sovits", "short_text", "completed", "pcm", 1),
        ("zhipu", "short_text", "completed", "wav", 1),
        ("socket", "short_text", "completed", "pcm", 3),
    ):
        labels = {"api": api, "lane": lane, "outcome": outcome, "format": audio_format, "worker": "0"}
        assert told("requests_total", **labels) == n, labels
    assert told("lane_admitted_total", lane="short_text") == 7
    assert told("audio_seconds_total", lane="short_text") == 3.5
    assert told("time_to_first_audio_seconds_count") == 6  # streamed ones
    assert told("real_time_factor_count") == told("stage_seconds_count", stage="queue") == 8


def test_a_stream_that_comes_slower_than_it_plays_underruns(serve: Serve) -> None:
    server = serve(ToneEngine(seconds=0.1, n_segments=3, segment_s=0.4))
    assert server.say(response_format="pcm", stream="true").status_code == 200
    told = wait_for(server, 1)
    assert told("stream_underruns_total", lane="short_text") == 2
    assert told("stream_underrun_seconds_total", lane="short_text") > 0.2
    assert server.say(response_format="pcm").status_code == 200  # whole: it is played when it is there
    assert wait_for(server, 2)("stream_underruns_total") == 2


def test_sentences_that_come_late_underrun_but_not_for_want_of_text(serve: Serve) -> None:
    server = serve(ToneEngine(delay_s=0.5, seconds=0.2))
    with talking(server.url) as client:
        write(client, "".join(SENTENCES))  # the second and third are there while the first is heard
        tell(client, "flush")
        heard(client, "flushed")
        assert wait_for(server, 3)("stream_underruns_total") == 2
        for sentence in SENTENCES:
            tell(client, "text", text=sentence)
            tell(client, "flush")
            heard(client, "flushed")
        assert wait_for(server, 6)("stream_underruns_total") == 2


def test_time_that_the_client_takes_is_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("glm_tts_api.speech.request_log.time.perf_counter", lambda: now)
    playback = Playback()
    assert playback.came(1.0) == 0  # heard from now on
    now += 1.2  # it reads nothing
    playback.passed_on()
    assert playback.came(0.1) == 0
    playback.passed_on()
    now += 1.2  # nothing is there to read
    assert playback.came(0.1) == pytest.approx(0.1)


def test_a_full_lane_holds_up_no_scrape_and_what_it_refuses_is_told(serve: Serve) -> None:
    limits = {"short_text_concurrency": 1, "queue_max_size": 0, "long_text_timeout": 0.3, "drain_timeout": 0}
    server = serve(ToneEngine(delay_s=60), **limits)
    Thread(target=server.say, daemon=True).start()
    server.wait_for_lane(active=1)
    told = scrape(server)
    assert told("lane_active", lane="short_text") == told("lane_limit", lane="short_text") == 1
    assert (server.say().status_code, server.say("long " * 50).status_code) == (503, 408)
    told = wait_for(server, 2)
    assert told("lane_rejected_total", lane="short_text") == 1
    assert told("requests_total", outcome="queue_full") == 1
    assert told("requests_total", outcome="deadline_passed", lane="long_text") == 1
    assert told("request_timeout_ratio_bucket", le="0.9") == 0


class StandsStill(ToneEngine):
    async def clear_cache(self) -> int:
        time.sleep(0.3)  # noqa: ASYNC251, the fault that is to be seen
        return 0


def test_an_event_loop_that_stood_still_is_seen(serve: Serve) -> None:
    server = serve(StandsStill())
    wait_until(lambda: scrape(server)("event_loop_lag_seconds_count") > 10)
    before = LoopLag.read(server.url)
    with server.client() as client:
        assert client.post("/api/v1/clear_cache").status_code == 200
    lag = LoopLag.read(server.url).since(before)
    assert lag.n_pauses >= 1
    assert lag.longest_below_s >= 0.5
    assert "late by more than 50 ms" in str(lag)


def test_only_its_own_key_closes_it(serve: Serve) -> None:
    open_to_all = serve(api_keys="s3cret")
    with open_to_all.client(headers={"Host": "prometheus.example.org"}) as client:
        assert client.get("/metrics").status_code == 200
    closed = serve(metrics_key="k3y", api_keys="s3cret")
    with closed.client() as client:
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer s3cret"}, 403),
            ({"Authorization": "Bearer k3y"}, 200),
        ):
            assert client.get("/metrics", headers=headers).status_code == status
        assert client.get("/api/v1/prompts", headers={"Authorization": "Bearer k3y"}).status_code == 403
