"""Translates SSML into a text with marks (marks.py), which say the same to the voice. Works on strings only.

The parser, defusedxml, refuses document types and entities of a document's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from speech_text.default.chinese import numbers as chinese
from speech_text.default.english import numbers as english
from speech_text.errors import TextError, quote
from speech_text.signs import SENTENCE_ENDS, has_hanzi

_MOST_LEVELS, _MOST_WARNINGS = 30, 10
_STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.0}
_RATES = {"x-slow": 0.6, "slow": 0.8, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}
_TIME = re.compile(r"\+?(\d{1,6}(?:\.\d{1,3})?)(m?)s", re.ASCII)
_RATE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)(%?)", re.ASCII)
_DIGITS, _FIGURE = re.compile("[0-9]+"), re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_AS_WRITTEN = ("date", "time", "currency")  # the reading rules recognise these by their form


@dataclass(slots=True)
class _Scope:
    """The properties that hold inside an element: the language, the voice, the speed and the depth of
    nesting. All elements share the `warnings`."""

    chinese: bool
    warnings: dict[str, None]
    voice: str = ""
    speed: float = 1.0
    level: int = 0


def _inside(element: Element, scope: _Scope) -> str:
    """Returns the text inside `element`: its own text and, written with marks, the text of its children. The
    tag of `element` itself has no effect. Raises TextError for elements nested deeper than 30 levels and for
    invalid attributes."""
    if scope.level > _MOST_LEVELS:
        raise _invalid(f"The SSML is nested deeper than {_MOST_LEVELS} levels.")
    parts = [element.text or ""]
    for child in element:
        name = str(child.tag).rpartition("}")[2]
        if name not in _TAGS:
            scope.warnings[f"<{quote(name)}> is not known here: what stands in it is read."] = None
        write = _TAGS.get(name, _inside)
        parts += [write(child, replace(scope, level=scope.level + 1)), child.tail or ""]
    return "".join(parts)


def _sentence(element: Element, scope: _Scope) -> str:
    text = _inside(element, scope).strip()
    if text[-1:] in SENTENCE_ENDS:
        return f"{text} "
    return f"{text}{'。' if has_hanzi(text) else '.'} "


def _pause(element: Element, _: _Scope) -> str:
    time = element.get("time")
    if time is None:
        strength = element.get("strength", "medium")
        if strength not in _STRENGTHS:
            raise _bad("break", "strength", strength, ", ".join(_STRENGTHS))
        seconds = _STRENGTHS[strength]
    else:
        match = _TIME.fullmatch(time.strip())
        seconds = float(match[1]) / (1000 if match[2] else 1) if match else -1.0
        if not (seconds == 0 or 0.05 <= seconds <= 10):
            raise _bad("break", "time", time, "0.05 s to 10 s, as in 500ms or 1.5s")
    return f"[[pause {seconds:g}]]" if seconds else ""


def _phoneme(element: Element, scope: _Scope) -> str:
    alphabet, reading = element.get("alphabet", "ipa"), element.get("ph", "")
    if alphabet != "x-pinyin":
        raise _bad("phoneme", "alphabet", alphabet, "x-pinyin: the model has phonemes for Mandarin alone")
    return f"[[{_unmarked(_inside(element, scope))}|{_unmarked(reading)}]]"


def _say_as(element: Element, scope: _Scope) -> str:
    kind, text = element.get("interpret-as", ""), _inside(element, scope).strip()
    if kind in _AS_WRITTEN:
        return text
    if kind == "characters":
        return " ".join(char for char in text if not char.isspace())
    if kind not in _NUMBERS:
        raise _bad("say-as", "interpret-as", kind, ", ".join([*_NUMBERS, "characters", *_AS_WRITTEN]))
    in_chinese, in_english = _NUMBERS[kind]
    say = in_chinese if scope.chinese else in_english
    figures = _FIGURE if kind in ("cardinal", "number") else _DIGITS
    spoken = figures.sub(lambda figure: say(figure[0]), text.replace(",", ""))
    return re.sub("[- ()]+", "，" if scope.chinese else ", ", spoken) if kind == "telephone" else spoken


def _prosody(element: Element, scope: _Scope) -> str:
    for name in sorted({"pitch", "volume", "contour", "range", "duration"} & set(element.keys())):
        scope.warnings[f"<prosody {name}> is not known here: only rate is."] = None
    rate = element.get("rate")
    if rate is None:
        return _inside(element, scope)
    before, scope.speed = scope.speed, _RATES.get(rate) or _rate(rate)
    return f"[[speed {scope.speed:g}]]{_inside(element, scope)}[[speed {before:g}]]"


def _voice(element: Element, scope: _Scope) -> str:
    before, scope.voice = scope.voice, _unmarked(element.get("name", ""))
    if not scope.voice:
        raise _bad("voice", "name", "", "a registered voice")
    back = f"[[voice {before}]]" if before else "[[voice]]"
    return f"[[voice {scope.voice}]]{_inside(element, scope)}{back}"


_TAGS: dict[str, Callable[[Element, _Scope], str]] = {
    "speak": _inside,
    "p": lambda element, scope: f"\n{_inside(element, scope).strip()}\n",
    "s": _sentence,
    "break": _pause,
    "phoneme": _phoneme,
    "sub": lambda element, scope: element.get("alias") or _inside(element, scope),
    "say-as": _say_as,
    "prosody": _prosody,
    "voice": _voice,
}
_NUMBERS: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "digits": (chinese.digits, english.digits),
    "cardinal": (chinese.cardinal, english.cardinal),
    "number": (chinese.cardinal, english.cardinal),
    "ordinal": (lambda number: "第" + chinese.cardinal(number), english.ordinal),
    "telephone": (chinese.dialled, english.digits),
}


def with_marks(ssml: str) -> tuple[str, list[str]]:
    """Translates `ssml` into a text with marks. Returns this text, and warnings about tags and attributes
    that have no effect here: at most ten, and one that counts the others. Raises TextError; for broken XML
    the message names the line and column."""
    try:
        root = fromstring(ssml, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        reason = str(error).partition(":")[0]
        raise _invalid(f"The SSML is broken at line {line}, column {column}: {reason}.") from None
    except DefusedXmlException:
        raise _invalid("The SSML may have no document type and no entities of its own.") from None
    if str(root.tag).rpartition("}")[2] != "speak":
        raise _invalid("SSML is a <speak> element: put the text between <speak> and </speak>.")
    warnings = dict[str, None]()
    text = _inside(root, _Scope(any(map(has_hanzi, root.itertext())), warnings))
    first, n_more = list(warnings)[:_MOST_WARNINGS], len(warnings) - _MOST_WARNINGS
    return text.strip(), [*first, *([f"{n_more} more tags are not known here."] if n_more > 0 else [])]


def _rate(rate: str) -> float:
    match = _RATE.fullmatch(rate.strip())
    speed = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0.25 <= speed <= 4:
        raise _bad("prosody", "rate", rate, f"{', '.join(_RATES)}, or 25% to 400%")
    return speed


def _unmarked(text: str) -> str:
    """Returns `text` without the characters [, ] and |, which would end a mark."""
    return " ".join(re.sub(r"[\[\]|]", " ", text).split())


def _invalid(why: str) -> TextError:
    return TextError("invalid_ssml", why)


def _bad(tag: str, name: str, value: str, allowed: str) -> TextError:
    return _invalid(f"<{tag} {name}='{quote(value)}'> in the SSML must be {allowed}.")
