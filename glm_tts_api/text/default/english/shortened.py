"""The English rule for short forms, from assets/readings/short_forms_en.tsv.

A row of the table says where its short form stands for its words:

- note: anywhere, with or without a full stop (appt, thx).
- unit: the same, but not behind a figure, where it is a unit of measure or a score (yrs, vs).
- stop: with a full stop (Inc.).
- figure: with a full stop before a figure, a Roman numeral or a capital letter, or behind an ordinal
  (ch. 3, Ch. A, 3rd ed.).
- label: the same, and before a figure without a full stop (Rm 412).
- ordinal: behind an ordinal, with a full stop (9th Cir.).

A row in small letters is also for the form with a first capital. All in capitals, a short form is a name: HR.
"""

from __future__ import annotations

import re
from collections import defaultdict

from glm_tts_api.text.default.data import READINGS, either, rows
from glm_tts_api.text.default.english.stops import A_NAME, A_TIME, ANYTHING, stop
from glm_tts_api.text.default.table import Match, Row, after, before

_TABLE = rows(READINGS / "short_forms_en.tsv")
# The `goes_on` of `stop` by short form. After vs. the sentence goes on with any word (Jones vs. The Bank).
# After a short form that is not listed, only a name goes on with the sentence (Acme Inc. Magazine).
_GOES_ON = {"etc": A_TIME} | dict.fromkeys(
    ("approx", "ca", "cf", "chs", "eqs", "esp", "excl", "fig", "figs", "incl", "viz", "vol", "vols", "vs"),
    ANYTHING,
)
_ORDINAL = re.compile(r"(?:\d(?:st|nd|rd|th)|\b(?:second|third))[ -]$")
_FIGURE = re.compile(
    r"\s+[(-]?(?:\d|[A-Z]-?\d|[ivx]{2,5}\b|[ivx][-–][ivx]|[IVX]{2,5}\b|[IVX][-,.;:)])", re.ASCII
)
_LETTER = re.compile(r"\s[B-HJ-Z]\b(?!'|\. ?[A-Za-z])")
_NUMBER = re.compile(r"\s(?:#?\d|[A-Z]-?\d)")
_GOING_ON = re.compile(r"\s+[A-Za-z0-9(&$£€]|[,?!)\]\"”’'…—]|$")
_SMALL = re.compile(r"\s+[a-z0-9(]|,")


def _forms() -> dict[str, dict[str, str]]:
    """Returns the words of each short form by the place in which it stands for them."""
    forms: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in _TABLE:
        short, places = row["short"], row["where"].split()
        for written in {short, short[0].upper() + short[1:] if short.isalpha() else short}:
            forms[written] |= dict.fromkeys(places, row["said"])
    return dict(forms)


_FORMS = _forms()
SHORT_FORMS = frozenset(form.lower() for form in _FORMS)
WITH_STOP = frozenset(row["short"].lower() for row in _TABLE if {"note", "stop"} & {*row["where"].split()})


def short_form(match: Match) -> str:
    """Returns a short form in words where its place tells that it is one. Elsewhere it stays."""
    words, dotted = _FORMS[match[1]], match[0].endswith(".")
    lead, rest = before(match), after(match)
    numbered = words.get("figure") or words.get("label")
    counting = words.get("ordinal") or numbered
    if counting and (dotted or match[1] in ("fl", "Fl")) and _ORDINAL.search(lead):
        return counting + stop(match)
    if numbered and dotted and (_FIGURE.match(rest) or (match[1][0].isupper() and _LETTER.match(rest))):
        return numbered
    if "label" in words and _NUMBER.match(rest):
        return words["label"]
    if "stop" in words and dotted and _GOING_ON.match(rest):
        return words["stop"] + stop(match, _GOES_ON.get(match[1].lower(), A_NAME))
    anywhere = words.get("note")
    if anywhere is None and not re.search(r"\d $", lead):
        anywhere = words.get("unit")
    if anywhere is None:
        return match[0]
    return anywhere + ("." if dotted and not _SMALL.match(rest) else "")


SHORTENED: Row = ("abbreviation", rf"(?<![\w'/.-])({either(_FORMS)})(?![\w/-]|'(?!s))\.?", short_form)
