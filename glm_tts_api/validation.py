"""Says in words which values a field allows. Knows pydantic's field definitions; knows no request and no
environment.

Request fields and settings both use it, so that they refuse a value in the same words.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.fields import FieldInfo

from glm_tts_api.errors import quote


class Allowed(str):
    """The allowed values of a field, in words. It is put into the field's metadata if the field's type and
    bounds do not say them."""

    __slots__ = ()


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a truth value is not a number")
    return value


def _number_from_text(value: Any) -> Any:
    return int(value) if isinstance(value, str) else _no_bool(value)


# A whole number. JSON's true does not count as 1.
WholeNumber = Annotated[int, BeforeValidator(_no_bool)]
# The seed of a request, and its speed as a factor, with the bounds that most of the APIs share.
Seed = Annotated[WholeNumber, Field(ge=0, le=2**63 - 1)]
Speed = Annotated[float, Field(ge=0.25, le=4.0)]
# Validates a Literal of words in any case: MP3 means mp3.
AnyCase = BeforeValidator(_lower)
# Text that the server does not use, but repeats in its answer, shortened to one line.
Echoed = Annotated[str, AfterValidator(quote)]
# Validates a Literal of numbers, which a form sends as text.
FormNumber = BeforeValidator(_number_from_text)


def allowed_values(field: FieldInfo) -> str:
    """Returns the words that follow "must be" in an error about the field: `a whole number from 1 to 100`,
    `ras or topk`, `true or false`."""
    for item in field.metadata:
        if isinstance(item, Allowed):
            return str(item)
    kind = plain_type(field.annotation)
    if get_origin(kind) is Literal:
        *most, last = (str(value) for value in get_args(kind))
        return f"{', '.join(most)} or {last}" if most else last
    if kind is bool:
        return "true or false"
    if kind in (int, float):
        noun = "a whole number" if kind is int else "a number"
        return noun + _bounds(field)
    return "text"


_CALLED_ELSEWHERE = {
    "text": ("input_text", "input"),
    "input": ("input_text", "text"),
    "prompt": ("input_text", "input", "text"),
    "voice": ("index",),
    "format": ("response_format", "media_type"),
}


def did_you_mean(name: str, known: Iterable[str], ratio: float = 0.6) -> str:
    """Suggests a name in `known` for the unknown name `name`, as the text `; did you mean sample_rate?`. The
    suggestion is the name here for what other programs call `name`, else a name that is spelt nearly like
    `name` (difflib's ratio is at least `ratio`). Returns an empty text if there is no such name."""
    known = tuple(known)
    near = [other for other in _CALLED_ELSEWHERE.get(name, ()) if other in known]
    near = near or get_close_matches(name, known, n=1, cutoff=ratio)
    return f"; did you mean {near[0]}?" if near else ""


def plain_type(annotation: Any) -> Any:
    """Returns a type annotation without its Annotated and Optional. Of a union of several types, returns the
    first that is not None."""
    if get_origin(annotation) is Annotated:
        return plain_type(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return plain_type(next(arg for arg in get_args(annotation) if arg is not type(None)))
    return annotation


def _bounds(field: FieldInfo) -> str:
    low = next((item.ge for item in field.metadata if isinstance(item, annotated_types.Ge)), None)
    high = next((item.le for item in field.metadata if isinstance(item, annotated_types.Le)), None)
    if low is None and high is None:
        return ""
    return f" from {low} to {high}" if high is not None else f" of at least {low}"
