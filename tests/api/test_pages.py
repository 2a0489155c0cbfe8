"""What a person's browser gets: the files of the studio, and /docs on a machine without internet."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import httpx

import glm_tts_api
from glm_tts_api.engine.state import EngineState
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine

STATIC = Path(glm_tts_api.__file__).parent / "studio" / "static"
PAGE = STATIC / "index.html"


def page(server: Running, path: str = "/") -> httpx.Response:
    with server.client(headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}) as client:
        return client.get(path)


def links_of(name: str, text: str) -> set[str]:
    """What a file of the page refers to, as it is written there."""
    pattern = {
        "js": r"""(?:\bfrom|\bimport|\bimport\(|new URL\()\s*["'](\.{1,2}/[^"']+)["']""",
        "css": r"""(?:url\(|@import)\s*["']?([^"')]+)""",
    }.get(name.rpartition(".")[2], r"""(?:href|src)="([^"]+)\"""")
    return {link for link in re.findall(pattern, text) if not link.startswith(("data:", "#"))}


def parts_of_the_page(server: Running) -> dict[str, httpx.Response]:
    """Each file that the page leads to, by its path below the root, from links as a browser follows them."""
    parts: dict[str, httpx.Response] = {}
    left = [""]
    while left:
        name = left.pop()
        parts[name] = page(server, f"/{name}")
        if name.startswith(("docs", "metrics", "api/")):
            continue
        for link in links_of(name, parts[name].text):
            assert not re.match(r"[a-z]+:|/", link), (name, link)  # holds below a proxy's path, offline
            whole = urljoin(f"http://here/{name}", link).removeprefix("http://here/")
            left += [whole] if whole not in parts and whole not in left else []
    return parts


def test_all_that_the_studio_is_made_of_is_served_and_small(server: Running) -> None:
    parts = parts_of_the_page(server)
    assert {name: part.status_code for name, part in parts.items() if part.status_code != 200} == {}
    assert "docs" in parts
    names = ["", *(f"studio/{path.relative_to(STATIC)}" for path in STATIC.rglob("*.*") if path != PAGE)]
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", "": "text/html"}
    n_bytes = 0
    for name in names:
        part = page(server, f"/{name}")
        n_bytes += part.num_bytes_downloaded
        assert part.headers["Content-Type"] == f"{types[Path(name).suffix]}; charset=utf-8", name
    assert n_bytes < 110_000  # as they travel, compressed: each file once, in both languages


def test_the_studio_runs_its_own_scripts_alone_and_may_use_the_microphone(server: Running) -> None:
    headers = page(server).headers
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Permissions-Policy"] == "microphone=(self)"


def test_no_answer_is_framed_or_taken_for_another_kind(serve: Callable[..., Running]) -> None:
    page_of_another = {"Origin": "https://chat.example", "Access-Control-Request-Method": "POST"}
    with serve(cors_origins="https://chat.example").client() as client:
        for answer in (
            *map(client.get, ("/", "/docs", "/metrics", "/static-offline-docs/swagger-ui.css", "/nothing")),
            client.get("/", headers={"Accept": "text/html"}),
            client.post("/api/v1/tts", json={"input_text": "a", "index": "exampleA"}),
            client.post("/v1/audio/speech", content=b" " * 2**21),
            client.get("/api/v1/prompts", headers={"Host": "evil.example"}),
            client.options("/v1/audio/speech", headers=page_of_another),
        ):
            assert answer.headers["X-Content-Type-Options"] == "nosniff", answer.url
            assert answer.headers["X-Frame-Options"] == "DENY", answer.url
            assert answer.headers["Referrer-Policy"] == "no-referrer", answer.url
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], answer.url


def test_a_browser_keeps_the_studio_and_asks_whether_it_has_changed(serve: Callable[..., Running]) -> None:
    server = serve(api_keys="secret")
    with server.client(headers={"Accept": "text/html"}) as client:
        for path in ("/", "/" + sorted(links_of("", client.get("/").text) - {"docs"})[0]):
            whole = client.get(path)
            assert (whole.status_code, whole.headers["Cache-Control"]) == (200, "no-cache"), path
            kept = {"If-None-Match": f'"another", {whole.headers["ETag"]}'}
            unchanged = client.get(path, headers=kept)
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert unchanged.headers["ETag"] == whole.headers["ETag"]
            assert client.get(path, headers={"If-None-Match": '"another"'}).status_code == 200
            head = client.head(path)
            assert (head.headers["Content-Length"], head.content) == (whole.headers["Content-Length"], b"")
            plain = client.get(path, headers={"Accept-Encoding": "identity"})
            assert (plain.headers.get("Content-Encoding"), plain.content) == (None, whole.content)


def test_nothing_but_the_studios_files_is_served_below_its_path(server: Running) -> None:
    with server.client() as client:
        for name in ("", "nothing.js", "%2e%2e/studio.py", "..%2fstudio.py", "%2fetc%2fpasswd", "index.html"):
            answer = client.get(f"/studio/{name}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), name
        assert client.post("/studio/index.html").headers["Allow"] == "GET"


def test_the_root_is_json_for_programs_and_asks_for_no_key(serve: Callable[..., Running]) -> None:
    server = serve(ToneEngine(state=EngineState("loading")), api_keys="secret")
    with server.client() as client:
        body = client.get("/").json()
        assert (body["service"], body["status"]) == ("GLM-TTS API", "loading")
        for name in ("docs", "openapi", "health"):
            assert client.get(body[name]).status_code in (200, 503), name
        assert client.head("/").status_code == 200
        kinds = [client.get("/").headers, page(server).headers]
    assert [headers["Vary"] for headers in kinds] == ["Accept", "Accept-Encoding, Accept"]  # for caches


def test_docs_ask_nothing_of_another_machine(server: Running) -> None:
    html = page(server, "/docs").text
    assert re.findall(r"https?://", html) == []
    parts = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert any(part.endswith(".js") for part in parts)
    for part in parts:
        answer = page(server, part)
        assert (answer.status_code, len(answer.content) > 500) == (200, True), part
    assert page(server, "/redoc").status_code == 404  # its page asks a CDN for a picture
