"""Types of settings that are lists: how each is written in an environment variable."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from glm_tts_api.validation import Allowed

# What clients of OpenAI's speech API choose from; some know no other names.
OPENAI_VOICE_NAMES = (
    *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
    *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
)
# What Zhipu's cloud calls its own voices; its guide's example asks for "female".
ZHIPU_VOICE_NAMES = ("tongtong", "chuichui", "xiaochen", "jam", "kazi", "douji", "luodo", "female")

_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^\s/*?#]+")


def _aliases(value: Any) -> Any:
    """`alloy=exampleA,echo=exampleB` as pairs."""
    if not isinstance(value, str):
        return value
    pairs = tuple(tuple(part.strip() for part in item.split("=")) for item in value.split(","))
    if not all(len(pair) == 2 and all(pair) for pair in pairs):
        raise ValueError
    return pairs


def _origins(value: Any) -> Any:
    """As browsers spell them: without a path, in small letters."""
    if not isinstance(value, str):
        return value
    origins = tuple(origin.strip().lower().rstrip("/") for origin in value.split(","))
    if not all(map(_ORIGIN.fullmatch, origins)):
        raise ValueError
    return origins


VoiceAliases = Annotated[
    tuple[tuple[str, str], ...],
    NoDecode,
    BeforeValidator(_aliases),
    Allowed("pairs like alloy=exampleA with commas between them"),
]
Origins = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(_origins),
    Allowed("origins like https://app.example.org with commas between them, or *"),
]
