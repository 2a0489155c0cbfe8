"""ASGI middleware around every request. It gives the request an id, removes a slash at the end of its path,
counts it as unanswered, checks the host name that it calls, and sets security headers in its answer.

Starlette's BaseHTTPMiddleware is not used: it would hide a client's disconnect from the handlers.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glm_tts_api import errors
from glm_tts_api.durable import is_full
from glm_tts_api.errors import ClientGone, ServiceError, quote
from glm_tts_api.http.connections import Connection, ConnectionLimits, Held
from glm_tts_api.http.drain import InFlight
from glm_tts_api.http.origin import has_own_name
from glm_tts_api.logs import request_id_var, without_text

logger = logging.getLogger(__name__)
BY_LINK = "is_by_link"  # true in the state of a request that a link has opened; a page may embed its answer
_PROBED = "/api/v1/health"  # its answers 503 are not logged: probes get many while a model loads
_TOO_MANY = "The server has as many connections as it can serve. Try again soon."
_OPEN = (_PROBED, f"{_PROBED}/live", "/health")
_SAFE = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SAME_ORIGIN = {"Cross-Origin-Resource-Policy": "same-origin"}
_STANDARD = ("Accept-Ranges", "Content-Range", "ETag", "Retry-After", "Retry-After-Ms")
_OWN = "Audio-Seconds Finish-Reason Generation-Time Job-Id Request-Id Sample-Rate Warnings"
_BLOCK_BYTES = 64 * 1024
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass
class RequestContext:
    """Gives each request an id (the client's own, if it is sane) and its time of arrival, and answers the
    request if the app raises an error. Writes the request's log line when the last byte of the answer is
    sent, or when the connection has ended before that. `answer_error` makes the answer from an error and the
    request's path.

    Sets security headers in each answer, unless its route has set them: browsers must not guess another
    content type, and must not show the answer inside another page. `origins` are the origins (CORS_ORIGINS)
    whose pages may call the server and read its answers.

    `own_names` are the server's own host names. A request that calls the server by a name which may belong to
    a stranger (DNS rebinding) is refused, so that a stranger's web page reads nothing. Only the health probes
    answer to every name. `own_names` is None if the server has API keys: it then answers to every name, and
    no cache may keep an answer."""

    app: ASGIApp
    in_flight: InFlight
    limits: ConnectionLimits
    answer_error: Callable[[ServiceError, str], ASGIApp]
    origins: Sequence[str]
    own_names: frozenset[str] | None

    def __post_init__(self) -> None:
        self._unsent = Held(self.limits.unsent_bytes)
        private = {"Cache-Control": "private, no-store"} if self.own_names is None else {}
        self._headers = {**_SAFE, **private, **({} if self.origins else _SAME_ORIGIN)}
        self._with_origins = _allowing(self.origins)
        self.app = self._with_origins(self.app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        # No route has a slash at its end. A redirect to it would look like an empty answer in curl.
        bare, root = scope["path"].rstrip("/"), scope.get("root_path", "").rstrip("/")
        scope = {**scope, "path": scope["path"] if bare == root else bare}
        request_id = Headers(scope=scope).get("x-request-id", "")
        if not _SANE_ID.fullmatch(request_id):
            request_id = uuid.uuid4().hex
        scope.setdefault("state", {}).update(
            request_id=request_id, arrived_at=asyncio.get_running_loop().time()
        )
        token = request_id_var.set(request_id)
        try:
            serve = self._answer if scope["type"] == "http" else self._converse
            await serve(scope, receive, send)
        finally:
            request_id_var.reset(token)

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a WebSocket and logs whether it was accepted. The socket itself is not counted as an
        unanswered request, so an idle socket does not delay a stop. Its route counts each sentence
        instead."""

        is_answered = False

        async def answer(message: Message) -> None:
            nonlocal is_answered
            if not is_answered:
                is_answered, is_accepted = True, message["type"] == "websocket.accept"
                if message["type"] != "websocket.close":  # uvicorn answers it 403
                    headers = MutableHeaders(scope=message)
                    headers["X-Request-Id"] = scope["state"]["request_id"]
                    headers.update({} if is_accepted else self._headers)
                outcome = "accepted" if is_accepted else f"refused: {message.get('status', 403)}"
                logger.info("WebSocket %s %s", quote(scope["path"]), outcome)
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, receive, answer)
        except ServiceError as error:
            await self.answer_error(error, scope["path"])(scope, receive, answer)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        state, headers, flight = scope["state"], Headers(scope=scope), self.in_flight
        # A proxy may have read another end of such a request (RFC 9112, section 6.1).
        has_two_lengths = "content-length" in headers and "transfer-encoding" in headers
        answer = Answer(
            send,
            state,
            state.get("connection"),
            self._headers,
            closes=lambda: has_two_lengths or flight.leaving or flight.closing,
            limits=self.limits,
            unsent=self._unsent,
        )
        left_to_say: ServiceError | None = None
        try:
            with flight.track(), suppress(ClientGone, ClientDisconnect):
                try:
                    self._check(scope)
                    await self.app(scope, receive, answer)
                except (Exception, asyncio.CancelledError) as error:
                    left_to_say = await self._left_to_say(error, scope, answer)
                finally:
                    if "form" in state:
                        await state["form"].close()  # removes the large uploads from the disk
                if left_to_say is not None and not answer.status:
                    error_answer = self.answer_error(left_to_say, scope["path"])
                    await self._with_origins(error_answer)(scope, receive, answer)
                elif left_to_say is not None:
                    if "log" not in state:
                        logger.error("%s cut off: %s", quote(scope["path"]), left_to_say.code)
                    if answer.connection is not None:
                        await answer.connection.end()
        finally:
            if "log" in state:
                state["log"].write(sent=answer.sent)  # the log that the request's route has put there
            elif answer.status >= 400 and scope["path"] != _PROBED:
                logger.info("%s %s refused: %d", quote(scope["method"]), quote(scope["path"]), answer.status)

    async def _left_to_say(
        self, error: Exception | asyncio.CancelledError, scope: Scope, answer: Answer
    ) -> ServiceError | None:
        """Returns the error that is still to be answered, or that ends an answer in its middle. Returns None
        if a stop has cut off the answer. Raises the error again if the client has left, if the task was
        cancelled without a stop, and if the error is unexpected and the answer had begun."""
        if isinstance(error, asyncio.CancelledError):
            if not self.in_flight.cut_off:
                raise error
            if not answer.status:
                return errors.Draining("The server stopped before this request was done.")
            await answer.cut()
            return None
        if isinstance(error, (ClientGone, ClientDisconnect)):
            raise error  # nobody is there to answer
        if isinstance(error, ServiceError):
            return error
        shown = without_text(error)
        logger.error("%s %s failed", quote(scope["method"]), quote(scope["path"]), exc_info=shown)
        if answer.status:
            raise shown from None
        return _answer_to(error)

    def _check(self, scope: Scope) -> None:
        """Raises QueueFull for a connection beyond the limit, and Forbidden for a name of a stranger."""
        connection: Connection | None = scope["state"].get("connection")
        if connection is not None and connection.is_one_too_many:
            raise errors.QueueFull(_TOO_MANY)
        names, path = self.own_names, scope["path"].removeprefix(scope.get("root_path", ""))
        if names is not None and path not in _OPEN and not has_own_name(HTTPConnection(scope), names):
            host = quote(Headers(scope=scope)["host"])
            raise errors.Forbidden(
                f"Without API_KEYS this server does not answer to the name '{host}': add it to ALLOWED_HOSTS "
                "if it is one of the server's own, or set API_KEYS."
            )


