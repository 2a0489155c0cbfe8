"""Without API_KEYS: who counts as this machine, whose page may write, by which names the server is called."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from glm_tts_api.http.origin import client_address, has_own_name, is_local
from glm_tts_api.settings.machine import machine_names
from tests.api.running import Running

Serve = Callable[..., Running]


def test_a_proxy_that_says_nothing_is_told_by_its_http_version(server: Running) -> None:
    """nginx without a line of configuration: HTTP/1.0, Connection: close, no header of its own."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /api/v1/clear_cache HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        )
        assert b" 403 " in connection.makefile("rb").readline()


PAGES = ("/", "/docs", "/openapi.json", "/studio/icon.svg", "/static-offline-docs/swagger-ui.css", "/nothing")
ROUTES = ("/api/v1/prompts", "/metrics", "/speakers", "/v1/audio/speech", "/v1/models")
PROBES = ("/health", "/api/v1/health", "/api/v1/health/live")


def test_a_rebound_name_reads_and_writes_nothing_but_probes(serve: Serve) -> None:
    with serve().client() as client:
        for host in ("evil.example", "evil.example:8049", "127.0.0.1.nip.example", "localhost.example."):
            headers = {"Host": host}
            say = {"input_text": "a", "index": "exampleA"}
            for refused in (
                *(client.get(path, headers=headers) for path in (*PAGES, *ROUTES)),
                client.post("/api/v1/tts", json=say, headers=headers),
                client.post("/api/v1/clear_cache", headers=headers),
            ):
                assert (refused.status_code, "ALLOWED_HOSTS" in refused.text) == (403, True)
                assert refused.headers["X-Request-Id"]
        assert {client.get(path, headers=headers).status_code for path in PROBES} == {200}
    with serve(api_keys="secret").client(headers={"Host": "tts.example", "X-API-Key": "secret"}) as client:
        assert 403 not in {client.get(path).status_code for path in (*PAGES, *ROUTES)}


def test_the_server_asks_no_name_server_whatever_it_is_called(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process is the client's, too, who looks up the address alone."""
    asked, look_up = set[str](), socket.getaddrinfo

    def noted(host: str, *rest: Any, **options: Any) -> Any:
        asked.add(host)
        return look_up(host, *rest, **options)

    monkeypatch.delattr(socket, "gethostbyname")
    monkeypatch.delattr(socket, "gethostbyaddr")
    monkeypatch.setattr(socket, "getaddrinfo", noted)
    for host in ("127.0.0.1", "stranger.example.org", socket.gethostname()):
        client.get("/api/v1/prompts", headers={"Host": host})
    say = {"input_text": "a", "index": "exampleA"}
    assert client.post("/api/v1/tts", json=say).status_code == 200
    assert asked <= {"127.0.0.1"}


def test_a_websocket_answers_to_no_rebound_name_either(client: httpx.Client) -> None:
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    handshake |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Host": "evil.example"}
    refused = client.get("/v1/audio/speech/stream", headers=handshake)
    assert refused.status_code == 403
    assert "ALLOWED_HOSTS" in refused.json()["error"]["message"]
    assert refused.headers["X-Content-Type-Options"] == "nosniff"


def test_names_that_no_stranger_can_have(client: httpx.Client) -> None:
    for host in (
        *("localhost", "LOCALHOST:8049", "127.0.0.1:8049", "192.168.1.20", "[::1]:8049", "gpu-box:8049"),
        *("tts", "tts.default.svc.cluster.local", "box.local:8049", "app.localhost"),
    ):
        assert client.get("/api/v1/prompts", headers={"Host": host}).status_code == 200, host


def test_names_of_the_users_choice(serve: Serve) -> None:
    with serve(allowed_hosts="tts.example.org, .lab.example", api_host="Box.example.net").client() as client:
        for host, status in (
            ("tts.example.org:443", 200),
            ("TTS.Example.ORG", 200),
            ("a.b.lab.example", 200),
            ("box.example.net", 200),
            ("lab.example", 403),
            ("evillab.example", 403),
            ("x.tts.example.org", 403),
        ):
            assert client.get("/api/v1/prompts", headers={"Host": host}).status_code == status, host
    with serve(allowed_hosts="*").client() as client:
        assert client.get("/api/v1/prompts", headers={"Host": "any.example"}).status_code == 200


def test_who_comes_over_a_unix_socket_is_on_this_machine_unless_through_a_proxy() -> None:
    """uvicorn names no client there."""
    scope = {"type": "http", "http_version": "1.1", "client": None}
    assert is_local(Request({**scope, "headers": []}))
    assert not is_local(Request({**scope, "headers": [(b"x-forwarded-for", b"127.0.0.1")]}))
    assert not is_local(Request({**scope, "headers": [], "http_version": "1.0"}))


def test_the_machines_own_names_come_from_its_hosts_file(tmp_path: Path) -> None:
    own = os.uname().nodename
    hosts = tmp_path / "hosts"
    lines = [
        f"127.0.0.1 localhost ads.example # {own}",
        f"10.0.0.5\t{own}.Example.org {own}",
        "10.0.0.6 b.example",
    ]
    hosts.write_text("\n".join(lines))
    names = machine_names(hosts)
    assert names >= {own.lower(), f"{own}.example.org".lower()}
    assert not names & {"ads.example", "b.example"}
    assert machine_names(tmp_path / "none") == {own.lower()}
    scope = {"type": "http", "headers": [(b"host", f"{own}.example.org:8049".encode())]}
    assert has_own_name(Request(scope), names)


def test_keys_of_any_printable_characters(serve: Serve) -> None:
    with serve(api_keys="other,密钥,clé,a b").client() as client:
        for spelt in ("密钥".encode(), "clé".encode(), "clé".encode("latin-1"), b"a b"):
            for header in ({b"X-API-Key": spelt}, {b"Authorization": b"Bearer " + spelt}):
                assert client.get("/api/v1/prompts", headers=header).status_code == 200
            wrong = client.get("/api/v1/prompts", headers={b"X-API-Key": spelt[:-1] + b"x"})
            assert wrong.status_code == 403


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:50321", "192.0.2.1"),  # as Azure's gateways write it, for each connection another
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1:2", "2001:db8::/64"),
        ("[2001:db8::1:2]:50321", "2001:db8::/64"),
        ("nobody outcome=completed", "nobody_outcome=completed"),
        ("", "unix:"),
    ],
)
def test_a_client_goes_by_its_address_in_one_word(told: str, name: str) -> None:
    assert client_address(Request({"type": "http", "client": (told, 0), "headers": []})) == name
