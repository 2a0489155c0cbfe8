"""CORS_ORIGINS as a browser meets it: what a page of another origin may read, and that it changes nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.api.running import Running
from tests.api.tone_engine import ToneEngine

Serve = Callable[..., Running]
PAGE, OTHER = "https://chat.example", "https://evil.example"
SPEECH = ("/v1/audio/speech", {"model": "tts-1", "voice": "alloy", "input": "hello"})


def preflight(client: httpx.Client, origin: str, method: str = "POST") -> httpx.Response:
    """What a browser asks before it sends JSON or a key."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang",
    }
    return client.options(SPEECH[0], headers=headers)


def speak(client: httpx.Client, origin: str) -> httpx.Response:
    return client.post(SPEECH[0], json=SPEECH[1], headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})


def test_no_page_of_another_origin_reads_anything_unless_it_is_set(server: Running) -> None:
    with server.client() as client:
        assert "Access-Control-Allow-Origin" not in preflight(client, PAGE).headers
        assert preflight(client, PAGE).status_code == 405
        assert "Access-Control-Allow-Origin" not in speak(client, PAGE).headers


def test_a_page_of_another_origin_embeds_an_answer_only_where_one_is_allowed(serve: Serve) -> None:
    for origins, policy in (("", "same-origin"), (PAGE, None)):
        with serve(cors_origins=origins).client(headers={"Sec-Fetch-Site": "cross-site"}) as client:
            for answer in (client.get("/api/v1/prompts/exampleA/audio"), client.get("/api/v1/nothing")):
                assert answer.headers.get("Cross-Origin-Resource-Policy") == policy
                assert "Cache-Control" not in answer.headers


def test_no_cache_keeps_what_a_key_was_given(serve: Serve) -> None:
    with serve(api_keys="one").client() as client:
        for key, status in (("one", 200), ("", 401)):
            answer = client.get("/api/v1/prompts/exampleA/audio", headers={"X-API-Key": key})
            assert answer.status_code == status
            assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_named_origin_may_speak_and_read_the_answer_and_no_other(serve: Serve) -> None:
    with serve(cors_origins=f"http://localhost:8000, {PAGE}").client() as client:
        asked = preflight(client, PAGE)
        assert asked.status_code == 200
        assert asked.headers["Access-Control-Allow-Origin"] == PAGE
        assert "x-stainless-lang" in asked.headers["Access-Control-Allow-Headers"]
        answer = speak(client, PAGE)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"X-Sample-Rate", "X-Finish-Reason"} <= {*exposed}
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Access-Control-Allow-Origin" not in preflight(client, OTHER).headers
        assert "Access-Control-Allow-Origin" not in speak(client, OTHER).headers


def test_a_browser_may_call_from_a_public_page_into_the_users_network(serve: Serve) -> None:
    """Chrome asks first, with a header more."""
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    asked |= {"Access-Control-Request-Private-Network": "true"}
    with serve(cors_origins=PAGE).client(headers=asked) as client:
        answer = client.options(SPEECH[0])
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Private-Network"] == "true"
        assert (
            "Access-Control-Allow-Origin" not in client.options(SPEECH[0], headers={"Origin": OTHER}).headers
        )


def test_errors_can_be_read_too(serve: Serve) -> None:
    """Without the header a page sees no more than that something failed."""
    server = serve(ToneEngine(delay_s=600), cors_origins="*", short_text_concurrency=1, queue_max_size=0)
    with server.client(headers={"Origin": PAGE}) as client, ThreadPoolExecutor(1) as pool:
        for status, answer in (
            (404, client.get("/v1/nothing")),
            (400, client.post(SPEECH[0], json={"input": " "})),
            (422, client.post(SPEECH[0], content=b"text", headers={"Content-Type": "text/plain"})),
            (413, client.post(SPEECH[0], json={"input": "x" * 2**21})),
        ):
            assert answer.status_code == status
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
        holder = pool.submit(server.say)
        server.wait_for_lane(active=1)
        refused = client.post(SPEECH[0], json=SPEECH[1])
        assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (429, "*")
        assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]
        server.engine.release()
        holder.result()


def test_with_a_key_a_page_may_what_the_key_may(serve: Serve) -> None:
    with serve(cors_origins=PAGE, api_keys="s3cret").client(headers={"Origin": PAGE}) as client:
        assert preflight(client, PAGE).status_code == 200  # a browser sends no key with it
        refused = client.post("/api/v1/clear_cache")
        assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, PAGE)
        assert client.post("/api/v1/clear_cache", headers={"X-API-Key": "s3cret"}).status_code == 200


def test_a_rebound_name_stays_refused(serve: Serve) -> None:
    with serve(cors_origins="*").client(headers={"Origin": "http://evil.example"}) as client:
        assert client.get("/api/v1/prompts", headers={"Host": "evil.example"}).status_code == 403


def test_a_page_that_leaves_stops_the_work(serve: Serve) -> None:
    """The middleware hides no disconnect."""
    server = serve(ToneEngine(delay_s=30), cors_origins=PAGE)
    host, port = server.url.removeprefix("http://").split(":")
    body = b'{"input_text": "hello", "index": "exampleA"}'
    with socket.create_connection((host, int(port))) as page:
        page.sendall(
            b"POST /api/v1/tts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Origin: %b\r\nContent-Length: %d\r\n\r\n%b" % (PAGE.encode(), len(body), body)
        )
        server.wait_for_lane(active=1)
    server.wait_for_lane(active=0, cancelled=1)
