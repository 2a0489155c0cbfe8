"""JSON of very many values is refused before it is parsed, and long texts in JSON are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from glm_tts_api.api.routes import FILES_IN_JSON
from glm_tts_api.api.v1.job_files import PATH
from tests.api.running import Running
from tests.api.server_process import Server
from tests.api.test_hostile_bodies import refused

LISTS, STRINGS, ESCAPES = b"[]," * 6_000_000, b'"",' * 6_000_000, b'"\\\\",' * 3_000_000


def test_json_of_millions_of_values_takes_no_more_memory_than_its_text(start: Callable[..., Server]) -> None:
    """Python's lists of one such body would take 1 GB."""
    server = start()
    with httpx.Client(base_url=server.client.base_url, timeout=120, trust_env=False) as client:
        client.get("/api/v1/prompts").raise_for_status()
        before = server.peak_bytes()

        def send(path: str, values: bytes) -> str:
            body, headers = b'{"x": [%b1]}' % values, {"Content-Type": "application/json"}
            answer = client.post(path, content=body, headers=headers)
            assert answer.status_code == 422
            return answer.text

        bodies = ((path, values) for path in FILES_IN_JSON for values in (LISTS, STRINGS, ESCAPES))
        with ThreadPoolExecutor(3) as pool:
            said = list(pool.map(send, *zip(*bodies, strict=True)))
        assert all("more than 10000 values" in each for each in said)
        assert "error" in json.loads(said[0])
    assert server.peak_bytes() - before < 300 * 2**20, "three bodies of 20 MB, as bytes and as text"


def test_a_media_type_that_names_json_or_parts_lifts_no_limit(server: Running) -> None:
    with server.client() as client:
        for kind in ("application/x-www-form-urlencoded; x=json", "multipart/x+json", "text/json-seq"):
            body = b"input_text=" + b"%41" * 2**20
            answer = client.post(PATH, content=body, headers={"Content-Type": kind})
            assert refused(answer) == (413, "body_too_large")


def test_a_long_text_with_commas_and_brackets_is_one_value(server: Running) -> None:
    text = 'He said, "a [b], {c}\\", and left. \n' * 5000
    with server.client() as client:
        for ensure_ascii in (True, False):
            body = json.dumps({"input_text": text, "index": "nobody"}, ensure_ascii=ensure_ascii)
            answer = client.post(PATH, content=body, headers={"Content-Type": "application/json"})
            assert refused(answer) == (404, "unknown_voice")


def test_json_text_in_a_form_of_millions_of_values(server: Running) -> None:
    with server.client() as client:
        for field in ("cast", "pauses", "lexicon"):
            fields = {"input_text": "hello", "index": "exampleA", field: f"[{LISTS[: 2**20].decode()}1]"}
            answer = client.post(PATH, files={name: (None, value) for name, value in fields.items()})
            assert refused(answer) in ((400, "invalid_field"), (422, "unparsable_body"))
