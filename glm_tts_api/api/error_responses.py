"""The answers to errors. Each has the status, the body and the headers of the API to which its path
belongs."""

from __future__ import annotations

import math

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from glm_tts_api import errors
from glm_tts_api.api.dialects import OWN, Dialect
from glm_tts_api.api.routes import DIALECTS
from glm_tts_api.errors import ServiceError, quote

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# After these errors, a repeated request would only do the same work again in vain. OpenAI's SDKs repeat a
# request after a 408 or a 5xx without the header x-should-retry.
_AFTER_WORK = (
    errors.DeadlineExceeded,
    errors.FatalText,
    errors.InternalFault,
    errors.OutOfMemory,
    errors.StorageFull,
)


def _dialect_of(path: str) -> Dialect:
    """Returns the dialect with the longest beginning of `path`; our own if there is none."""
    fitting = (
        (len(begin), dialect) for dialect in DIALECTS for begin in dialect.paths if path.startswith(begin)
    )
    return max(fitting, key=lambda each: each[0], default=(0, OWN))[1]


def error_response(error: ServiceError, path: str) -> Response:
    """Makes the answer to an error. Its status, body and headers are those of the API that the request's
    `path` belongs to."""
    dialect, headers = _dialect_of(path), dict[str, str]()
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
        headers["Retry-After-Ms"] = str(math.ceil(error.retry_after_s * 1000))  # OpenAI and Vercel read it
    if isinstance(error, errors.RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.n_bytes}"
    if isinstance(error, errors.DeadlineExceeded) and error.job:
        headers["X-Job-Id"] = error.job
    if dialect.stops_retries and isinstance(error, _AFTER_WORK):
        headers["x-should-retry"] = "false"
    status = dialect.status(error)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(dialect.error_body(error), status_code=status, headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    """Gives FastAPI's own errors the form of this server's. RequestContext answers a ServiceError."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """For an unknown path (404) or a method that a path does not have (405), the message says what is
    possible. Other errors below 500 become InvalidField, the rest InternalFault."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 404:
        return _not_found(request, path)
    if error.status_code == 405:
        possible = _methods_of(request, request.scope["path"])
        hint = f"send {' or '.join(possible)}, as /docs describes"
        refused = errors.MethodNotAllowed(
            f"{quote(request.method)} is not possible on {quote(path)}: {hint}."
        )
        response = error_response(refused, path)
        response.headers["Allow"] = ", ".join(possible)
        return response
    is_ours = error.status_code >= 500
    return error_response(
        errors.InternalFault() if is_ours else errors.InvalidField(quote(str(error.detail))), path
    )


def _not_found(request: Request, path: str) -> Response:
    """Answers that the path does not exist. If the path only lacks /v1 or /api/v1 or has it twice, as with a
    wrong base URL, the message names the right path."""
    rest = "/".join(part for part in path.split("/") if part not in ("", "api", "v1"))
    for dialect in (*(each for each in DIALECTS if each.base_url), OWN):
        meant = f"{dialect.paths[0]}{rest}"
        if rest and meant != path and _methods_of(request, meant):
            hint = f" {dialect.base_url}".rstrip()
            refused = errors.NotFound(f"There is no {quote(path)} here; did you mean {meant}?{hint}")
            return error_response(refused, meant)
    return error_response(errors.NotFound(f"There is no {quote(path)} here; /docs lists every route."), path)


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
    refused = errors.InvalidField(f"{first['loc'][-1]}: {quote(str(first['msg']))}")
    return error_response(refused, request.url.path)
