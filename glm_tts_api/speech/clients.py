"""The client of a request and the limits that its API key sets, as admission, the request log and the metrics
use them. Knows no HTTP."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass

from glm_tts_api.errors import Forbidden, RateLimited
from speech_text.marks import in_mood

_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Client:
    """The client that sent a request. `name` is the name of its API key, and `is_named` is then true. A
    client without a named key has its address as its name.

    The limits are those of the key; None is no limit. `places` is the number of places in the lanes that the
    client may hold at once. `requests_a_minute` is the number of requests that the client may begin in a
    minute. `voices` has the names of the voices that the client may use; all moods of a voice are allowed
    with it.
    """

    name: str
    is_named: bool = False
    places: int | None = None
    requests_a_minute: int | None = None
    voices: frozenset[str] | None = None


ANYONE = Client("-")


def may_use(client: Client, voice: str | None) -> bool:
    """Returns whether `client` may use the registered voice with the name `voice`. If `voice` is None, the
    voice is a recording that was sent with the request; only a client without a limit on voices may use
    that."""
    return client.voices is None or (voice is not None and in_mood(voice, "") in client.voices)


def require_voice(client: Client, voice: str | None) -> None:
    """Raises Forbidden where `client` may not use the voice of this name (see `may_use`)."""
    if not may_use(client, voice):
        allowed = ", ".join(sorted(client.voices or ()))
        raise Forbidden(f"The key {client.name} is for these voices alone (API_KEYS_FILE): {allowed}.")


class RequestRates:
    """Limits how many requests a client begins in a minute."""

    def __init__(self) -> None:
        self._begun: defaultdict[str, deque[float]] = defaultdict(deque)  # within a minute, by client

    def begin(self, client: Client) -> None:
        """Counts a request that `client` begins now. Raises RateLimited, and does not count the request, if
        the client has begun as many requests as it may within the last 60 seconds. The error says after how
        many seconds the client may try again."""
        most = client.requests_a_minute
        if most is None:
            return
        now, begun = time.monotonic(), self._begun[client.name]
        while begun and begun[0] <= now - _MINUTE_S:
            begun.popleft()
        if len(begun) >= most:
            raise RateLimited(
                f"The key {client.name} may begin {most} requests a minute (API_KEYS_FILE: "
                "requests_a_minute). Try again later.",
                retry_after_s=begun[-most] + _MINUTE_S - now,
            )
        begun.append(now)
