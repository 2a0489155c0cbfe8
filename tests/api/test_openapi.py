"""/openapi.json as generators of clients read it; scripts/checks/test_openapi_clients.sh runs two."""

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
LISTS = {"list_models", "get_model", "list_audio_models", "list_audio_voices"}
UNGUARDED = {"health", "live", *LISTS}
ROUTES = {
    "speech": (
        *("tts", "tts_from_address"),
        *("recent_audio", "recent_timestamps", "recent_verdicts", "recent_subtitles"),
    ),
    "voices": (
        *("list_prompts", "add_prompt", "get_prompt", "change_prompt", "delete_prompt"),
        *("get_prompt_audio", "check_prompt", "export_prompts", "import_prompts"),
    ),
    "books": (
        *("add_job", "list_jobs", "get_job", "pause_job", "resume_job", "cancel_job", "delete_job"),
        *("get_job_audio", "link_job_audio", "get_job_subtitles", "get_job_chapters", "get_job_verdicts"),
    ),
    "text": ("normalize", "readings", "list_lexicon", "get_word", "put_word", "delete_word"),
    "operations": ("concurrency_stats", "clear_cache", "health", "live"),
    "OpenAI": (
        *("create_speech", "list_models", "get_model", "list_audio_models", "list_audio_voices"),
        *("add_voice", "delete_voice", "add_consent", "list_consents", "find_consent", "change_consent"),
        "delete_consent",
    ),
    "Zhipu": (
        *("zhipu_speech", "zhipu_upload", "zhipu_file", "zhipu_clone", "zhipu_voices", "zhipu_delete"),
    ),
    "ElevenLabs": (
        *("elevenlabs_speech", "elevenlabs_stream", "elevenlabs_voices", "elevenlabs_voice"),
        "elevenlabs_search",
    ),
    "Kokoro": ("captioned_speech",),
    "GPT-SoVITS": ("gpt_sovits", "gpt_sovits_from_address", "speakers"),
}


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


def test_it_is_valid_and_its_methods_have_short_names(document: dict[str, Any]) -> None:
    validate(document)
    found: dict[str, list[str]] = {}
    for operation in operations(document):
        (tag,) = operation["tags"]
        found.setdefault(tag, []).append(operation["operationId"])
    assert {tag: sorted(names) for tag, names in found.items()} == {
        tag: sorted(names) for tag, names in ROUTES.items()
    }


def test_every_field_is_described_with_an_example(document: dict[str, Any]) -> None:
    for operation in operations(document):
        assert operation["description"], operation
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for name, model in document["components"]["schemas"].items():
        for field in model["properties"].values():
            assert {"$ref", "const", "examples", "items", "format"} & set(field), (name, field)
            if name.endswith(("Upload", "Form", "Json")):
                assert field["description"], (name, field)


def test_every_kind_of_body_has_a_named_schema_of_its_own(document: dict[str, Any]) -> None:
    seen = [
        media_type["schema"]["$ref"]
        for operation in operations(document)
        for media_type in operation.get("requestBody", {"content": {}})["content"].values()
    ]
    assert len(set(seen)) == len(seen) - 1 == 32  # ElevenLabs' two routes share theirs
    speech = by_id(document, "tts")["requestBody"]["content"]
    assert speech["multipart/form-data"]["schema"]["$ref"].endswith("/SpeechUpload")
    upload = document["components"]["schemas"]["SpeechUpload"]["properties"]["prompt_audio"]
    assert (upload["type"], upload["format"]) == ("string", "binary")
    assert "prompt_audio" not in document["components"]["schemas"]["SpeechJson"]["properties"]


def test_audio_is_binary(document: dict[str, Any]) -> None:
    for name in (
        "tts",
        "tts_from_address",
        "create_speech",
        "zhipu_speech",
        "gpt_sovits",
        "get_prompt_audio",
    ):
        content = by_id(document, name)["responses"]["200"]["content"]
        assert content["audio/wav"]["schema"] == {"type": "string", "format": "binary"}
    assert "application/json" not in content


def test_every_route_that_asks_for_a_key_says_so(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert (schemes["Bearer"]["type"], schemes["Bearer"]["scheme"]) == ("http", "bearer")
    assert (schemes["X-API-Key"]["in"], schemes["X-API-Key"]["name"]) == ("header", "X-API-Key")
    for operation in operations(document):
        guarded = operation["operationId"] not in UNGUARDED
        assert ("security" in operation) == guarded, operation["operationId"]
        assert ("401" in operation["responses"]) == guarded, operation["operationId"]
        if guarded:
            keys = ["xi-api-key"] if operation["tags"] == ["ElevenLabs"] else ["Bearer", "X-API-Key"]
            assert operation["security"] == [{key: []} for key in keys]


def test_answers_are_as_described(server: Running, document: dict[str, Any]) -> None:
    """Every JSON answer that can be had here, success and error, against the schema of its status."""
    said = {"input_text": "hello", "index": "exampleA"}
    voice = {"index": "mine", "prompt_text": "said"}
    recording = {"prompt_audio": ("a.wav", voice_wav(1.5))}
    with server.client() as client:
        answers = [
            ("tts", client.post("/api/v1/tts", json=said)),
            ("tts", client.post("/api/v1/tts", json={**said, "seed": -1})),
            ("tts", client.post("/api/v1/tts", json={**said, "index": "nobody"})),
            ("add_prompt", client.post("/api/v1/prompts", data=voice, files=recording)),
            ("add_prompt", client.post("/api/v1/prompts", data=voice, files=recording)),
            ("change_prompt", client.put("/api/v1/prompts/mine", json={"prompt_text": "new"})),
            ("list_prompts", client.get("/api/v1/prompts")),
            ("get_prompt", client.get("/api/v1/prompts/mine")),
            ("get_prompt", client.get("/api/v1/prompts/nobody")),
            ("delete_prompt", client.delete("/api/v1/prompts/mine")),
            ("delete_prompt", client.delete("/api/v1/prompts/exampleA")),
            ("concurrency_stats", client.get("/api/v1/stats/concurrency")),
            ("clear_cache", client.post("/api/v1/clear_cache")),
            ("health", client.get("/api/v1/health")),
            ("live", client.get("/api/v1/health/live")),
            ("recent_subtitles", client.get("/api/v1/audio/none/subtitles.txt")),
            ("get_job_subtitles", client.get(f"/api/v1/jobs/{'0' * 32}/subtitles.txt")),
            ("get_job_audio", client.get(f"/api/v1/jobs/{'0' * 32}/audio?chapter=0")),
        ]
    for name, answer in answers:
        assert_as_described(document, name, answer)


def assert_as_described(document: dict[str, Any], name: str, answer: httpx.Response) -> None:
    described = by_id(document, name)["responses"][str(answer.status_code)]["content"][JSON]["schema"]
    problems = list(OAS31Validator({**document, **described}).iter_errors(answer.json()))
    assert problems == [], (name, answer.text)
    schema = document["components"]["schemas"][described["$ref"].rpartition("/")[2]]
    assert set(answer.json()) <= set(schema["properties"]), name


def test_what_an_audio_answer_says_of_itself_is_listed(server: Running, document: dict[str, Any]) -> None:
    answer = server.say(response_format="wav", unheard_of="x")
    listed = by_id(document, "tts")["responses"]["200"]["headers"]
    for_browsers = {"x-content-type-options", "x-frame-options"}  # which every answer has
    own = {name for name in answer.headers if name.startswith("x-")} - for_browsers
    with_verify = {"x-verified"}
    assert own | with_verify == {name.lower() for name in listed}
