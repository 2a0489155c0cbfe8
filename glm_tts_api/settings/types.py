"""Types of settings: how each is written in an environment variable, and its bounds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from glm_tts_api.validation import Allowed

# Voice names of other services, which all stand for the voice exampleA: those of OpenAI's speech API (some
# clients allow no others), of Zhipu's cloud (its guide uses "female"), and of Kokoro (English and Chinese).
KNOWN_ALIASES = dict.fromkeys(
    (
        *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
        *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
        *("tongtong", "chuichui", "xiaochen", "jam", "kazi", "douji", "luodo", "female"),
        *("af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nicole", "af_nova"),
        *("af_river", "af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam"),
        *("am_michael", "am_onyx", "am_puck", "am_santa", "bf_alice", "bf_emma", "bf_isabella", "bf_lily"),
        *("bm_daniel", "bm_fable", "bm_george", "bm_lewis", "zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao"),
        *("zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia", "zm_yunyang"),
    ),
    "exampleA",
)

_HOST = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^\s/*?#]+")


def _alias(item: str) -> tuple[str, str]:
    """Parses `alloy=exampleA` into two names."""
    name, voice = (part.strip() for part in item.split("="))
    if not (name and voice):
        raise ValueError
    return name, voice


def _origin(item: str) -> str:
    """Spells a web origin as browsers do: in small letters, without a slash at the end."""
    origin = item.lower().rstrip("/")
    if not _ORIGIN.fullmatch(origin):
        raise ValueError
    return origin


def _key(item: str) -> str:
    if not item.isprintable():  # unfit for a header
        raise ValueError
    return item


def _host(item: str) -> str:
    if item and not _HOST.fullmatch(item):
        raise ValueError
    return item


def _listed(parse: Callable[[str], Any], noun: str, more: str = "") -> tuple[Any, ...]:
    """Returns the metadata of a setting that is a list with commas. `parse` parses an item, or raises
    ValueError; empty items that it returns are left out. A list without items is refused: a user who sets
    API_KEYS does not want the server open to everyone. `noun` and `more` say in words what is allowed."""

    def split(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        items = tuple(item for text in value.split(",") if (item := parse(text.strip())))
        if not items:
            raise ValueError
        return items

    return (NoDecode, BeforeValidator(split), Allowed(f"{noun} with commas between them{more}"))


Concurrency = Annotated[int, Field(ge=1, le=1024)]
Replicas = Annotated[int, Field(ge=1, le=10_000)]
Seconds = Annotated[float, Field(ge=0.1, le=86400), Allowed("a number of seconds from 0.1 to 86400")]
RecordingSeconds = Annotated[float, Field(ge=0.1, le=600)]
Keys = Annotated[tuple[str, ...], *_listed(_key, "keys of printable characters")]
Key = Annotated[str, BeforeValidator(_key), Allowed("a key of printable characters")]
Hosts = Annotated[
    tuple[str, ...],
    *_listed(_host, "host names without a port and", ", .example.org for all below it, or *"),
]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$"), Allowed("auto, cpu, cuda or cuda:N")]
VoiceAliases = Annotated[tuple[tuple[str, str], ...], *_listed(_alias, "pairs like alloy=exampleA")]
Origins = Annotated[
    tuple[str, ...],
    *_listed(_origin, "origins like https://app.example.org", ", or *"),
]
