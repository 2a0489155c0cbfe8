"""The client that the commands use for a server's HTTP API. An error answer is raised as Failed with the
server's message. The server is the one at a URL, the one that runs in this folder, or one that is started for
the command."""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

import httpx
from tqdm import tqdm

from glm_tts_api.durable import temporary_of
from glm_tts_api.errors import Failed
from glm_tts_api.service.client import Client, json_of
from glm_tts_api.service.output import say
from glm_tts_api.service.run_folder import RunFolder
from glm_tts_api.settings import Settings

APP = "glm_tts_api.api_server:app"
_LOOK_S = 0.1
_TELL_AFTER_S = 1.0
_CONNECT_S = 10.0
_ANSWER_S = 3600.0  # longer than any deadline, since the server itself ends a request that takes too long
_PATIENCE_S = 600.0  # how long a command asks again while the server is full or loads its model
_AGAIN = (429, 503)
_HERE = ("127.0.0.1", "localhost", "::1")
_LONG = " Or put it into a file: glm-tts book FILE.txt -o FOLDER takes long texts, and goes on after a stop."
_HINTS = {
    "unauthorized": " Give it with --key, or in GLM_TTS_API_KEY.",
    "text_too_long": _LONG,
    "deadline_passed": _LONG,
    "voice_exists": " At the command line: glm-tts voices remove NAME, then add it again.",
}

Fields = Mapping[str, str]
Files = Mapping[str, tuple[str, bytes]]


class NotThere(Failed):
    """The server answers 404."""


class Lost(Failed):
    """The server cannot be reached, or the connection to it broke."""


class Api:
    """A context manager for a client of the server at `url`. `key` is an API key; empty for none.
    `require_server` raises Failed if the server is known to have ended. Raises Failed for an address that is
    no HTTP URL."""

    def __init__(self, url: str, key: str, require_server: Callable[[], None] = lambda: None) -> None:
        self.require_server = require_server
        self.url = url if "://" in url else f"http://{url}"
        try:
            parsed = httpx.URL(self.url)
        except (httpx.InvalidURL, ValueError) as error:
            raise Failed(f"'{self.url}' is no address of a server: {error}") from None
        if parsed.scheme not in ("http", "https"):
            raise Failed(f"'{self.url}' is no address of a server: it begins with http:// or https://.")
        self._client = httpx.Client(
            base_url=self.url,
            headers={b"X-API-Key": key.encode()} if key else {},
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            trust_env=parsed.host not in _HERE,  # for a server on this machine no proxy is used
            follow_redirects=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str) -> dict[str, Any]:
        """Returns the JSON object at `path`. Raises Failed."""
        return json_of(self._whole("GET", path))

    def read(self, path: str) -> bytes:
        return self._whole("GET", path).content

    def post(self, path: str, fields: Fields, files: Files | None = None) -> dict[str, Any]:
        return json_of(self._whole("POST", path, data=fields, files=files))

    def delete(self, path: str) -> dict[str, Any]:
        return json_of(self._whole("DELETE", path))

    def download(self, path: str, file: Path) -> None:
        """Writes what is at `path` to `file`, in one step. Waits while the server puts it together. Raises
        Failed and OSError."""
        new = temporary_of(file)
        try:
            with self._answered("GET", path, patience_s=_ANSWER_S) as response, new.open("wb") as out:
                for block in response.iter_bytes():
                    out.write(block)
            new.replace(file)
        except BaseException:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise

    def health(self) -> dict[str, Any]:
        """Returns the server's health, also if the server cannot speak. Empty if no server answers."""
        try:
            return json_of(self._client.get("/api/v1/health", timeout=_CONNECT_S))
        except httpx.HTTPError:
            return {}

    def speak(self, fields: Fields, files: Files | None, request_id: str) -> bytes:
        """Has the server speak the request `fields` with `files`, and returns the whole audio. If `fields`
        has `verify`, prints the recogniser's verdict on stderr. Raises Failed."""
        response = self._whole(
            "POST", "/api/v1/tts", data=fields, files=files, headers={"X-Request-Id": request_id}
        )
        if verdict := response.headers.get("X-Verified"):
            doubts = response.headers.get("X-Warnings", "").encode().decode("unicode_escape")
            say_aside(f"VERIFIED: {verdict}. {doubts}".rstrip())
        return response.content

    @contextmanager
    def stream(self, fields: Fields, files: Files | None) -> Iterator[Iterator[bytes]]:
        """Has the server speak a request as a stream. Yields an iterator over the pieces of audio, which come
        while they are made. Raises Failed."""
        with self._answered(
            "POST", "/api/v1/tts", data={**fields, "stream": "true"}, files=files
        ) as response:
            yield response.iter_bytes()

    def _whole(self, method: str, path: str, **sent: Any) -> httpx.Response:
        with self._answered(method, path, **sent) as response:
            response.read()
        return response

    @contextmanager
    def _answered(
        self, method: str, path: str, *, patience_s: float = _PATIENCE_S, **sent: Any
    ) -> Iterator[httpx.Response]:
        """Sends a request with the parts `sent` (data, files, headers) and yields the answer, whose body is
        not read yet. While the server is busy and says when to try again, sends the request again, for
        `patience_s`, and prints one line about the wait on stderr. Raises NotThere, Lost, or Failed for
        another error answer."""
        until, told = monotonic() + patience_s, False
        try:
            while True:
                response = self._client.send(self._client.build_request(method, path, **sent), stream=True)
                try:
                    if not response.is_error:
                        yield response
                        return
                    response.read()
                finally:
                    response.close()
                wait_s = _retry_after(response)
                if wait_s is None or monotonic() + wait_s > until:
                    raise (NotThere if response.status_code == 404 else Failed)(_refusal_of(response))
                if not told:
                    told = True
                    say_aside(f"{_refusal_of(response)} Trying again.")
                sleep(wait_s)
        except httpx.ConnectError as error:
            raise Lost(
                f"No server answers at {self.url} ({_reason_of(error)}): start it, or give another --url."
            ) from None
        except httpx.HTTPError as error:
            raise Lost(f"The connection to {self.url} broke ({_reason_of(error)}): try again.") from None


