"""nginx in front of a server, with the block of docs/security.md and with no more than proxy_pass."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.running import Running
from tests.api.socket_client import heard, talking, tell
from tests.api.tone_engine import ToneEngine
from tests.api.waiting import wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx: apt install nginx-light")
READMES = [Path(__file__).parents[2] / name for name in ("docs/security.md", "docs/security_zh.md")]
BARE = "location / {\n    proxy_pass http://127.0.0.1:8049;\n}\n"
ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "v1": ("/api/v1/tts", {"input_text": "hello", "index": "exampleA", "stream": True}),
    "openai": ("/v1/audio/speech", {"input": "hello", "voice": "alloy"}),
    "openai events": ("/v1/audio/speech", {"input": "hello", "voice": "alloy", "stream_format": "sse"}),
    "zhipu": ("/api/paas/v4/audio/speech", {"input": "hello", "voice": "tongtong", "stream": True}),
    "gpt_sovits": ("/tts", {"text": "hello", "ref_audio_path": "exampleA", "streaming_mode": True}),
}


def block_of(readme: Path) -> str:
    (block,) = re.findall(r"```nginx\n(.*?)```", readme.read_text(), re.DOTALL)
    return str(block)


@contextmanager
def nginx(folder: Path, block: str, server: Running) -> Iterator[str]:
    """Its address, with `block` in its one server."""
    assert NGINX is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
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
    process = subprocess.Popen([NGINX, "-p", str(folder), "-e", str(folder / "errors"), "-c", str(config)])
    try:
        wait_until(lambda: listens(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("route", "block"),
    [*((route, BARE) for route in ROUTES), *(("v1", block_of(readme)) for readme in READMES)],
    ids=[*ROUTES, "README", "README_zh"],
)
def test_the_first_sound_passes_while_the_rest_is_still_to_be_made(
    serve: Callable[..., Running], tmp_path: Path, route: str, block: str
) -> None:
    """It is smaller than one of nginx's buffers, and the next never comes."""
    server = serve(ToneEngine(n_segments=2, seconds=0.02, segment_s=600))
    path, fields = ROUTES[route]
    with nginx(tmp_path, block, server) as url, httpx.Client(base_url=url, trust_env=False) as client:
        body: dict[str, Any] = {"json": {**fields, "response_format": "pcm"}}
        with client.stream("POST", path, **body) as answer:
            assert answer.status_code == 200
            assert next(answer.iter_raw())


@pytest.mark.parametrize("readme", READMES, ids=["README", "README_zh"])
def test_the_websocket_passes_too(serve: Callable[..., Running], tmp_path: Path, readme: Path) -> None:
    with nginx(tmp_path, block_of(readme), serve()) as url, talking(url) as client:
        tell(client, "text", text="hello there")
        tell(client, "end")
        messages, audio = heard(client, "done")
        assert audio
        assert messages[0]["type"] == "segment.start"
