"""A small hub on loopback that speaks as Hugging Face, ModelScope and GitHub do, and can misbehave."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

LARGE_BYTES = 1000  # from here on a file is listed with a SHA-256, as large files are


@dataclass
class FakeHub:
    """`repositories`: name to path to content; `raw`: path to content. The rest is how it misbehaves."""

    repositories: dict[str, dict[str, bytes]]
    raw: dict[str, bytes] = field(default_factory=dict)
    breaks_at: dict[str, int] = field(default_factory=dict)
    always_breaks: bool = False
    listed_sizes: dict[str, int] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def ranges_of(self, path: str) -> list[str | None]:
        """The Range headers with which a file's content was asked for."""
        return [given for asked, given in self.requests if asked == path]

    def size_of(self, path: str, content: bytes) -> int:
        return self.listed_sizes.get(path, len(content))

    @contextmanager
    def serving(self) -> Iterator[FakeHub]:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if found := re.fullmatch(r"/api/models/(.+)/tree/main", url.path):
            self._list_as_hugging_face(found[1], second_page="cursor" in query)
        elif found := re.fullmatch(r"/api/v1/models/(.+)/repo/files", url.path):
            self._list_as_modelscope(found[1])
        elif found := re.fullmatch(r"/api/v1/models/(.+)/repo", url.path):
            self._send_file(self.hub.repositories[found[1]], query["FilePath"])
        elif found := re.fullmatch(r"/(.+)/resolve/main/(.+)", url.path):
            self._answer(302, b"", {"Location": f"/storage/{found[1]}//{found[2]}"})
        elif found := re.fullmatch(r"/storage/(.+)//(.+)", url.path):
            self._send_file(self.hub.repositories[found[1]], found[2])
        elif url.path in self.hub.raw:
            self._answer(200, self.hub.raw[url.path])
        else:
            self._answer(404, b"")

    def _list_as_hugging_face(self, repository: str, *, second_page: bool) -> None:
        entries: list[dict[str, object]] = [{"type": "directory", "path": "llm", "size": 0, "oid": "0"}]
        for path, content in self.hub.repositories[repository].items():
            size = self.hub.size_of(path, content)
            entry: dict[str, object] = {"type": "file", "path": path, "size": size}
            if size >= LARGE_BYTES:
                entry["oid"] = "of the pointer, not of the file"
                entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": size}
            else:
                entry["oid"] = hashlib.sha1(f"blob {size}\0".encode() + content).hexdigest()
            entries.append(entry)
        half = len(entries) // 2
        link = {"Link": f'<{self.hub.url}{self.path}&cursor=2>; rel="next"'}
        page = entries[half:] if second_page else entries[:half]
        self._answer(200, json.dumps(page).encode(), {} if second_page else link)

    def _list_as_modelscope(self, repository: str) -> None:
        files: list[dict[str, object]] = [{"Type": "tree", "Path": "llm", "Size": 0, "Sha256": ""}]
        files += [
            {
                "Type": "blob",
                "Path": path,
                "Size": self.hub.size_of(path, content),
                "Sha256": hashlib.sha256(content).hexdigest(),
            }
            for path, content in self.hub.repositories[repository].items()
        ]
        self._answer(200, json.dumps({"Code": 200, "Data": {"Files": files}}).encode())

    def _send_file(self, files: dict[str, bytes], path: str) -> None:
        asked = self.headers.get("Range")
        self.hub.requests.append((path, asked))
        content = files[path]
        if path in self.hub.damaged:
            content = content[:-1] + b"?"
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        headers = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if asked else {}
        broken = self.hub.breaks_at.get(path)
        if broken is not None and not self.hub.always_breaks:
            del self.hub.breaks_at[path]
        self._answer(206 if asked else 200, content[begin:], headers, cut_at=broken)

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, cut_at: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut_at])
        self.close_connection = True