def _retry_after(response: httpx.Response) -> float | None:
    """Returns after how many seconds the server wants to be asked again. Returns None if the status is not
    429 or 503, or if the answer has no valid Retry-After header."""
    if response.status_code not in _AGAIN:
        return None
    try:
        wait_s = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.1, wait_s) if math.isfinite(wait_s) else None


def _refusal_of(response: httpx.Response) -> str:
    """Returns the message of an error answer, with a hint for users of the command line."""
    answer = json_of(response)
    message = answer.get("message") or f"{response.url} answers HTTP {response.status_code}."
    return f"{message}{_HINTS.get(str(answer.get('code')), '')}"


def _reason_of(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def say_aside(line: str) -> None:
    """Prints a line on stderr, since stdout is for the command's result."""
    say(line, sys.stderr)


@contextmanager
def server_at(
    url: str | None, key: str | None, *, jobs: Path | None = None, starts: bool = False
) -> Iterator[Api]:
    """Yields a client of the server at `url`, or else at GLM_TTS_URL, with the API key `key` or else
    GLM_TTS_API_KEY. The server at a URL is not asked whether it can speak.

    Without a URL, waits until the server of this folder can speak; if none runs, or with `starts`, one is
    started until the `with` block ends. The jobs of that server lie in the folder `jobs`; None has a folder
    made that goes with the server. Raises Failed, or StartupError for invalid settings."""
    url, key = url or os.environ.get("GLM_TTS_URL", ""), key or os.environ.get("GLM_TTS_API_KEY", "")
    if url:
        with Api(url, key) as api:
            yield api
        return
    settings = Settings.load()
    key = key or settings.key
    running = RunFolder.of(settings).server()
    if running is not None and not starts:
        with Api(Client(*running.address(settings)).url, key) as api:
            _wait_until_ready(api, "The server of this folder")
            yield api
    else:
        with _server_of_its_own(key, jobs) as api:
            yield api


@contextmanager
def _server_of_its_own(key: str, jobs: Path | None) -> Iterator[Api]:
    """Starts a server on a port that only this machine can reach, and yields its client once the server can
    speak. The server ends with the `with` block, and also with this process if that is killed. Raises Failed
    if the server ends before or cannot speak."""
    folder = Path(tempfile.mkdtemp(prefix="glm-tts-"))
    log_file = folder / "server.log"
    with socket.create_server(("127.0.0.1", 0)) as listener, log_file.open("wb") as log:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "glm_tts_api.serving", "uvicorn", APP]
        command += ["--private", str(os.getpid()), str(listener.fileno())]
        process = subprocess.Popen(
            command,
            # This server must not run others' jobs.
            env={**os.environ, "JOBS_DIR": str((jobs or folder / "jobs").absolute())},
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C goes to this command alone
        )

    def require_alive() -> None:
        if process.poll() is not None:
            last = (log_file.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise Failed(f"The server that this command started has ended: {last} (its log: {log_file})")

    try:
        say_aside("No server runs in this folder: one is started for this command.")
        with Api(f"http://127.0.0.1:{port}", key, require_alive) as api:
            health = _wait_until_ready(api, "It")
            if health.get("notice"):
                say_aside(str(health["notice"]))
            yield api
    finally:
        has_ended = process.poll() is not None  # then its log is kept for the user
        process.kill()
        process.wait()
        if not has_ended:
            shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(api: Api, who: str) -> dict[str, Any]:
    """Waits until the server can speak. Returns its health. The parameter `who` names the server in messages.
    Raises Failed if the server cannot load its model or is known to have ended."""
    began, told = monotonic(), False
    while (health := api.health()).get("status") not in ("healthy", "idle"):
        api.require_server()
        if health.get("status") == "unhealthy":
            raise Failed(f"{who} cannot speak: {health.get('cause')}")
        if not told and monotonic() - began >= _TELL_AFTER_S:
            told = True
            say_aside(f"{who} loads its model.")
        sleep(_LOOK_S)
    return health


def bar(unit: str, total: int, done: int = 0) -> Any:
    """Returns a tqdm progress bar that counts from `done` to `total` and shows the time left. Shown only on a
    terminal; removed at its end."""
    return tqdm(
        total=total,
        initial=done,
        unit=unit,
        disable=None,
        leave=False,
        dynamic_ncols=True,
        bar_format="{l_bar}{bar}| {n_fmt} of {total_fmt}{unit}, {remaining} left",
    )
