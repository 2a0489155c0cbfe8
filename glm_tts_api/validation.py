"""Says in words what a field allows. Knows pydantic's field definitions; knows no request and no environment.

Used for the request's fields and for the settings, so that both refuse a value in the same words.
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
    """The allowed values of a field, in words, where type and bounds do not say them."""

    __slots__ = ()


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a truth value is not a number")
    return value


def _number_from_text(value: Any) -> Any:
    value = _no_bool(value)
    if isinstance(value, str):
        return int(value)
    return value


# A whole number; JSON's true is not 1 here.
WholeNumber = Annotated[int, BeforeValidator(_no_bool)]
# The seed of a request, and how many times as fast it is spoken; the same in every dialect.
Seed = Annotated[WholeNumber, Field(ge=0, le=2**63 - 1)]
Speed = Annotated[float, Field(ge=0.25, le=4.0)]
# Goes before a Literal of words: MP3 is mp3.
AnyCase = BeforeValidator(_lower)
# Text that means nothing here, and that the answer repeats.
Echoed = Annotated[str, AfterValidator(quote)]
# Goes before a Literal of numbers: a form sends them as text.
FormNumber = BeforeValidator(_number_from_text)


def allowed_values(field: FieldInfo) -> str:
    """The sentence's end after "must be": `a whole number from 1 to 100`, `ras or topk`, `true or false`."""
    for item in field.metadata:
        if isinstance(item, Allowed):
            return str(item)
    kind = _plain(field.annotation)
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
    """`; did you mean sample_rate?` if one of the `known` names is another program's name for the same, or is
    spelt nearly like `name`, else nothing."""
    known = tuple(known)
    near = [other for other in _CALLED_ELSEWHERE.get(name, ()) if other in known]
    near = near or get_close_matches(name, known, n=1, cutoff=ratio)
    return f"; did you mean {near[0]}?" if near else ""


def _plain(annotation: Any) -> Any:
    """Strips Annotated and Optional."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _plain(next(arg for arg in get_args(annotation) if arg is not type(None)))
    return annotation


def _bounds(field: FieldInfo) -> str:
    low: Any = None
    high: Any = None
    for item in field.metadata:
        if isinstance(item, annotated_types.Ge):
            low = item.ge
        elif isinstance(item, annotated_types.Le):
            high = item.le
    if low is None and high is None:
        return ""
    return f" from {low} to {high}" if high is not None else f" of at least {low}"
