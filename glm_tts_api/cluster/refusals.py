"""Replaces the error answers of Ray's HTTP proxy by error answers in the form of the API that the client
called.

Ray sends plain text if its own queue is full or nothing is deployed yet, and no answer if a replica died with
a request. This middleware runs in the proxy of every node; the environment variable
RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH names `middlewares`.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glm_tts_api.api.error_responses import error_response
from glm_tts_api.errors import Loading, QueueFull, ReplicaLost, ServiceError
from glm_tts_api.logs import request_id_var

_RAYS_OWN_PATHS = "/-/"  # paths of the proxy itself, for load balancers and Ray's tools


def middlewares() -> list[Middleware]:
    return [Middleware(ShapedRefusals)]


class ShapedRefusals:
    """An ASGI middleware that passes on the answers of replicas, and replaces errors that come from Ray
    itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_RAYS_OWN_PATHS):
            await self._app(scope, receive, send)
            return
        refusal: ServiceError | None = ReplicaLost(
            "The replica that worked on this request ended before it could answer. Send the request again."
        )

        async def pass_on(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if message["status"] >= 400 and headers.get("content-type", "").startswith("text/plain"):
                    refusal = _meaning_of(message["status"])
                    return
                refusal = None
                headers["X-Request-Id"] = headers["X-Request-Id"]  # keeps one: the app and Ray both set it
            if refusal is None:
                await send(message)

        await self._app(scope, receive, pass_on)
        if refusal is not None:
            request_id = Headers(scope=scope)["x-request-id"]  # Ray adds this header where it is missing
            request_id_var.set(request_id)
            response = error_response(refusal, scope["path"])
            response.headers["X-Request-Id"] = request_id
            await response(scope, receive, send)


def _meaning_of(status: int) -> ServiceError:
    if status == 404:  # the app is not deployed yet, or is being replaced
        return Loading("No replica is ready yet. Try again shortly.")
    return QueueFull("The cluster is busy: every replica's lanes and queues are full. Try again soon.")
