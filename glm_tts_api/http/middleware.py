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
from collections.abc import Callable
from contextlib import suppress

from starlette.datastructures import FormData, Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glm_tts_api.durable import is_full
from glm_tts_api.errors import (
    ClientGone,
    Draining,
    Forbidden,
    InternalFault,
    OutOfMemory,
    QueueFull,
    ServiceError,
    StorageFull,
    Unavailable,
    quote,
)
from glm_tts_api.http.connections import Connection, ConnectionLimits
from glm_tts_api.http.drain import InFlight
from glm_tts_api.http.origin import has_own_name
from glm_tts_api.http.sending import Answer, Unsent
from glm_tts_api.logs import request_id_var, without_text

logger = logging.getLogger(__name__)
BY_LINK = "is_by_link"  # true in the state of a request that a link has opened; a page may embed its answer
LOG = "log"  # the name of the request's log in the request's state, if its route has put one there
_PROBED = "/api/v1/health"  # its answers 503 are not logged: probes get many while a model loads
_TOO_MANY = "The server has as many connections as it can serve. Try again soon."
_OPEN = (_PROBED, f"{_PROBED}/live", "/health")
_SAFE = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContext:
    """Gives each request an id and its time of arrival, and answers the request if the app raises an error.
    Writes the request's log line when the last byte of the answer is sent, or when the connection has ended
    before that. `answer_error` makes the answer from an error and the request's path."""

    def __init__(
        self,
        app: ASGIApp,
        in_flight: InFlight,
        limits: ConnectionLimits,
        answer_error: Callable[[ServiceError, str], ASGIApp],
    ) -> None:
        self._app = app
        self._answer_error = answer_error
        self._in_flight = in_flight
        self._limits = limits
        self._unsent = Unsent(limits.unsent_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": _without_trailing_slash(scope)}
        request_id = _request_id(Headers(scope=scope))
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
                is_answered = True
                if message["type"] != "websocket.close":  # uvicorn answers it 403
                    MutableHeaders(scope=message)["X-Request-Id"] = scope["state"]["request_id"]
                is_accepted = message["type"] == "websocket.accept"
                outcome = "accepted" if is_accepted else f"refused: {message.get('status', 403)}"
                logger.info("WebSocket %s %s", quote(scope["path"]), outcome)
            await send(message)

        try:
            if _is_one_too_many(scope["state"].get("connection")):
                raise QueueFull(_TOO_MANY)
            await self._app(scope, receive, answer)
        except ServiceError as error:
            await self._answer_error(error, scope["path"])(scope, receive, answer)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        state, headers = scope["state"], Headers(scope=scope)
        connection: Connection | None = state.get("connection")
        # A proxy may have read another end of such a request (RFC 9112, section 6.1).
        has_two_lengths = "content-length" in headers and "transfer-encoding" in headers
        answer = Answer(
            send,
            request_id=state["request_id"],
            connection=connection,
            closes=lambda: (
                has_two_lengths
                or self._in_flight.leaving
                or self._in_flight.closing
                or _is_one_too_many(connection)
            ),
            limits=self._limits,
            unsent=self._unsent,
        )
        try:
            with self._in_flight.track(), suppress(ClientGone, ClientDisconnect):
                try:
                    left_to_say = await self._run(scope, receive, answer, connection)
                finally:
                    await _close_uploads(scope)
                if left_to_say is not None:
                    await self._answer_error(left_to_say, scope["path"])(scope, receive, answer)
        finally:
            if LOG in state:
                state[LOG].write(sent=answer.sent)  # the log that the request's route has put there
            elif answer.status >= 400 and scope["path"] != _PROBED:
                logger.info("%s %s refused: %d", quote(scope["method"]), quote(scope["path"]), answer.status)

    async def _run(
        self, scope: Scope, receive: Receive, answer: Answer, connection: Connection | None
    ) -> ServiceError | None:
        """Runs the app. Returns the error that is still to be answered. Returns None if the app has answered,
        or if a stop has cut off its answer. Raises ClientGone or ClientDisconnect if the client has left, and
        other errors if the answer had begun."""
        if _is_one_too_many(connection):
            return QueueFull(_TOO_MANY)
        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            if not self._in_flight.cut_off:
                raise
            if not answer.started:
                return Draining("The server stopped before this request was done.")
            await answer.cut()
        except (ClientGone, ClientDisconnect):
            raise  # nobody is there to answer
        except ServiceError as error:
            return error
        except Exception as error:
            shown = without_text(error)
            logger.error("%s %s failed", quote(scope["method"]), quote(scope["path"]), exc_info=shown)
            if answer.started:
                raise shown from None
            return _answer_to(error)
        return None


class OwnNames:
    """Refuses requests that call the server by a host name which may belong to a stranger (DNS rebinding), so
    that a stranger's web page reads nothing. `allowed` holds the server's own names. Only the health probes
    answer to every name. Raises Forbidden."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._answers(scope):
            await self._app(scope, receive, send)
            return
        host = quote(Headers(scope=scope)["host"])
        raise Forbidden(
            f"Without API_KEYS this server does not answer to the name '{host}': add it to ALLOWED_HOSTS "
            "if it is one of the server's own, or set API_KEYS."
        )

    def _answers(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return path in _OPEN or has_own_name(HTTPConnection(scope), self._allowed)


class SafeAnswers:
    """Adds security headers to each answer: browsers must not guess another content type, and must not show
    the answer inside another page. `is_private` says that no cache may keep an answer. `is_embedded` says
    that pages of other origins may play and show answers. A header that the route has set stays as it is."""

    def __init__(self, app: ASGIApp, *, is_private: bool, is_embedded: bool) -> None:
        self._app = app
        self._headers = {**_SAFE, **({"Cache-Control": "private, no-store"} if is_private else {})}
        self._is_embedded = is_embedded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"].endswith("http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if not self._is_embedded and not scope.get("state", {}).get(BY_LINK):
                    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
            await send(message)

        await self._app(scope, receive, with_headers)


def _answer_to(error: Exception) -> ServiceError:
    """Turns an unexpected exception into the error to be answered. If the machine lacks open files, disk
    space or memory, the error says so; any other exception becomes InternalFault."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return Unavailable(
            "The server can open no more files or connections now. Try again later, or raise its ulimit -n."
        )
    if isinstance(error, OSError) and is_full(error):
        return StorageFull("A disk of the server is full: make room, then try again.")
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return OutOfMemory("The server has no memory for this now. Try again later.")
    return InternalFault()


async def _close_uploads(scope: Scope) -> None:
    """Closes the request's uploaded files. This removes the large ones from the disk."""
    form: FormData | None = scope["state"].get("form")
    if form is not None:
        await form.close()


def _is_one_too_many(connection: Connection | None) -> bool:
    return connection is not None and connection.is_one_too_many


def _without_trailing_slash(scope: Scope) -> str:
    """Returns the request's path without slashes at its end, because no route has one; `/` alone stays. A
    redirect instead would look like an empty answer in curl."""
    path: str = scope["path"]
    bare = path.rstrip("/")
    return path if bare == scope.get("root_path", "").rstrip("/") else bare


def _request_id(headers: Headers) -> str:
    """Returns the client's X-Request-Id if it has 1 to 64 letters, digits, `.`, `_` or `-`, else a new id."""
    given = headers.get("x-request-id", "")
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
