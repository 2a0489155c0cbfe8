"""Fields by which other servers are told whose voice is to speak: ref_audio, speaker_wav, voiceId and their
kin. An API here that does not read such a field refuses it: otherwise another voice would speak."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MOST_CHARS = 100
# Of a name's words with a blank between them.
_ASKS_FOR_A_VOICE = re.compile(
    r"\b(refs?|refer|references?|ref(audio|text|wav)|speakers?|spk|clon(e|ed|ing)|timbre)\b"
    r"|^(voices?|voiceid|character|index)$"
    r"|^(?=.*\bprompt\b).*\b(audio|file|path|speech|transcript|text|url|voice|wav)\b"
    r"|^(?=.*\bvoice\b).*\b(audio|custom|data|embedding|file|ids?|name|path|preset|samples?|url|wav)\b"
)


def voice_field(fields: Mapping[str, Any], known: tuple[str, ...]) -> str | None:
    """The first field that is none of the `known` ones and asks for a voice, also inside another field; None
    if there is none. Whoever read the fields has bounded their depth."""
    unknown = {name: value for name, value in fields.items() if name not in known}
    return next(_voice_fields(unknown), None)


def _voice_fields(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if item and item is not True and _asks_for_a_voice(str(name)):
                yield str(name)
            yield from _voice_fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from _voice_fields(item)


def _asks_for_a_voice(name: str) -> bool:
    words = " ".join(_WORD.findall(name[:_MOST_CHARS])).lower()
    return _ASKS_FOR_A_VOICE.search(words) is not None
