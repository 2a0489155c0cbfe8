"""Errors in the shape that OpenAI's clients read, with the statuses and headers that they act on."""

from __future__ import annotations

from typing import Any

from glm_tts_api.api.v1.errors import status_of
from glm_tts_api.errors import (
    DeadlineExceeded,
    InternalFault,
    OutOfMemory,
    QueueFull,
    ServiceError,
    StorageFull,
    TextTooLong,
    UnknownVoice,
    VoiceExists,
)

PREFIX = "/v1/"
_STATUS: dict[type[ServiceError], int] = {
    QueueFull: 429,
    UnknownVoice: 400,
    TextTooLong: 400,
    VoiceExists: 400,  # the SDKs try a 409 again
}
# Asked again, the same work would be done for nothing.
_AFTER_WORK = (DeadlineExceeded, InternalFault, OutOfMemory, StorageFull)


def openai_body(error: ServiceError) -> dict[str, Any]:
    status = openai_status(error)
    if status == 429:
        kind = "rate_limit_error"
    elif status >= 500:
        kind = "server_error"
    else:
        kind = "authentication_error" if status in (401, 403) else "invalid_request_error"
    return {"error": {"message": error.message, "type": kind, "param": None, "code": error.code}}


def openai_status(error: ServiceError) -> int:
    return _STATUS.get(type(error), status_of(error))


def openai_headers(error: ServiceError) -> dict[str, str]:
    """The SDKs try a 408 or a 5xx again unless told otherwise."""
    return {"x-should-retry": "false"} if isinstance(error, _AFTER_WORK) else {}
