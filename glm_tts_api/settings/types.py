"""Types of settings: how each is written in an environment variable, and its bounds."""

from __future__ import annotations

import re
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


def _aliases(value: Any) -> Any:
    """Parses `alloy=exampleA,echo=exampleB` into pairs of names. Raises ValueError."""
    if not isinstance(value, str):
        return value
    pairs = tuple(tuple(part.strip() for part in item.split("=")) for item in value.split(","))
    if not all(len(pair) == 2 and all(pair) for pair in pairs):
        raise ValueError
    return pairs


def _origins(value: Any) -> Any:
    """Splits web origins at commas, and spells each as browsers do: in small letters, without a slash at the
    end. Raises ValueError if one is not an origin."""
    if not isinstance(value, str):
        return value
    origins = tuple(origin.strip().lower().rstrip("/") for origin in value.split(","))
    if not all(map(_ORIGIN.fullmatch, origins)):
        raise ValueError
    return origins


def _split_keys(value: Any) -> Any:
    """Splits keys at commas. Raises ValueError if a key cannot be sent in a header, or if there is no key: a
    user who sets API_KEYS does not want the server open to everyone."""
    if not isinstance(value, str):
        return value
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    if not keys or not all(key.isprintable() for key in keys):  # fit for a header
        raise ValueError
    return keys


def _printable(value: str) -> str:
    if not value.isprintable():  # unfit for a header
        raise ValueError
    return value


def _split_hosts(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    hosts = tuple(host.strip() for host in value.split(",") if host.strip())
    if not hosts or not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError
    return hosts


def _chunk_sizes(value: Any) -> Any:
    """Parses chunk sizes: whole numbers from 1 to 1000, separated by commas. Raises ValueError, so that the
    error shows the whole value and not only the wrong number."""
    sizes = tuple(map(int, value.split(","))) if isinstance(value, str) else value
    if not all(1 <= size <= 1000 for size in sizes):
        raise ValueError
    return sizes


Concurrency = Annotated[int, Field(ge=1, le=1024)]
Replicas = Annotated[int, Field(ge=1, le=10_000)]
SECONDS = (Field(ge=0.1, le=86400), Allowed("a number of seconds from 0.1 to 86400"))
Seconds = Annotated[float, *SECONDS]
RecordingSeconds = Annotated[float, Field(ge=0.1, le=600)]
Keys = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(_split_keys),
    Allowed("keys of printable characters with commas between them"),
]
Key = Annotated[str, BeforeValidator(_printable), Allowed("a key of printable characters")]
Hosts = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(_split_hosts),
    Allowed("host names without a port and with commas between them, .example.org for all below it, or *"),
]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$"), Allowed("auto, cpu, cuda or cuda:N")]
ChunkSizes = Annotated[
    tuple[int, ...],
    NoDecode,
    BeforeValidator(_chunk_sizes),
    Allowed("whole numbers from 1 to 1000 with commas between them"),
]
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
