"""The client of a request, as admission, the request log and the metrics know it. Knows no HTTP."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from glm_tts_api.contracts import SpeechRequest
from glm_tts_api.errors import Forbidden, RateLimited

_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Client:
    """`name`: of its key, else its address. The limits are those of a named key, None for none: `places` that
    it holds at once, requests that it begins in a minute, names of the `voices` that it may use."""

    name: str
    is_named: bool = False
    places: int | None = None
    requests_a_minute: int | None = None
    voices: frozenset[str] | None = None


ANYONE = Client("-")


def require_voices(client: Client, asked: SpeechRequest) -> None:
    """Raises Forbidden where the request calls for a voice that the client may not use; a recording in the
    request is such a voice too."""
    if client.voices is None:
        return
    wanted = {getattr(voice, "name", None) for voice in (asked.voice, *asked.others.values())}
    if not wanted <= client.voices:
        allowed = ", ".join(sorted(client.voices))
        raise Forbidden(f"The key {client.name} is for these voices alone (API_KEYS_FILE): {allowed}.")


@dataclass(frozen=True, slots=True)
class RequestRates:
    """The requests that each client with a limit has begun within a minute."""

    _begun: dict[str, deque[float]] = field(default_factory=dict)

    def begin(self, client: Client) -> None:
        """Raises RateLimited where the client has begun as many as it may."""
        most = client.requests_a_minute
        if most is None:
            return
        now, begun = time.monotonic(), self._begun.setdefault(client.name, deque())
        while begun and begun[0] <= now - _MINUTE_S:
            begun.popleft()
        if len(begun) >= most:
            raise RateLimited(
                f"The key {client.name} may begin {most} requests a minute (API_KEYS_FILE: "
                "requests_a_minute). Try again later.",
                begun[-most] + _MINUTE_S - now,
            )
        begun.append(now)
