"""Two replicas of the server on one Ray node, speaking tones. Long form: scripts/checks/test_cluster.sh."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from tests.api.socket_client import SENTENCES, TONE_BYTES, heard, talking, tell, write
from tests.api.waiting import wait_until
from tests.recordings import voice_wav

if TYPE_CHECKING:
    from tests.cluster.local_cluster import LocalCluster

TEXT = {"input_text": "hello", "index": "exampleA"}
LIMITS: dict[str, Any] = {"short_text_concurrency": 2, "queue_max_size": 1}  # of each of the two replicas


@pytest.fixture(scope="module")
def cluster(ray_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    from tests.cluster.local_cluster import Tones, local_cluster

    with local_cluster(tmp_path_factory.mktemp("cluster"), nodes=1, num_cpus=2) as cluster:
        tones = Tones({"n_segments": 3, "segment_s": 0.7, "freeing_s": 0.1}, cluster.go_on)
        cluster.deploy(tones, min_replicas=2, max_replicas=2, **LIMITS)
        cluster.wait_for_replicas(2)
        yield cluster


def say_together(cluster: LocalCluster, n: int, **fields: Any) -> list[Future[httpx.Response]]:
    def say() -> httpx.Response:
        return httpx.post(f"{cluster.url}/api/v1/tts", data={**TEXT, **fields}, timeout=60, trust_env=False)

    pool = ThreadPoolExecutor(n)
    return [pool.submit(say) for _ in range(n)]


def test_the_guides_curl_and_the_openai_client_need_not_know(cluster: LocalCluster) -> None:
    command = ["curl", "--noproxy", "*", "-s", "-X", "POST", f"{cluster.url}/api/v1/tts"]
    fields = ["-F", "input_text=测试文本", "-F", "index=exampleA", "-F", "sample_rate=24000"]
    answer = subprocess.run([*command, *fields], capture_output=True, timeout=60, check=True)
    assert json.loads(answer.stdout)["success"] is True

    http = openai.DefaultHttpxClient(trust_env=False)
    with openai.OpenAI(base_url=f"{cluster.url}/v1", api_key="any", http_client=http) as client:
        speech = client.audio.speech.create(model="tts-1", voice="alloy", input="hi", response_format="pcm")
    assert len(speech.content) == 3 * 24000
    assert len(speech.response.headers.get_list("x-request-id")) == 1


def test_a_stream_is_heard_while_it_is_made_and_ends_when_its_listener_leaves(cluster: LocalCluster) -> None:
    before = cluster.lane()
    # A minute of speech: each replica's figures of the other may be a second old.
    speech = {"model": "tts-1", "voice": "alloy", "input": "hi\n" * 30, "response_format": "pcm"}
    with cluster.http.stream("POST", "/v1/audio/speech", json=speech) as answer:
        chunks = answer.iter_raw()  # kept: one that is let go closes the connection
        first = next(chunks)
        wait_until(lambda: cluster.lane()["active"] == 1)
    assert len(first) == 24000
    wait_until(lambda: cluster.lane()["cancelled"] == before["cancelled"] + 1)
    wait_until(lambda: cluster.lane()["active"] == 0)


def test_the_websocket_speaks_and_a_cancel_frees_the_place(
    cluster: LocalCluster,
) -> None:
    before = sum(cluster.exact_totals().values())
    with talking(cluster.url) as client:
        write(client, SENTENCES[0])
        tell(client, "flush")
        _, audio = heard(client, "flushed")
        assert len(audio) == 3 * TONE_BYTES
        write(client, SENTENCES[1])
        tell(client, "flush")
        heard(client, "segment.start")
        tell(client, "cancel")
        heard(client, "cancelled")
        wait_until(lambda: cluster.lane()["active"] == 0)
        tell(client, "end")
        heard(client, "done")
    assert sum(cluster.exact_totals().values()) == before + 2


def test_both_replicas_speak_and_each_soon_tells_of_both(cluster: LocalCluster) -> None:
    before = cluster.exact_totals()
    answers = [answer.result() for answer in say_together(cluster, 4)]
    assert {answer.status_code for answer in answers} == {200}
    after = cluster.exact_totals()
    assert sum(after.values()) == sum(before.values()) + 4
    assert all(after[pid] > before[pid] for pid in before)
    right: set[int] = set()

    def told_by_each() -> bool:
        stats = cluster.stats()
        told = {replica["pid"]: replica["short_text"]["total"] for replica in stats["per_worker"]}
        if told == after:
            right.add(stats["worker"]["pid"])
        return right == after.keys()

    wait_until(told_by_each)
    metrics = cluster.http.get("/metrics").text
    for replica in cluster.replicas():
        assert f'glm_tts_worker_ready{{worker="{replica["slot"]}"}} 1.0' in metrics


def test_a_full_line_is_refused_by_the_replica_in_our_shape(cluster: LocalCluster) -> None:
    begun = say_together(cluster, 16, input_text="hello\n" * 30)
    wait_until(lambda: sum(answer.done() for answer in begun) >= 10)  # those that are refused
    cluster.go_on.touch()
    answers = [answer.result() for answer in begun]
    cluster.go_on.unlink()
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(answers) - len(refused) >= 6  # two speak and one waits, in each of two
    assert refused
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "queue_full")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_voice_added_by_way_of_one_is_spoken_by_both(cluster: LocalCluster) -> None:
    added = cluster.http.post(
        "/api/v1/prompts",
        data={"index": "shared", "prompt_text": "what is said"},
        files={"prompt_audio": voice_wav(2.0)},
    )
    assert added.status_code == 201, added.text
    before = cluster.exact_totals()
    answers = [answer.result() for answer in say_together(cluster, 4, index="shared")]
    assert {answer.status_code for answer in answers} == {200}
    after = cluster.exact_totals()
    assert all(after[pid] > before[pid] for pid in before)


def test_a_replica_that_is_killed_answers_503_and_another_takes_its_place(cluster: LocalCluster) -> None:
    begun = say_together(cluster, 4, input_text="hello\n" * 30)  # a minute: time to find one that speaks
    killed = cluster.kill_one_that_speaks()
    cluster.go_on.touch()
    answers = [answer.result() for answer in begun]
    refused = [answer for answer in answers if answer.status_code != 200]
    codes = [answer.json()["code"] for answer in refused]
    # What had not begun may find the other replica's line full.
    assert "replica_lost" in codes
    assert {*codes} <= {"replica_lost", "queue_full"}
    for answer in refused:
        assert answer.status_code == 503
        latest = 1 if answer.json()["code"] == "replica_lost" else 60  # of a full line, by its pace
        assert 1 <= int(answer.headers["Retry-After"]) <= latest
        assert answer.headers["X-Request-Id"] == answer.json()["request_id"]
    assert cluster.http.post("/api/v1/tts", data=TEXT).status_code == 200
    wait_until(lambda: killed not in [replica["pid"] for replica in cluster.replicas()])
    cluster.wait_for_replicas(2)
