"""Fields by which other servers are told whose voice is to speak: ref_audio, speaker_wav, voiceId and their
kin. An API here that does not read such a field refuses it: otherwise another voice would speak."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MOST_CHARS, _MOST_FIELDS = 100, 1000
# Of a name's words with a blank between them.
_ASKS_FOR_A_VOICE = re.compile(
    r"\b(refs?|refer|references?|ref(audio|text|wav)|speakers?|spk|clon(e|ed|ing)|timbre|embeddings?)\b"
    r"|^(voices?|voiceid|character|index|audio|recording|wav)$"
    r"|^(?=.*\baudio\b).*\b(base|data|file|input|paths?|sample|source|target|urls?)\b"
    r"|^(?=.*\bprompt\b).*\b(audio|file|path|speech|transcript|text|url|voice|wav)\b"
    r"|^(?=.*\bvoice\b).*\b(audio|code|custom|data|description|design|file|gender|ids?|key|name|path|preset"
    r"|samples?|type|url|wav)\b"
)


def voice_field(fields: Mapping[str, Any], known: tuple[str, ...]) -> str | None:
    """The first field that is none of the `known` ones and asks for a voice, also inside another field; None
    if none of the first thousand does."""
    unknown = ((name, value) for name, value in fields.items() if name not in known)
    waiting = deque(islice(unknown, _MOST_FIELDS))
    for _ in range(_MOST_FIELDS):
        if not waiting:
            break
        name, value = waiting.popleft()
        if value and value is not True and _asks_for_a_voice(name):
            return name
        waiting.extend(islice(_inside(value), max(0, _MOST_FIELDS - len(waiting))))
    return None


def _inside(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        return value.items()
    return (("", item) for item in value) if isinstance(value, list) else ()


def _asks_for_a_voice(name: str) -> bool:
    words = " ".join(_WORD.findall(name[:_MOST_CHARS])).lower()
    return _ASKS_FOR_A_VOICE.search(words) is not None
