"""The differences between the APIs that this server speaks, as one object for each API (Dialect); and our own
API's errors, which most dialects use. api/routes.py lists the dialects."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from glm_tts_api import errors
from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.fields import described
from glm_tts_api.errors import ServiceError
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


def status_of(kind: type[ServiceError]) -> int:
    """Returns the HTTP status of a class of errors under /api/v1, or that of its nearest base class."""
    return next(_STATUS[base] for base in kind.__mro__ if base in _STATUS)


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dialect:
    """An API, with all that differs from /api/v1.

    `name` is its name in the metrics, and `tag` its name in /docs. `text` and `voice` are the names of the
    fields for the text and for the voice. `streamed_by` is what asks for a stream, for the message of a
    passed deadline. `files_in_json` are the paths on which JSON may hold a recording. `routers` are the API's
    routes, in the order in which they are matched.

    `paths` are the beginnings of the paths on which errors have another form. `body` makes the body of an
    error from the error and its status, and `model` describes it for /docs. `statuses` has the statuses that
    differ. If `known_statuses` is not empty, any other status becomes 400. `stops_retries` says that the
    header x-should-retry keeps clients from repeating a request in vain. `base_url` is a sentence about the
    clients' base URL, for a wrong path, if the first of `paths` is that URL."""

    name: str
    tag: str
    text: str = "text"
    voice: str = "voice"
    streamed_by: str = "stream=true"
    paths: tuple[str, ...] = ()
    files_in_json: tuple[str, ...] = ()
    base_url: str = ""
    body: Callable[[ServiceError, int], dict[str, Any]] = _own_body
    model: type[BaseModel] = ErrorBody
    statuses: Mapping[type[ServiceError], int] = field(default_factory=dict)
    known_statuses: Collection[int] = ()
    stops_retries: bool = False
    routers: list[APIRouter] = field(default_factory=list)

    def router(
        self, prefix: str = "", *errors: int, tag: str = "", key: Any = KeyRequired, **options: Any
    ) -> APIRouter:
        """Makes a router for a part of the API's routes. All of them need `key`, unless it is None, and can
        answer with the statuses `errors`. `options` are further ones of APIRouter."""
        options["responses"] = {**options.get("responses", {}), **self.errors(*errors)}
        keys = [] if key is None else [key]
        self.routers.append(APIRouter(prefix=prefix, tags=[tag or self.tag], dependencies=keys, **options))
        return self.routers[-1]

    def errors(self, *statuses: int) -> dict[int | str, dict[str, Any]]:
        """Returns the `responses` of a route that can answer with the error `statuses`."""
        return {status: {"model": self.model} for status in statuses}

    def status(self, error: ServiceError) -> int:
        kind = type(error)
        status = self.statuses.get(kind) or status_of(kind)
        return status if not self.known_statuses or status in self.known_statuses else 400

    def error_body(self, error: ServiceError) -> dict[str, Any]:
        return self.body(error, self.status(error))


OWN = Dialect(name="v1", tag="", paths=("/api/v1/",), text="input_text", voice="index")
