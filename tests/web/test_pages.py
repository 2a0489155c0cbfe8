"""What a person's browser gets: the root page, and /docs on a machine without internet."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from running import Running
from tone_engine import ToneEngine

from glm_tts_api.engine.state import EngineState

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def page(server: Running, path: str = "/") -> httpx.Response:
    with server.client(headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}) as client:
        return client.get(path)


def test_the_root_is_a_page_that_leads_on(server: Running) -> None:
    answer = page(server)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "tone (demonstration model)" in answer.text
    links = re.findall(r'<a href="([^"]+)"', answer.text)
    assert "docs" in links
    for link in links:
        assert page(server, f"/{link}").status_code == 200, link


def test_the_roots_curl_line_runs_as_it_stands(serve: Callable[..., Running], tmp_path: Path) -> None:
    for settings in ({}, {"api_keys": "secret"}):
        server = serve(**settings)
        (line,) = re.findall(r"<pre>(.*)</pre>", page(server).text, re.DOTALL)
        command = line.replace("YOUR_KEY", "secret").replace("curl ", "curl --noproxy '*' ")
        subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, timeout=60)
        assert (tmp_path / "hello.wav").read_bytes().startswith(b"RIFF")


def test_the_root_is_json_for_programs_and_asks_for_no_key(serve: Callable[..., Running]) -> None:
    server = serve(ToneEngine(state=EngineState("loading")), api_keys="secret")
    with server.client() as client:
        body = client.get("/").json()
        assert (body["service"], body["status"]) == ("GLM-TTS API", "loading")
        for name in ("docs", "openapi", "health"):
            assert client.get(body[name]).status_code in (200, 503), name
        assert client.head("/").status_code == 200
        kinds = [client.get("/").headers, page(server).headers]
    assert [headers["Vary"] for headers in kinds] == ["Accept", "Accept"]  # what a cache must tell apart


def test_a_host_name_is_no_markup(server: Running) -> None:
    with server.client(headers={"Accept": "text/html", "Host": 'a"><script>alert(1)</script>'}) as client:
        assert "<script" not in client.get("/").text


def test_docs_ask_nothing_of_another_machine(server: Running) -> None:
    html = page(server, "/docs").text
    assert re.findall(r"https?://", html) == []
    parts = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert any(part.endswith(".js") for part in parts)
    for part in parts:
        answer = page(server, part)
        assert (answer.status_code, len(answer.content) > 500) == (200, True), part
    assert page(server, "/redoc").status_code == 404  # its page asks a CDN for a picture


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (Debian, Ubuntu: apt install chromium)")
def test_docs_in_a_browser_that_reaches_this_machine_only(
    serve: Callable[..., Running], tmp_path: Path
) -> None:
    server = serve(api_keys="secret")
    done = subprocess.run(
        [
            str(CHROMIUM),
            *("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"),
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            *("--virtual-time-budget=20000", "--dump-dom", f"{server.url}/docs"),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    with server.client() as client:
        document = client.get("/openapi.json").json()
    shown = re.findall(r'class="opblock-summary-path" data-path="([^"]+)"', done.stdout)
    assert sorted(shown) == sorted(path for path, route in document["paths"].items() for _ in route)
    assert "Authorize" in done.stdout
