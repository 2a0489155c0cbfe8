"""nginx in front of a server, with the block of docs/security.md and with no more than proxy_pass; caddy with
no more than the server's address, haproxy with the option of docs/security.md."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.running import Running
from tests.api.socket_client import heard, talking, tell
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
NGINX, CADDY, HAPROXY = (shutil.which(name, path=_FOLDERS) for name in ("nginx", "caddy", "haproxy"))
needs_nginx = pytest.mark.skipif(NGINX is None, reason="needs nginx: apt install nginx-light")
PAGE = (Path(__file__).parents[2] / "docs/security.md").read_text()  # its twin has the same block
HAPROXY_OPTION = "option http-no-delay"  # of docs/security.md: else the kernel keeps each piece for 0.2 s
(BLOCK,) = re.findall(r"```nginx\n(.*?)```", PAGE, re.DOTALL)
BARE = "location / {\n    proxy_pass http://127.0.0.1:8049;\n}\n"


ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "openai": ("/v1/audio/speech", {"input": "hello", "voice": "alloy"}),
    "openai events": ("/v1/audio/speech", {"input": "hello", "voice": "alloy", "stream_format": "sse"}),
}


@contextmanager
def nginx(folder: Path, block: str, server: Running) -> Iterator[str]:
    """Its address, with `block` in its one server."""
    port = free_port()
    block = block.replace("http://127.0.0.1:8049", server.url)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n"
        f"server {{ listen 127.0.0.1:{port};\n{block}}}\n}}\n"
    )
    command = [str(NGINX), "-p", str(folder), "-e", str(folder / "errors"), "-c", str(config)]
    with running(command, port) as url:
        yield url


def caddy(folder: Path, server: Running) -> AbstractContextManager[str]:
    port = free_port()
    config = folder / "Caddyfile"
    config.write_text(f"{{\n admin off\n}}\nhttp://127.0.0.1:{port} {{\n reverse_proxy {server.url}\n}}\n")
    return running([str(CADDY), "run", "--adapter", "caddyfile", "--config", str(config)], port, home=folder)


def haproxy(folder: Path, server: Running) -> AbstractContextManager[str]:
    port = free_port()
    config = folder / "haproxy.cfg"
    config.write_text(
        "defaults\n mode http\n timeout connect 5s\n timeout client 900s\n timeout server 900s\n"
        f" {HAPROXY_OPTION}\n"
        f"listen all\n bind 127.0.0.1:{port}\n server tts {server.url.removeprefix('http://')}\n"
    )
    return running([str(HAPROXY), "-f", str(config)], port)


@contextmanager
def running(command: list[str], port: int, home: Path | None = None) -> Iterator[str]:
    """The address of the program, which listens on `port`, until the context ends."""
    environ = {**os.environ, **({"HOME": str(home)} if home else {})}
    process = subprocess.Popen(command, env=environ)
    try:
        wait_until(lambda: listens(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def first_alone(seconds: float) -> ToneEngine:
    """Its first piece is smaller than one of a proxy's buffers, and the next never comes."""
    return ToneEngine(n_segments=2, seconds=seconds, segment_s=600)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@needs_nginx
@pytest.mark.parametrize("block", [BARE, BLOCK], ids=["bare", "as the page has it"])
def test_the_first_sound_passes_while_the_rest_is_still_to_be_made(
    serve: Callable[..., Running], tmp_path: Path, block: str
) -> None:
    with nginx(tmp_path, block, serve(first_alone(0.02))) as url:
        for route in ROUTES:
            assert_the_first_sound_comes(url, route)
        if block == BLOCK:
            with talking(url) as client:
                tell(client, "text", text="hello there")
                tell(client, "flush")
                assert heard(client, "segment.start")[0]


@pytest.mark.parametrize("proxy", [caddy, haproxy])
def test_other_proxies_pass_the_first_sound_too(
    serve: Callable[..., Running],
    tmp_path: Path,
    proxy: Callable[[Path, Running], AbstractContextManager[str]],
) -> None:
    if (CADDY if proxy is caddy else HAPROXY) is None:
        pytest.skip(f"needs {proxy.__name__}: apt install {proxy.__name__}")
    assert f"`{HAPROXY_OPTION}`" in PAGE
    with proxy(tmp_path, serve(first_alone(0.3))) as url:
        for route in ROUTES:
            for audio_format in ("mp3", "opus"):
                assert_the_first_sound_comes(url, route, audio_format)


def assert_the_first_sound_comes(url: str, route: str, audio_format: str = "pcm") -> None:
    path, fields = ROUTES[route]
    body = {**fields, "response_format": audio_format}
    with (
        httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
        client.stream("POST", path, json=body) as answer,
    ):
        assert answer.status_code == 200
        assert next(answer.iter_raw())
