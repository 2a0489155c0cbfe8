"""Reads the request field `pauses`, which says how long a book pauses after its headings, paragraphs and
other blocks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields

from glm_tts_api.errors import InvalidField
from speech_text.cut.block_pauses import LONGEST_S, Pauses

_MOST_JSON = 1000  # characters of pauses as text; longer text is cut, and so is no JSON
_KINDS = tuple(field.name for field in fields(Pauses))


def read_pauses(data: str | Mapping[str, object]) -> Pauses:
    """Returns the pauses that `data` sets. `data` has the seconds of each kind of block, as JSON or as an
    object: {"paragraph": 0.6, "chapter": 3}. A kind that is not named keeps its default. Raises InvalidField
    (`pauses`)."""
    try:
        given = json.loads(data[:_MOST_JSON]) if isinstance(data, str) else data
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, Mapping) or not all(name in _KINDS and _is_pause(given[name]) for name in given):
        raise InvalidField(
            f"pauses gives seconds from 0 to {LONGEST_S:g} to {', '.join(_KINDS[:-1])} or {_KINDS[-1]}, "
            'as in {"paragraph": 0.6}.',
            param="pauses",
        )
    return Pauses(**{name: float(str(seconds)) for name, seconds in given.items()})


def _is_pause(seconds: object) -> bool:
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= LONGEST_S
