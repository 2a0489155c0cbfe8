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


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# A name asks for a voice if it has one of these words,
_ANYWHERE = _words(
    "ref refs refer reference references refaudio reftext refwav speaker speakers spk clone cloned cloning "
    "timbre embedding embeddings"
)
# if it is one of these,
_ALONE = _words("voice voices voiceid character index audio recording wav")
# or if it has the one word and, beside it, one of the others.
_TOGETHER = {
    "audio": _words("base data file input path paths sample source target url urls"),
    "prompt": _words("audio file path speech transcript text url voice wav"),
    "voice": _words(
        "audio code custom data description design file gender id ids key name path preset sample samples "
        "type url wav"
    ),
}


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
    words = {word.lower() for word in _WORD.findall(name[:_MOST_CHARS])}
    if words & _ANYWHERE or (len(words) == 1 and words <= _ALONE):
        return True
    return any(word in words and words & others for word, others in _TOGETHER.items())
