"""Names that were meant to be a setting and are none. Knows spelling and .env files; knows no setting."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from dotenv import dotenv_values

from glm_tts_api.validation import did_you_mean

_NEAR = 0.82  # difflib's ratio. Many machines set HOST, KEYS and PROMPT_DIRTRIM (0.8 from PROMPTS_DIR)


def unknown_names(known: Collection[str], environment: Iterable[str], files: Iterable[Path]) -> list[str]:
    """A sentence for each name of a file that is none of the `known` (capitals), and for each of the
    environment, which holds much that is not ours, that is spelt nearly like one of them."""
    return [
        *(
            f"{name} in {file.name} is not a setting and has no effect{_meant(name, known) or '.'}"
            for file in files
            for name in dotenv_values(file)
            if name.upper() not in known
        ),
        *(
            f"{name} in the environment is not a setting and has no effect{meant}"
            for name in environment
            if name.upper() not in known and (meant := _meant(name, known))
        ),
    ]


def _meant(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name.upper(), known, _NEAR)
