"""Errors in the form of Zhipu's cloud, with the cloud's HTTP statuses and error numbers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from glm_tts_api.api.v1.errors import status_of
from glm_tts_api.errors import QueueFull, ServiceError, UnknownVoice


class ZhipuErrorDetail(BaseModel):
    """An error, in the form of Zhipu's API."""

    code: str = Field(description="The number of the error in Zhipu's API.", examples=["1214"])
    message: str = Field(description="The error in one sentence.", examples=["input is missing."])


class ZhipuError(BaseModel):
    """The answer to every error on Zhipu's routes."""

    error: ZhipuErrorDetail


PREFIX = "/api/paas/v4/"
_CODES = {
    400: "1214",  # an invalid parameter
    401: "1001",  # no Authorization header
    403: "1220",  # no permission
    404: "1222",  # no such API
    405: "1222",
    429: "1302",  # too many at once
    500: "500",
}
_FAILED = "1230"  # the call was begun and failed


def zhipu_body(error: ServiceError) -> dict[str, Any]:
    return {"error": {"code": _CODES.get(zhipu_status(error), _FAILED), "message": error.message}}


def zhipu_status(error: ServiceError) -> int:
    """Returns the HTTP status of an error on Zhipu's routes. A status that Zhipu's cloud does not have
    becomes 400, except 408 and 503."""
    if isinstance(error, QueueFull):
        return 429
    if isinstance(error, UnknownVoice):
        return 400
    status = status_of(error)
    return status if status in _CODES or status in (408, 503) else 400
