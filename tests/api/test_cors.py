"""CORS_ORIGINS as a browser meets it: what a page of another origin may read. tests/api/test_rights.py says
that it changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.api.dialects import OPENAI, SAY
from tests.api.running import Running

Serve = Callable[..., Running]
PAGE, OTHER = "https://chat.example", "https://evil.example"
ALLOWED = "Access-Control-Allow-Origin"


def preflight(client: httpx.Client, origin: str) -> httpx.Response:
    """The question before JSON or a key is sent; Chrome with the last header, if a public page calls
    into the user's network."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang",
        "Access-Control-Request-Private-Network": "true",
    }
    return client.options(OPENAI, headers=headers)


def speak(client: httpx.Client, origin: str) -> httpx.Response:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    return client.post(OPENAI, json=SAY[OPENAI], headers=headers)


def test_no_page_of_another_origin_reads_anything_unless_it_is_set(server: Running) -> None:
    with server.client() as client:
        assert preflight(client, PAGE).status_code == 405
        assert ALLOWED not in preflight(client, PAGE).headers
        assert ALLOWED not in speak(client, PAGE).headers


def test_a_page_embeds_only_what_is_allowed_and_no_cache_keeps_what_a_key_was_given(serve: Serve) -> None:
    for key, origins, policy in (("", "", "same-origin"), ("", PAGE, None), ("one", PAGE, None)):
        with serve(cors_origins=origins, api_keys=key).client(headers={"X-API-Key": "one"}) as client:
            for answer in (client.get("/api/v1/prompts/exampleA/audio"), client.get("/api/v1/nothing")):
                assert answer.headers.get("Cross-Origin-Resource-Policy") == policy
                assert answer.headers.get("Cache-Control") == ("private, no-store" if key else None)


def test_a_named_origin_may_speak_and_read_the_answer_and_no_other(serve: Serve) -> None:
    with serve(cors_origins=f"http://localhost:8000, {PAGE}").client() as client:
        asked = preflight(client, PAGE)
        assert (asked.status_code, asked.headers[ALLOWED]) == (200, PAGE)
        assert "x-stainless-lang" in asked.headers["Access-Control-Allow-Headers"]
        assert asked.headers["Access-Control-Allow-Private-Network"] == "true"
        answer = speak(client, PAGE)
        assert (answer.status_code, answer.headers[ALLOWED]) == (200, PAGE)
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"X-Sample-Rate", "X-Finish-Reason", "Retry-After"} <= {*exposed}
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert ALLOWED not in preflight(client, OTHER).headers
        assert ALLOWED not in speak(client, OTHER).headers


def test_errors_can_be_read_too(serve: Serve) -> None:
    """Without the header a page sees no more than that something failed."""
    with serve(cors_origins=PAGE, api_keys="s3cret").client(headers={"Origin": PAGE}) as client:
        assert preflight(client, PAGE).status_code == 200, "a browser sends no key with it"
        key = {"X-API-Key": "s3cret"}
        for status, answer in (
            (401, client.post(OPENAI, json=SAY[OPENAI])),
            (404, client.get("/v1/nothing")),
            (400, client.post(OPENAI, json={"input": " "}, headers=key)),
            (413, client.post(OPENAI, json={"input": "x" * 2**21}, headers=key)),
            (200, client.post("/api/v1/clear_cache", headers=key)),
        ):
            assert (answer.status_code, answer.headers[ALLOWED]) == (status, PAGE)
