"""What happens to every request, as pure ASGI: its id, its path, its place among the unanswered, its size.

No BaseHTTPMiddleware: it would hide a client's leaving from the handlers.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glm_tts_api.errors import BodyTooLarge, Draining, InternalFault, ServiceError, quote
from glm_tts_api.logs import request_id_var
from glm_tts_api.web.error_handlers import INTERNAL_MESSAGE, error_response
from glm_tts_api.web.in_flight import InFlight
from glm_tts_api.web.listening import ClientGone
from glm_tts_api.web.request_log import HAS_LINE

logger = logging.getLogger(__name__)
_PROBED = "/api/v1/health"  # its 503 refuses nothing, and comes many times while a model loads
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContext:
    """Gives each request its id and its time of arrival, and answers for those that would get no answer."""

    def __init__(self, app: ASGIApp, in_flight: InFlight) -> None:
        self._app = app
        self._in_flight = in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": _without_trailing_slash(scope)}
        request_id = _request_id(Headers(scope=scope))
        scope.setdefault("state", {}).update(
            request_id=request_id, arrived_at=asyncio.get_running_loop().time()
        )
        token = request_id_var.set(request_id)
        try:
            answer = _Answer(send, request_id, self._in_flight)
            with self._in_flight.track():
                await self._answer(scope, receive, answer)
            if answer.status >= 400 and not scope["state"].get(HAS_LINE) and scope["path"] != _PROBED:
                logger.info("%s %s refused: %d", scope["method"], quote(scope["path"]), answer.status)
        finally:
            request_id_var.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            if not self._in_flight.cut_off or answer.started:
                raise
            await _send(Draining("The server stopped before this request was done."), scope, receive, answer)
        except (ClientGone, ClientDisconnect):
            return  # nobody is there to answer
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            if answer.started:
                raise
            await _send(InternalFault(INTERNAL_MESSAGE), scope, receive, answer)


class _Answer:
    """The way out: adds X-Request-Id and remembers the answer's status once it has begun."""

    def __init__(self, send: Send, request_id: str, in_flight: InFlight) -> None:
        self.status = 0
        self._send = send
        self._request_id = request_id
        self._in_flight = in_flight

    @property
    def started(self) -> bool:
        return self.status > 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._request_id
            if self._in_flight.closing:
                headers["Connection"] = "close"
        await self._send(message)


class UploadLimit:
    """Refuses a body over `max_bytes`: by its Content-Length before it arrives, else while it arrives."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes:
            await _send(self._too_large(), scope, receive, send)
            return
        n_received = 0

        async def counted() -> Message:
            nonlocal n_received
            message = await receive()
            n_received += len(message.get("body", b""))
            if n_received > self._max_bytes:
                raise self._too_large()
            return message

        await self._app(scope, counted, send)

    def _too_large(self) -> ServiceError:
        megabytes = self._max_bytes / 2**20
        return BodyTooLarge(f"The request's body is larger than {megabytes:g} MB (MAX_UPLOAD_MB).")


def _without_trailing_slash(scope: Scope) -> str:
    """The path without the slash that a browser or a script may put at its end: no route has one, and a
    redirect would be an empty answer to curl."""
    path: str = scope["path"]
    bare = path.rstrip("/")
    return path if bare == scope.get("root_path", "").rstrip("/") else bare


def _request_id(headers: Headers) -> str:
    """The client's own id if it is fit for a log line, else a new one."""
    given = headers.get("x-request-id", "")
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex


async def _send(error: ServiceError, scope: Scope, receive: Receive, send: Send) -> None:
    await error_response(error)(scope, receive, send)
