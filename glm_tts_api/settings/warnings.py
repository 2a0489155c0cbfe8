"""Warns about names that were meant to be settings but are not, and about settings that are valid alone but
do not fit the other settings or this machine."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import dotenv_values

from glm_tts_api.settings.machine import usable_cores
from glm_tts_api.validation import did_you_mean

if TYPE_CHECKING:
    from glm_tts_api.settings.settings import Settings

# The least ratio of difflib at which a name counts as misspelt. Many machines set HOST, KEYS and
# PROMPT_DIRTRIM, whose ratio to PROMPTS_DIR is 0.8.
_NEAR = 0.82
# The settings of earlier versions, and what the user sets now in place of each.
REMOVED = {
    "FLOW_DTYPE": "DTYPE=bf16 is for the flow and the LLM; DTYPE=int8 has the flow in bf16 where the CPU can",
    "GUARD": "a segment whose speech tokens cannot be right is always spoken again",
    "LOG_BACKUPS": "5 earlier logs are kept",
    "LOG_MAX_MB": "logrotate with copytruncate limits the log (docs/operations.md)",
    "MAX_LEXICON_WORDS": "the lexicon has room for 20000 words",
    "MAX_VOICES": "set MAX_VOICES_MB: as many megabytes of recordings, and as many voices, are kept",
    "OPENAI_VOICES": "set VOICE_ALIASES, which holds for every API and leaves the other names as they are",
    "PROMPT_MAX_CHARACTERS": "500 are allowed, and more in proportion where PROMPT_MAX_SECONDS is over 30",
    "RECENT_MB": "64 MB of the last answers are kept",
    "ROLLING_TIMEOUT": "set LONG_TEXT_TIMEOUT, which counts for the old server of a rolling restart too",
    "STALL_S": "an engine gets nothing new while a step takes longer than 30 s",
    "STREAM_BUFFER_S": "30 s of audio are made ahead of a client",
    "STREAM_CHUNKS": "streams leave in pieces of 25, 50, 120, 300 speech tokens, on a GPU of 12, 50, 300",
    "STREAM_STALL_S": "a client that takes nothing of its answer for 60 s is dropped",
    "STREAM_START": "a stream begins once its player can play to the end without a gap",
    "SYNTHETIC_MARK": "files of speech always say that they are synthetic",
    "WATCHDOG_S": "an engine whose step takes 120 s is ended; a slow machine gets more by itself",
    "WEIGHTS": "set DTYPE=int8, for the LLM's weights in 8 bits",
    "ZHIPU_VOICES": "set VOICE_ALIASES, which holds for every API and leaves the other names as they are",
}


def unknown_names(known: Collection[str], environment: Iterable[str], files: Iterable[Path]) -> Iterator[str]:
    """Yields a warning for each name that is not a setting. `known` are the settings' names in capitals.

    In one of the .env `files`, every name outside `known` is reported. The `environment` holds many names of
    other programs, so only the settings of earlier versions and names spelt nearly like a setting are
    reported there."""
    for file in files:
        for name in dotenv_values(file):
            if name.upper() not in known:
                yield f"{name} in {file.name} {_wrong(name, known)}"
    for name in environment:
        if name.upper() not in known and (name.upper() in REMOVED or _meant(name, known)):
            yield f"{name} in the environment {_wrong(name, known)}"


def _wrong(name: str, known: Collection[str]) -> str:
    if instead := REMOVED.get(name.upper()):
        return f"is a setting no more and has no effect: {instead}."
    return f"is not a setting and has no effect{_meant(name, known) or '.'}"


def _meant(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name.upper(), known, _NEAR)


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
