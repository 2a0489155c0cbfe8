"""The APIs that this server speaks: which paths belong to each, and how each answers errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from glm_tts_api import errors
from glm_tts_api.api.fields import described
from glm_tts_api.errors import ServiceError, quote
from glm_tts_api.logs import request_id_var

EXAMPLE_ID = "6f1f0a5d4a5c4f0f8f6a9a7c3f0f2f11"
_STATUS: dict[type[ServiceError], int] = {
    errors.BadRequest: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.DeadlineExceeded: 408,
    errors.VoiceExists: 409,
    errors.JobRefuses: 409,
    errors.VoiceChanged: 412,
    errors.TextTooLong: 413,
    errors.BodyTooLarge: 413,
    errors.StorageFull: 507,
    errors.NotAudio: 415,
    errors.RateLimited: 429,
    errors.RangeNotSatisfiable: 416,
    errors.UnparsableBody: 422,
    errors.Unavailable: 503,
    ServiceError: 500,
}


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


def status_of(kind: type[ServiceError]) -> int:
    """Returns the HTTP status of a class of errors under /api/v1, or that of its nearest base class."""
    return next(_STATUS[base] for base in kind.__mro__ if base in _STATUS)


@dataclass(frozen=True, slots=True)
class Dialect:
    """An API. `paths` are the beginnings of its paths.

    `body` makes the body of an error from the error and its status. `statuses` has the statuses that differ
    from those under /api/v1. If `known_statuses` is not empty, any other status becomes 400. `stops_retries`
    says that the header x-should-retry keeps the API's clients from repeating a request in vain."""

    paths: tuple[str, ...]
    body: Callable[[ServiceError, int], dict[str, Any]]
    statuses: Mapping[type[ServiceError], int] = field(default_factory=dict)
    known_statuses: Collection[int] = ()
    stops_retries: bool = False

    def status(self, error: ServiceError) -> int:
        kind = type(error)
        status = self.statuses.get(kind) or status_of(kind)
        return status if not self.known_statuses or status in self.known_statuses else 400

    def error_body(self, error: ServiceError) -> dict[str, Any]:
        return self.body(error, self.status(error))


def dialect_of(path: str) -> Dialect:
    return next((each for each in (ELEVENLABS, OPENAI, ZHIPU) if path.startswith(each.paths)), OWN)


SameSentence = Annotated[
    str, described("The same sentence.", "sampling must be a whole number from 1 to 100.")
]


class ErrorBody(BaseModel):
    """The answer to every error under /api/v1."""

    success: Literal[False] = False
    message: str = described(
        "What went wrong, in one sentence.", "sampling must be a whole number from 1 to 100."
    )
    error: SameSentence
    detail: SameSentence
    code: str = described("The kind of error, for programs.", "invalid_field")
    request_id: str = described("The id of the request in the server's log.", EXAMPLE_ID)
    job: str | None = described(
        "With status 408: the id of the job that keeps the finished part of the answer, if there is one.",
        None,
        default=None,
    )


def _own_body(error: ServiceError, status: int) -> dict[str, Any]:
    return {
        "success": False,
        "message": error.message,
        "error": error.message,
        "detail": error.message,
        "code": error.code,
        "request_id": request_id_var.get(),
        **({"job": error.job} if isinstance(error, errors.DeadlineExceeded) and error.job else {}),
    }


class OpenAIErrorDetail(BaseModel):
    """An error, in the form of OpenAI's API."""

    message: str = described("The error in one sentence.", "input is missing.")
    type: str = described("The kind of error.", "invalid_request_error")
    param: str | None = described("The field that the error is about.", "input")
    code: str = described("The error's name, for programs.", "invalid_field")


class OpenAIError(BaseModel):
    """The answer to every error on OpenAI's routes."""

    error: OpenAIErrorDetail


# The field at fault, for errors that do not name it themselves, such as the engine's.
_PARAM: dict[type[ServiceError], str] = {
    errors.UnknownVoice: "voice",
    errors.NothingToSay: "input",
    errors.MalformedPronunciation: "input",
}


def _openai_body(error: ServiceError, status: int) -> dict[str, Any]:
    if status == 429:
        kind = "rate_limit_error"
    elif status >= 500:
        kind = "server_error"
    else:
        kind = "authentication_error" if status == 403 else "invalid_request_error"
    param = error.param or _PARAM.get(type(error))
    code = "invalid_api_key" if isinstance(error, errors.WrongKey) else error.code
    return {"error": {"message": error.message, "type": kind, "param": param, "code": code}}


class ZhipuErrorDetail(BaseModel):
    """An error, in the form of Zhipu's API."""

    code: str = described("The number of the error in Zhipu's API.", "1214")
    message: str = described("The error in one sentence.", "input is missing.")


class ZhipuError(BaseModel):
    """The answer to every error on Zhipu's routes."""

    error: ZhipuErrorDetail


_ZHIPU_CODES = {
    400: "1214",  # an invalid parameter
    401: "1001",  # no Authorization header
    403: "1220",  # no permission
    404: "1222",  # no such API
    405: "1222",
    408: "1230",  # the call was begun and failed
    429: "1302",  # too many at once
    500: "500",
    503: "1230",
}


class ElevenLabsErrorDetail(BaseModel):
    """An error, in words and as a name for programs."""

    status: str = described("The kind of error, for programs.", "invalid_field")
    message: str = described("The error in one sentence.", "text is missing.")


class ElevenLabsError(BaseModel):
    """The answer to every error on ElevenLabs' routes."""

    detail: ElevenLabsErrorDetail


OWN = Dialect(("/api/v1/",), _own_body)
OPENAI = Dialect(
    ("/v1/",),
    _openai_body,
    statuses={
        errors.WrongKey: 401,
        errors.QueueFull: 429,
        errors.UnknownVoice: 400,
        errors.TextTooLong: 400,
        errors.VoiceExists: 400,  # OpenAI's SDKs repeat a request after a 409
    },
    stops_retries=True,
)
ZHIPU = Dialect(
    ("/api/paas/v4/",),
    lambda error, status: {"error": {"code": _ZHIPU_CODES[status], "message": error.message}},
    statuses={errors.QueueFull: 429, errors.UnknownVoice: 400, errors.UnknownMood: 400},
    known_statuses=_ZHIPU_CODES,
    stops_retries=True,
)
ELEVENLABS = Dialect(
    ("/v1/text-to-speech/", "/v1/voices", "/v2/voices"),
    lambda error, status: {"detail": {"status": error.code, "message": error.message}},
    statuses={errors.QueueFull: 429, errors.TextTooLong: 400, errors.WrongKey: 401},
)


def error_response(error: ServiceError, path: str) -> Response:
    """Makes the answer to an error. Its status, body and headers are those of the API that the request's
    `path` belongs to."""
    dialect, headers = dialect_of(path), dict[str, str]()
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
    for dialect in (OPENAI, OWN):
        meant = f"{dialect.paths[0]}{rest}"
        if rest and meant != path and _methods_of(request, meant):
            hint = " An OpenAI client's base URL ends in /v1." if dialect is OPENAI else ""
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
