"""Recognises the fields by which other TTS servers let a client choose a voice: ref_audio, speaker_wav,
voiceId and others. A route that does not read such a field refuses it, because otherwise the wrong voice
would speak."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MOST_CHARS, _MOST_FIELDS = 100, 1000


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# A field's name asks for a voice if one of its words is in this set,
_ANYWHERE = _words(
    "ref refs refer reference references refaudio reftext refwav speaker speakers spk clone cloned cloning "
    "timbre embedding embeddings"
)
# or if its only word is in this set,
_ALONE = _words("voice voices voiceid character index audio recording wav")
# or if it contains one of these keys and also a word of that key's set.
_TOGETHER = {
    "audio": _words("base data file input path paths sample source target url urls"),
    "prompt": _words("audio file path speech transcript text url voice wav"),
    "voice": _words(
        "audio code custom data description design file gender id ids key name path preset sample samples "
        "type url wav"
    ),
}


def voice_field(fields: Mapping[str, Any], known: tuple[str, ...]) -> str | None:
    """Returns the name of the first field that asks for a voice, has a value other than an empty one or true,
    and is not in `known`. Also looks into lists and objects inside the fields outside `known`. Returns None
    if there is no such field among the first thousand."""
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
    words = {word.lower() for word in _WORD.findall(name[:_MOST_CHARS])}
    if words & _ANYWHERE or (len(words) == 1 and words <= _ALONE):
        return True
    return any(word in words and words & others for word, others in _TOGETHER.items())
