"""Makes the answers to errors. Each has the shape of the API that the request's path belongs to."""

from __future__ import annotations

import math

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from glm_tts_api.api.elevenlabs.errors import PREFIXES as ELEVENLABS
from glm_tts_api.api.elevenlabs.errors import elevenlabs_body, elevenlabs_status
from glm_tts_api.api.openai.errors import PREFIX as OPENAI
from glm_tts_api.api.openai.errors import openai_body, openai_headers, openai_status
from glm_tts_api.api.v1.errors import error_body, status_of
from glm_tts_api.api.zhipu.errors import PREFIX as ZHIPU
from glm_tts_api.api.zhipu.errors import zhipu_body, zhipu_status
from glm_tts_api.errors import (
    DeadlineExceeded,
    InternalFault,
    InvalidField,
    MethodNotAllowed,
    NotFound,
    RangeNotSatisfiable,
    ServiceError,
    quote,
)

_OURS = "/api/v1/"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def error_response(error: ServiceError, path: str) -> Response:
    """Makes the answer to an error. Its status, body and headers are those of the API that the request's
    `path` belongs to (this server's own, OpenAI's, Zhipu's or ElevenLabs')."""
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
        headers["Retry-After-Ms"] = str(math.ceil(error.retry_after_s * 1000))  # OpenAI and Vercel read it
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.n_bytes}"
    if isinstance(error, DeadlineExceeded) and error.job:
        headers["X-Job-Id"] = error.job
    if path.startswith(ELEVENLABS):
        body, status = elevenlabs_body(error), elevenlabs_status(error)
    elif path.startswith(OPENAI):
        headers.update(openai_headers(error))
        body, status = openai_body(error), openai_status(error)
    elif path.startswith(ZHIPU):
        headers.update(openai_headers(error))
        body, status = zhipu_body(error), zhipu_status(error)
    else:
        body, status = error_body(error), status_of(error)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status_code=status, headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


async def _on_service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return error_response(error, request.url.path)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Answers FastAPI's own errors in the form of this server's errors. For an unknown path (404) or a method
    that a path does not have (405), the message says what is possible. Other errors below 500 become
    InvalidField, the rest InternalFault."""
    assert isinstance(error, HTTPException)
    path = quote(request.url.path)
    if error.status_code == 404:
        return _not_found(request, path)
    if error.status_code == 405:
        possible = _methods_of(request, request.scope["path"])
        hint = f"send {' or '.join(possible)}, as /docs describes"
        refused = MethodNotAllowed(f"{quote(request.method)} is not possible on {path}: {hint}.")
        response = error_response(refused, request.url.path)
        response.headers["Allow"] = ", ".join(possible)
        return response
    if error.status_code < 500:
        return error_response(InvalidField(quote(str(error.detail))), request.url.path)
    return error_response(InternalFault(), request.url.path)


def _not_found(request: Request, shown: str) -> Response:
    """Answers that the path does not exist. If the path only lacks /v1 or /api/v1 or has it twice, as with a
    wrong base URL, the message names the right path. `shown` is the path for the message."""
    rest = "/".join(part for part in request.url.path.split("/") if part not in ("", "api", "v1"))
    for meant in (f"{OPENAI}{rest}", f"{_OURS}{rest}"):
        if rest and meant != request.url.path and _methods_of(request, meant):
            hint = " An OpenAI client's base URL ends in /v1." if meant.startswith(OPENAI) else ""
            refused = NotFound(f"There is no {shown} here; did you mean {meant}?{hint}")
            return error_response(refused, meant)
    return error_response(NotFound(f"There is no {shown} here; /docs lists every route."), request.url.path)


def _methods_of(request: Request, path: str) -> list[str]:
    """Returns the methods of all routes with this path. Starlette itself names only those of the first
    route."""
    return [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "path": path, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    refused = InvalidField(f"{first['loc'][-1]}: {quote(str(first['msg']))}")
    return error_response(refused, request.url.path)