def _answer_to(error: Exception) -> ServiceError:
    """Turns an unexpected exception into the error to be answered. If the machine lacks open files, disk
    space or memory, the error says so; any other exception becomes InternalFault."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return errors.Unavailable(
            "The server can open no more files or connections now. Try again later, or raise its ulimit -n."
        )
    if isinstance(error, OSError) and is_full(error):
        return errors.StorageFull("A disk of the server is full: make room, then try again.")
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return errors.OutOfMemory("The server has no memory for this now. Try again later.")
    return errors.InternalFault()


def _allowing(origins: Sequence[str]) -> Callable[[ASGIApp], ASGIApp]:
    """Returns the middleware that lets the web pages of `origins` (CORS_ORIGINS) call the server and read its
    answers. A foreign page without a key still may not change anything (http/origin.py)."""
    if not origins:
        return lambda app: app
    return partial(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=("GET", "POST", "PUT", "DELETE"),
        allow_headers=("*",),  # OpenAI's client sends a dozen headers of its own
        allow_private_network=True,  # Chrome asks for it when a public page calls a private network
        expose_headers=(*_STANDARD, *(f"X-{name}" for name in _OWN.split())),
    )


@dataclass
class Answer:
    """The ASGI `send` callable of the request with this `state`. Adds the X-Request-Id header to the answer,
    and those of `headers` that the route has not set. `status` is 0 until the answer has begun. `sent` says
    whether all of the answer has been sent. `closes` returns whether the connection is to be closed after the
    answer.

    Sends the body in blocks of 64 KiB, each within a time limit, and waits until the kernel has taken them.
    Otherwise a client that does not read would keep its answer in memory for ever, and a server that stops
    would take the bytes in a buffer for delivered."""

    send: Send
    state: Mapping[str, Any]
    connection: Connection | None
    headers: Mapping[str, str]
    closes: Callable[[], bool]
    limits: ConnectionLimits
    unsent: Held
    status: int = 0
    sent: bool = False

    async def __call__(self, message: Message) -> None:
        """Sends an ASGI message of the answer. For a part of the body, returns once the kernel has taken it.
        Raises ClientGone if the client has left, or if it has read nothing for `limits.send_s` seconds."""
        if message["type"] != "http.response.body":
            await self.send(self._begun(message))
            return
        body, more, connection = message.get("body", b""), message.get("more_body", False), self.connection
        if connection is not None:
            connection.has_whole_answer = not more
        try:
            for start in range(0, max(1, len(body)), _BLOCK_BYTES):
                if start:
                    await asyncio.sleep(0)  # other tasks have their turn, and a disconnect is noticed
                if connection is not None and connection.lost.is_set():
                    raise ClientGone
                self.unsent.hold(connection, len(body))
                block = body[start : start + _BLOCK_BYTES]
                is_last = start + _BLOCK_BYTES >= len(body) and not more
                async with asyncio.timeout(self.limits.send_s):
                    await self.send({"type": "http.response.body", "body": block, "more_body": not is_last})
                    if connection is not None and not await connection.sent():
                        raise ClientGone
        except TimeoutError:
            await self.cut()
            raise ClientGone from None
        finally:
            self.unsent.hold(connection, 0)
        self.sent = not more

    def _begun(self, message: Message) -> Message:
        """Notes the status of the answer that begins with `message`, and adds its headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.state["request_id"]
            for name, value in self.headers.items():
                if name not in _SAME_ORIGIN or not self.state.get(BY_LINK):
                    headers.setdefault(name, value)
            if self.closes() or (self.connection is not None and self.connection.is_one_too_many):
                headers["Connection"] = "close"
        return message

    async def cut(self) -> None:
        """Ends the connection at once, also if bytes of the answer are unsent."""
        if self.connection is not None:
            self.connection.cut()
        await asyncio.sleep(0)  # uvicorn notices the end before its app returns


@asynccontextmanager
async def cancelled_on_disconnect(receive: Receive) -> AsyncIterator[None]:
    """Cancels the code inside the `async with` block when the client disconnects, and raises ClientGone in
    place of CancelledError. Without it, a handler runs on after that. `receive` is the ASGI callable of a
    request whose body has already been read."""
    task = asyncio.current_task()
    assert task is not None
    cancels_before = task.cancelling()
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if gone and task.uncancel() <= cancels_before:
            raise ClientGone from None
        raise
    finally:
        watcher.cancel()
