"""Errors in the shape that OpenAI's clients read, with the statuses and headers that they act on."""

from __future__ import annotations

from typing import Any

from glm_tts_api.api.v1.errors import status_of
from glm_tts_api.errors import (
    DeadlineExceeded,
    InternalFault,
    MalformedPronunciation,
    NothingToSay,
    OutOfMemory,
    QueueFull,
    ServiceError,
    StorageFull,
    TextTooLong,
    UnknownVoice,
    VoiceExists,
    WrongKey,
)

PREFIX = "/v1/"
_STATUS: dict[type[ServiceError], int] = {
    WrongKey: 401,
    QueueFull: 429,
    UnknownVoice: 400,
    TextTooLong: 400,
    VoiceExists: 400,  # the SDKs try a 409 again
}
# Where the error itself names no field: the engine's do not.
_PARAM: dict[type[ServiceError], str] = {
    UnknownVoice: "voice",
    NothingToSay: "input",
    MalformedPronunciation: "input",
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
        kind = "authentication_error" if status == 403 else "invalid_request_error"
    param = error.param or _PARAM.get(type(error))
    code = "invalid_api_key" if isinstance(error, WrongKey) else error.code
    return {"error": {"message": error.message, "type": kind, "param": param, "code": code}}


def openai_status(error: ServiceError) -> int:
    return _STATUS.get(type(error), status_of(error))


def openai_headers(error: ServiceError) -> dict[str, str]:
    """The SDKs try a 408 or a 5xx again unless told otherwise."""
    return {"x-should-retry": "false"} if isinstance(error, _AFTER_WORK) else {}
