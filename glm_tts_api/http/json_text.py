"""Parses JSON that clients send. Its number of values and its depth are limited, because the values take up
to fifty times the memory of the text."""

from __future__ import annotations

import json
import re
from typing import Any

from glm_tts_api.errors import UnparsableBody

_MAX_VALUES = 10_000
_MAX_DEPTH = 32  # levels of lists and objects inside each other
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)


def parse_json(text: str) -> Any:
    """Returns the value of the JSON `text`. A lone surrogate, which a JSON escape can write but no encoding
    can hold, becomes U+FFFD. Raises ValueError if `text` is no JSON, and UnparsableBody if it has too many
    values or is nested too deep."""
    if not _has_few_values(text):
        raise UnparsableBody(f"The JSON has more than {_MAX_VALUES} values.")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if _is_deeper(value, _MAX_DEPTH):
        raise UnparsableBody(f"The JSON is nested deeper than {_MAX_DEPTH} levels.")
    return _whole_text(value)


def _has_few_values(text: str) -> bool:
    """Returns whether the JSON `text` has at most `_MAX_VALUES` values. A comma, `[` or `{` outside of
    strings stands before each value but the first."""
    if _n_signs(text) <= _MAX_VALUES:
        return True
    if (
        text.count('"') - text.count('\\"') > 4 * _MAX_VALUES
    ):  # the quotes of a name and a string for each value
        return False
    return _n_signs(_STRING.sub("", text)) <= _MAX_VALUES


def _n_signs(text: str) -> int:
    return sum(map(text.count, ",[{"))


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether lists and objects are nested deeper than `depth`. Uses no recursion, which could overflow."""
    level = [value]
    for _ in range(depth):
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return False
    return True


def _whole_text(value: Any) -> Any:
    if isinstance(value, str) and value.isascii():
        return value
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_whole_text(name): _whole_text(item) for name, item in value.items()}
    return [_whole_text(item) for item in value] if isinstance(value, list) else value
