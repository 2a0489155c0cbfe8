"""The units of a book, spoken by a server over HTTP, some at once. Knows asyncio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from time import monotonic
from typing import Any, Self

import httpx

from glm_tts_api import errors
from glm_tts_api.audio.encode import from_pcm16
from glm_tts_api.commandline.api import (
    Fields,
    Files,
    json_of,
    parts_of,
    reason_of,
    refusal_of,
    retry_after,
    say_aside,
)
from glm_tts_api.contracts import SAMPLE_RATE
from glm_tts_api.errors import ServiceError, Unavailable
from glm_tts_api.longform.job import Spoken, Unit

_PATIENCE_S = 120.0  # for a server that is not there: it may be started anew
_AGAIN_S = 2.0
# Errors that the runner knows how to handle; any other ends the run.
_KINDS: Mapping[str, type[ServiceError]] = {
    kind.code: kind
    for kind in (errors.NothingToSay, errors.DeadlineExceeded, errors.InternalFault, Unavailable)
}


class Speaker(AbstractAsyncContextManager["Speaker"]):
    """`options`: of httpx's clients. `fields`: of every unit, with the voice of the book, which may be a
    recording in `files`. `require_server` raises where the server is known to have ended."""

    def __init__(
        self,
        options: Mapping[str, Any],
        fields: Fields,
        files: Files | None,
        require_server: Callable[[], None],
    ) -> None:
        self._client = httpx.AsyncClient(**options)
        self._fields, self._files = fields, files
        self._require_server = require_server
        self._heard_at, self._is_lost = monotonic(), False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def speak(self, unit: Unit) -> Spoken:
        """Raises ServiceError."""
        fields = {**self._fields, "input_text": unit.text, "seed": str(unit.seed), "response_format": "pcm"}
        files = self._files
        if unit.voice is not None:
            fields["index"], files = unit.voice, None
            fields.pop("prompt_text", None)
        try:
            response = await self._client.post("/api/v1/tts", data=fields, files=parts_of(files))
        except httpx.HTTPError as error:
            raise self._lost(error) from None
        self._heard_at, self._is_lost = monotonic(), False
        if response.is_error:
            raise _error_of(response)
        return Spoken(from_pcm16(response.content), SAMPLE_RATE)

    def _lost(self, error: httpx.HTTPError) -> ServiceError:
        """The error for a broken connection: for some time one that is tried again."""
        self._require_server()
        lost = Unavailable(f"The server does not answer ({reason_of(error)}).")
        if monotonic() - self._heard_at < _PATIENCE_S:
            lost.retry_after_s = _AGAIN_S
            if not self._is_lost:
                say_aside(f"{lost.message} It is waited for, for {_PATIENCE_S:.0f} seconds.")
            self._is_lost = True
        return lost


def _error_of(response: httpx.Response) -> ServiceError:
    code = str(json_of(response).get("code"))
    kind = Unavailable if response.status_code in (429, 502, 503, 504) else _KINDS.get(code, ServiceError)
    error = kind(refusal_of(response))
    error.retry_after_s = retry_after(response)
    return error
