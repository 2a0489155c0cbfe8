"""Warns about settings that are valid alone but do not fit the other settings or this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from glm_tts_api.settings.machine import usable_cores

if TYPE_CHECKING:
    from glm_tts_api.settings.settings import Settings


def contradictions(settings: Settings) -> Iterator[str]:
    """Yields a warning for each setting that does not fit the other settings or this machine."""
    if settings.cpu_threads > usable_cores():
        yield (
            f"CPU_THREADS={settings.cpu_threads} is more than this process has cores to use "
            f"({usable_cores()}): its threads will wait for one another; unset, it is that number."
        )
    if os.environ.get("FORWARDED_ALLOW_IPS") and not settings.api_keys:
        yield (
            "FORWARDED_ALLOW_IPS is set, so there is a proxy before this server: set API_KEYS too, for "
            "without keys whoever comes through a proxy may only speak, whatever address it claims."
        )
    if "*" in settings.cors_origins and not settings.api_keys:
        yield (
            "CORS_ORIGINS=* without API_KEYS: every web page that anyone opens who can reach this server "
            "may speak here and read its voices. Name the pages' origins, or set API_KEYS."
        )
