"""/openapi.json as generators of clients read it (tests/frozen has all of it); two of them run in
scripts/checks/test_openapi_clients.sh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from tests.api.running import Running
from tests.recordings import voice_wav

JSON = "application/json"


@pytest.fixture
def document(server: Running) -> dict[str, Any]:
    with server.client() as client:
        body: dict[str, Any] = client.get("/openapi.json").json()
    return body


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for route in document["paths"].values():
        yield from route.values()


def by_id(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(operation for operation in operations(document) if operation["operationId"] == name)


def test_it_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_answers_are_as_described(server: Running, document: dict[str, Any]) -> None:
    """Every JSON answer that can be had here, success and error, against the schema of its status."""
    said = {"input_text": "hello", "index": "exampleA"}
    voice = {"index": "mine", "prompt_text": "said"}
    recording = {"prompt_audio": ("a.wav", voice_wav(1.5))}
    with server.client() as client:
        answers = [
            ("tts", client.post("/api/v1/tts", json=said)),
            ("tts", client.post("/api/v1/tts", json={**said, "index": "nobody"})),
            ("add_prompt", client.post("/api/v1/prompts", data=voice, files=recording)),
            ("change_prompt", client.put("/api/v1/prompts/mine", json={"prompt_text": "new"})),
            ("list_prompts", client.get("/api/v1/prompts")),
            ("get_prompt", client.get("/api/v1/prompts/mine")),
            ("delete_prompt", client.delete("/api/v1/prompts/mine")),
            ("delete_prompt", client.delete("/api/v1/prompts/exampleA")),
            ("concurrency_stats", client.get("/api/v1/stats/concurrency")),
            ("clear_cache", client.post("/api/v1/clear_cache")),
            ("health", client.get("/api/v1/health")),
            ("live", client.get("/api/v1/health/live")),
            ("get_job_audio", client.get(f"/api/v1/jobs/{'0' * 32}/audio?chapter=0")),
        ]
        audio = client.post("/api/v1/tts", json={**said, "response_format": "wav", "unheard_of": "x"})
    for name, answer in answers:
        assert_as_described(document, name, answer)
    listed = by_id(document, "tts")["responses"]["200"]["headers"]
    for_browsers = {"x-content-type-options", "x-frame-options"}  # which every answer has
    own = {name for name in audio.headers if name.startswith("x-")} - for_browsers
    assert own | {"x-verified"} == {name.lower() for name in listed}


def assert_as_described(document: dict[str, Any], name: str, answer: httpx.Response) -> None:
    described = by_id(document, name)["responses"][str(answer.status_code)]["content"][JSON]["schema"]
    problems = list(OAS31Validator({**document, **described}).iter_errors(answer.json()))
    assert problems == [], (name, answer.text)
    schema = document["components"]["schemas"][described["$ref"].rpartition("/")[2]]
    assert set(answer.json()) <= set(schema["properties"]), name
