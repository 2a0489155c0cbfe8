"""Who asks, as admission, the request log and the metrics know it. Knows no HTTP."""

from __future__ import annotations

from dataclasses import dataclass


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
