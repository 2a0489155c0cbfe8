"""Two clients of one server with the bundled model: many requests of one, and a single one of the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from glm_tts_api.settings import BUNDLED_MODEL
from tests.api.running import Running
from tests.api.test_with_the_model import start

N_FLOOD, N_PLACES = 20, 15
MANY = 10  # of the flood's requests; where the clients share nothing but the places, 15 end first


def say(server: Running, address: str, seed: int) -> bytes:
    with server.client(headers={"X-Forwarded-For": address}) as client:
        fields = {"input_text": "你好，很高兴认识你。", "index": "exampleA", "seed": str(seed)}
        answer = client.post("/api/v1/tts", data={**fields, "response_format": "wav"})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_single_request_is_answered_before_most_of_another_clients_and_sounds_the_same(
    tmp_path: Path,
) -> None:
    for server in start(tmp_path, BUNDLED_MODEL):
        alone = say(server, "192.0.2.1", 7)
        with ThreadPoolExecutor(N_FLOOD) as pool:
            flood = [pool.submit(say, server, "192.0.2.2", seed) for seed in range(N_FLOOD)]
            server.wait_for_lane(active=N_PLACES, waiting=N_FLOOD - N_PLACES)
            n_before = sum(each.done() for each in flood)
            assert say(server, "192.0.2.1", 7) == alone
            assert sum(each.done() for each in flood) - n_before < MANY
