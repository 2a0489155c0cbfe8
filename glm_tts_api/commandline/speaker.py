"""Has a server speak the units of a book over HTTP, several at a time. Uses asyncio."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from time import monotonic
from typing import Any, Self

import httpx
import msgspec

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
from glm_tts_api.contracts import SAMPLE_RATE, VERDICTS, Verified
from glm_tts_api.errors import ServiceError, Unavailable
from glm_tts_api.longform.job import Spoken, Unit

_PATIENCE_S = 120.0  # how long a server may be gone, for a restart, before units fail
_AGAIN_S = 2.0
# Errors after which the runner tries again or goes on; any other error ends the run.
_KINDS: Mapping[str, type[ServiceError]] = {
    kind.code: kind
    for kind in (errors.NothingToSay, errors.DeadlineExceeded, errors.InternalFault, Unavailable)
}


class Speaker(AbstractAsyncContextManager["Speaker"]):
    """A client that has a server speak units. `options` are the arguments of the httpx client. `fields` are
    sent with every unit. The book's voice is named in `fields`, or its recording is in `files`. If `fields`
    has `verify`, each answer also has the recogniser's verdicts. `require_server` raises an error if the
    server is known to have ended."""

    def __init__(
        self,
        options: Mapping[str, Any],
        fields: Fields,
        files: Files | None,
        require_server: Callable[[], None],
    ) -> None:
        self._client = httpx.AsyncClient(**options)
        audio_format = "json" if "verify" in fields else "pcm"
        self._fields, self._files = {**fields, "response_format": audio_format}, files
        self._require_server = require_server
        self._heard_at, self._is_lost = monotonic(), False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def speak(self, unit: Unit) -> Spoken:
        """Has the server speak one unit of the book: by the unit's voice if it has one, else by the voice of
        the book. Raises ServiceError."""
        fields = {**self._fields, "input_text": unit.text, "seed": str(unit.seed)}
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
        if "verify" in self._fields:
            return _verified(response.json())
        return Spoken(from_pcm16(response.content), SAMPLE_RATE)

    def _lost(self, error: httpx.HTTPError) -> ServiceError:
        """Returns the error Unavailable for a broken connection. For two minutes after the server's last
        answer the error says that the runner shall try again after 2 s; later errors do not. Raises the error
        of `require_server`."""
        self._require_server()
        lost = Unavailable(f"The server does not answer ({reason_of(error)}).")
        if monotonic() - self._heard_at < _PATIENCE_S:
            lost.retry_after_s = _AGAIN_S
            if not self._is_lost:
                say_aside(f"{lost.message} It is waited for, for {_PATIENCE_S:.0f} seconds.")
            self._is_lost = True
        return lost


def _verified(answer: Mapping[str, Any]) -> Spoken:
    """Returns the speech in a JSON answer, with the worst of its verdicts."""
    with wave.open(io.BytesIO(base64.b64decode(answer["audio_base64"]))) as file:
        pcm = from_pcm16(file.readframes(file.getnframes()))
    verdicts = msgspec.convert(answer["verified"], list[Verified])
    worst = max(verdicts, key=lambda each: VERDICTS.index(each.verdict), default=None)
    return Spoken(pcm, answer["sample_rate"], worst)


def _error_of(response: httpx.Response) -> ServiceError:
    code = str(json_of(response).get("code"))
    kind = Unavailable if response.status_code in (429, 502, 503, 504) else _KINDS.get(code, ServiceError)
    error = kind(refusal_of(response))
    error.retry_after_s = retry_after(response)
    return error
