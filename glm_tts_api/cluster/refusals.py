"""Answers of Ray's HTTP proxy itself, put into the shape of the API that the client called.

Ray sends plain text where its own queue is full or nothing is deployed yet, and nothing at all where a
replica died with a request. Runs in the proxy of every node: there RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH
names `middlewares`.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glm_tts_api.api.error_handlers import error_response
from glm_tts_api.errors import Loading, QueueFull, ReplicaLost, ServiceError
from glm_tts_api.logs import request_id_var

_RAYS_OWN_PATHS = "/-/"  # paths that load balancers and Ray's tools ask the proxy for


def middlewares() -> list[Middleware]:
    return [Middleware(ShapedRefusals)]


class ShapedRefusals:
    """Passes on what the replicas answer; an error that is not theirs becomes one of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_RAYS_OWN_PATHS):
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        await self._app(scope, receive, answer)
        if answer.refusal is not None:
            request_id = Headers(scope=scope)["x-request-id"]  # which Ray sees to
            request_id_var.set(request_id)
            response = error_response(answer.refusal, scope["path"])
            response.headers["X-Request-Id"] = request_id
            await response(scope, receive, send)


class _Answer:
    """The way out. `refusal`: what is to be answered after all; None if the replica has begun its answer."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.refusal: ServiceError | None = ReplicaLost(
            "The replica that worked on this request ended before it could answer. Send the request again."
        )

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if message["status"] >= 400 and headers.get("content-type", "").startswith("text/plain"):
                self.refusal = _meaning_of(message["status"])
                return
            self.refusal = None
            headers["X-Request-Id"] = headers["X-Request-Id"]  # once: the app and Ray have each set it
        if self.refusal is None:
            await self._send(message)


def _meaning_of(status: int) -> ServiceError:
    if status == 404:  # no route to an app of ours: there is none yet, or it is being replaced
        return Loading("No replica is ready yet. Try again shortly.")
    return QueueFull("The cluster is busy: every replica's lanes and queues are full. Try again soon.")
