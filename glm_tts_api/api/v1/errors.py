"""Errors as this server's own API answers them: an HTTP status for each, and one form of the body."""

from __future__ import annotations

from typing import Any

from glm_tts_api import errors
from glm_tts_api.errors import DeadlineExceeded, ServiceError
from glm_tts_api.logs import request_id_var

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


def status_of(error: ServiceError | type[ServiceError]) -> int:
    """Returns the HTTP status of the error's class, or of its nearest base class that has a status."""
    kind = error if isinstance(error, type) else type(error)
    return next(_STATUS[base] for base in kind.__mro__ if base in _STATUS)


def error_body(error: ServiceError) -> dict[str, Any]:
    return {
        "success": False,
        "message": error.message,
        "error": error.message,
        "detail": error.message,
        "code": error.code,
        "request_id": request_id_var.get(),
        **({"job": error.job} if isinstance(error, DeadlineExceeded) and error.job else {}),
    }
