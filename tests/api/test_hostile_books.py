"""Books that are made to cost, over HTTP: nobody else waits for them."""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.api.raw_client import connected
from tests.api.running import Running
from tests.api.waiting import wait_until
from tests.longform.test_epub import packed

TAGS = packed(**{"OEBPS/text/b.xhtml": b"<p>" * 10**7 + b"a"})  # 30 kB, some 30 s of a core


def readers() -> list[int]:
    """The processes that read books for the server, which is in this process."""
    threads = Path("/proc/self/task").iterdir()
    pids = {int(pid) for thread in threads for pid in (thread / "children").read_text().split()}
    return [pid for pid in pids if b"longform.reading" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_books_that_take_long_keep_nobody_waiting_and_end_with_their_clients(
    serve: Callable[..., Running],
) -> None:
    server = serve()
    request = httpx.Request(
        "POST", f"{server.url}/api/v1/jobs", data={"index": "exampleA"}, files={"file": ("a.epub", TAGS)}
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with ExitStack() as connections:
        clients = [connections.enter_context(connected(request.url.port or 0)) for _ in range(5)]
        for client in clients:
            client.sendall(f"POST /api/v1/jobs HTTP/1.1\r\n{head}\r\n".encode() + request.read())
        wait_until(readers)
        with server.client() as other:
            assert other.get("/api/v1/prompts").status_code == 200
        assert server.say().status_code == 200
        assert len(readers()) == 1, "the books of one client are read one after the other"
        assert not select.select(clients, [], [], 0)[0], "none is read yet"
    wait_until(lambda: not readers())
