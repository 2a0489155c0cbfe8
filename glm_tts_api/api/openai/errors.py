"""Errors in the shape that OpenAI's clients read, with the statuses and headers that they act on."""

from __future__ import annotations

from typing import Any

from glm_tts_api.api.v1.errors import status_of
from glm_tts_api.errors import (
    DeadlineExceeded,
    FatalText,
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
    VoiceExists: 400,  # OpenAI's SDKs repeat a request after a 409
}
# The field at fault, for errors that do not name it themselves, such as the engine's.
_PARAM: dict[type[ServiceError], str] = {
    UnknownVoice: "voice",
    NothingToSay: "input",
    MalformedPronunciation: "input",
}
# After these errors, a repeated request would only do the same work again in vain.
_AFTER_WORK = (DeadlineExceeded, FatalText, InternalFault, OutOfMemory, StorageFull)


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
    """Returns the header x-should-retry: false for errors after which a retry is useless, and no header for
    other errors. Without this header, OpenAI's SDKs repeat a request after a 408 or a 5xx."""
    return {"x-should-retry": "false"} if isinstance(error, _AFTER_WORK) else {}
