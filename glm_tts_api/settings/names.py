"""Finds names that were meant to be settings but are not. Knows spelling and .env files; knows no setting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from dotenv import dotenv_values

from glm_tts_api.validation import did_you_mean

# The least ratio of difflib at which a name counts as misspelt. Many machines set HOST, KEYS and
# PROMPT_DIRTRIM, whose ratio to PROMPTS_DIR is 0.8.
_NEAR = 0.82
# The settings of earlier versions, and what the user sets now in place of each.
REMOVED = {
    "FLOW_DTYPE": "DTYPE=bf16 is for the flow and the LLM; DTYPE=int8 has the flow in bf16 where the CPU can",
    "LOG_BACKUPS": "5 earlier logs are kept; LOG_MAX_MB says how large each gets",
    "MAX_LEXICON_WORDS": "the lexicon has room for 20000 words",
    "MAX_VOICES": "set MAX_VOICES_MB: as many megabytes of recordings, and as many voices, are kept",
    "OPENAI_VOICES": "set VOICE_ALIASES, which holds for every API and leaves the other names as they are",
    "STALL_S": "set WATCHDOG_S: after a quarter of it nothing new is begun",
    "STREAM_BUFFER_S": "30 s of audio are made ahead of a client",
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
