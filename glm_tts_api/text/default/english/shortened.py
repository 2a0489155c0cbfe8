"""The English rule for short forms, from assets/readings/short_forms_en.tsv.

A row of the table says where its short form stands for its words:

- note: anywhere, with or without a full stop (appt, thx).
- unit: the same, but not behind a figure, where it is a unit of measure or a score (yrs, vs).
- counted: the same, behind a word that counts it (an hr, last yr).
- stop: with a full stop (Inc.).
- within: with a full stop before a small letter, a bracket or a comma (the temp. dropped), but not behind a
  figure.
- figure: with a full stop before a figure, a Roman numeral or a capital letter (ch. 3, Ch. A).
- cited: the same, where the full stop ends no sentence (in art. 5, but not: She studies art. 20 of us came).
- label: as for figure, and before a figure without a full stop (Rm 412).
- ordinal: behind an ordinal, with a full stop (9th Cir., 3rd ed.).

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
    ("approx", "btwn", "ca", "cf", "chs", "eqs", "esp", "excl", "incl", "viz", "vol", "vols", "vs"),
    ANYTHING,
)
_ORDINAL = re.compile(r"(?:\d(?:st|nd|rd|th)|\b(?:second|third))[ -]$")
_FIGURE = re.compile(
    r"\d{1,4}(?!\w)|\s+#[A-Z]|\s+[(+-]?[#$£€]?(?:\d|[A-Z]-?\d|[ivx]{2,5}\b|[ivx][-–][ivx]|[IVX]{2,5}\b|[IVX][-,.;:)])",
    re.ASCII,
)
_LETTER = re.compile(r"\s[B-HJ-Z]\b(?!'|\. ?[A-Za-z])")
_NUMBER = re.compile(r":?\s(?:#?\d|[A-Z]-?\d)")
_GOING_ON = re.compile(r"\s+[A-Za-z0-9(&$£€]|[,:;?!)\]\"”’'…—]|$")
_SMALL = re.compile(r"\s+[a-z0-9(@=&+#$£€]|[,)]")
_WITHIN = re.compile(r"\s+[a-z(]|,")
_COUNTING = re.compile(
    r"(?i)\b(?:an?|calendar|each|every|final|first|fiscal|full|half|happy|last|long|new|next|one|past|per"
    r"|prior|rush|school|second|the|third|this|whole) $"
)
# A word behind the number tells that a new sentence begins there, unless one of _CITING stands before.
_NEW_SENTENCE = re.compile(
    r"\s\d{1,6}s? (?!(?:and|above|at|below|by|contains?|for|from|in|is|of(?! (?:them|us|you)\b)|on|or"
    r"|says|shows?|to|was)\b)[a-z]{2}"
)
_CITING = re.compile(r"(?:^|[(,;:§–—]|(?i:\b(?:and|at|by|cf\.|do|from|in|of|or|per|see|to|under|with))) ?$")


def _forms() -> dict[str, dict[str, str]]:
    """Returns the words of each short form by the place in which it stands for them."""
    forms: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in _TABLE:
        short, places = row["short"], row["where"].split()
        begins = short[0].upper() + short[1:]
        for written in {short, begins if short.isalpha() or not begins.isupper() else short}:
            forms[written] |= dict.fromkeys(places, row["said"])
    return dict(forms)


_FORMS = _forms()
SHORT_FORMS = frozenset(form.lower() for form in _FORMS)
WITH_STOP = frozenset(
    row["short"].lower() for row in _TABLE if {"note", "stop", "within"} & {*row["where"].split()}
)


def _cited(match: Match) -> bool:
    """Returns whether the full stop of a short form that is a word, too, may be that of a short form."""
    lead = before(match)
    verse = match[1] == "Ex" and re.match(r"\.? \d{1,3}:\d", after(match))  # Exodus, and no example
    if re.search(r"\d $", lead) or verse:
        return False
    return match[1][0].isupper() or not _NEW_SENTENCE.match(after(match)) or bool(_CITING.search(lead))


def short_form(match: Match) -> str:
    """Returns a short form in words where its place tells that it is one. Elsewhere it stays."""
    words, dotted = _FORMS[match[1]], match[0].endswith(".")
    lead, rest = before(match), after(match)
    behind_figure = re.search(r"\d $", lead)
    numbered = words.get("figure") or words.get("label") or (_cited(match) and words.get("cited"))
    if "ordinal" in words and _ORDINAL.search(lead) and (dotted or not re.match(" [A-Z]", rest)):
        return words["ordinal"] + stop(match)
    if numbered and dotted and (_FIGURE.match(rest) or (match[1][0].isupper() and _LETTER.match(rest))):
        return numbered + " " * rest[0].isdigit()
    if "label" in words and _NUMBER.match(rest):
        return words["label"]
    if "stop" in words and dotted and _GOING_ON.match(rest):
        return words["stop"] + stop(match, _GOES_ON.get(match[1].lower(), A_NAME))
    if "within" in words and dotted and _WITHIN.match(rest) and not behind_figure:
        return words["within"]
    anywhere = words.get("counted") if _COUNTING.search(lead) else None
    anywhere = anywhere or words.get("note")
    if anywhere is None and not behind_figure:
        anywhere = words.get("unit")
    if anywhere is None:
        return match[0]
    return anywhere + ("." if dotted and not _SMALL.match(rest) else "")


SHORTENED: Row = ("abbreviation", rf"(?<![\w'/.-])({either(_FORMS)})(?![\w/-]|'(?!s))\.?", short_form)
