"""The English rule for short forms, from assets/readings/short_forms_en.tsv.

A row of the table says where its short form stands for its words:

- note: anywhere, with or without a full stop (appt, thx).
- unit: the same, but not behind a figure, where it is a unit of measure or a score (yrs, vs).
- counted: the same, behind a word that counts it (an hr, last yr).
- behind: behind a figure (2 prs).
- stop: with a full stop (Inc.).
- within: with a full stop before a small letter, a month, a bracket or a comma (the temp. dropped), but not
  behind a figure.
- figure: with a full stop before a figure, a Roman numeral or a capital letter (ch. 3, ch.3, Ch. A).
- cited: the same, where the full stop ends no sentence (in art. 5, but not: She studies art. 20 of us came).
- label: as for figure, and before a figure or a capital letter without a full stop (Rm 412, Blk C).
- code: with a full stop before a code with capitals (ref. HB/2213, arr. MSP 11:32a), or a
  name and a time (arr. York 14:10).
- money: before an amount of money (Adm. £3).
- colon: before a colon, behind no word in small letters (Mob: 07700 900123).
- ordinal: behind an ordinal (9th Cir., 3rd ed.), but before a capital letter only with a full stop.

The short forms of a word that stand in the same places share a row. A row in small letters is also for the
form with first capitals, but not if `small` is one of its places (ur). All in capitals, a short form is a
name: HR. A short form with (s) is also for the plural. Each word of a short form may have its full stop (Flt.
Lt., Maj.-Gen.).
"""

from __future__ import annotations

import re
from collections import defaultdict

from speech_text.default.data import READINGS, either, rows
from speech_text.default.english.lists import MONTH
from speech_text.default.english.numbers import plural
from speech_text.default.english.stops import A_NAME, A_TIME, ANYTHING, stop
from speech_text.default.table import Match, after, before

# The `goes_on` of `stop` by short form. After vs. the sentence goes on with any word (Jones vs. The Bank).
# After a short form that is not listed, only a name goes on with the sentence (Acme Inc. Magazine).
_GOES_ON = {"etc": A_TIME} | dict.fromkeys(
    ("approx", "btwn", "ca", "cf", "chs", "eqs", "esp", "excl", "incl", "viz", "vol", "vols", "vs"),
    ANYTHING,
)
# In these patterns the short form stands between two ¦, with its full stop behind.
_FIGURE = (
    r"(?:\d{1,4}(?!\w)|\s+#[A-Z]"
    r"|\s+[(+-]?[#$£€]?(?:\d|[A-Z]-?\d|[ivx]{2,5}\b|[ivx][-–][ivx]|[IVX]{2,5}\b|[IVX][-,.;:)]))"
)
_LETTER = r"\s[B-HJ-Z]\b(?!'|\. ?[A-Za-z])"
_NUMBERED = rf"¦(?:[^¦]*¦\.{_FIGURE}|[A-Z][^¦]*¦\.{_LETTER})"
_PLACES = {
    place: re.compile(pattern)
    for place, pattern in {
        "ordinal": r"(?:\d(?:st|nd|rd|th)|\b(?:second|third))[ -]¦[^¦]*¦(?:\.|(?! [A-Z]))",
        "money": r"¦\.?:? ?[£$€]\d",
        "figure": _NUMBERED,
        "cited": _NUMBERED,
        "label": rf"{_NUMBERED}|¦\.?(?::?\s(?:#?\d|[A-Z]-?\d)|{_LETTER})",
        "code": r"¦\.\s[A-Z](?:[A-Z]{0,3}[ /-]?#?\d|\w{2,8} \d\d)",
        "colon": r"(?<![a-z] )¦[^¦]*¦\.?:",
        "behind": r"\d ¦",
        "stop": r"¦\.(?:\s+[A-Za-z0-9(&$£€]|[,:;?!)\]\"”’'…—]|$)",
        "within": rf"(?<!\d )¦[^¦]*¦\.(?:\s+(?:[a-z(]|{MONTH}\b)|,)",
        "counted": r"(?i)\b(?:an?|calendar|each|every|final|first|fiscal|full|half|happy|last|long|new|next"
        r"|one|past|per|prior|rush|school|second|the|third|this|whole) ¦",
        "note": "",
        "unit": r"(?<!\d )¦[^¦]*¦",
    }.items()
}
_SMALL = re.compile(r"\s+[a-z0-9(@=&+#$£€]|[,)]")
# A word behind the number tells that a new sentence begins there, unless one of _CITING stands before.
_NEW_SENTENCE = re.compile(
    r"\s\d{1,6}s? (?!(?:and|above|at|below|by|contains?|for|from|in|is|of(?! (?:them|us|you)\b)|on|or"
    r"|says|shows?|to|was)\b)[a-z]{2}"
)
_CITING = re.compile(r"(?:^|[(,;:§–—]|(?i:\b(?:and|at|by|cf\.|do|from|in|of|or|per|see|to|under|with))) ?$")


def _forms() -> dict[str, dict[str, str]]:
    """Returns the words of each short form by the place in which it stands for them."""
    forms: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in rows(READINGS / "short_forms_en.tsv"):
        places = row["where"].split()
        for listed in row["short"].split(", "):
            short, many, _ = listed.partition("(s)")
            for form, said in ((short, row["said"]), (short + "s", plural(row["said"], "2")))[
                : 1 + bool(many)
            ]:
                capitals = {form.title() if " " in form else form, form[0].upper() + form[1:]}
                for written in {form} if "small" in places else {form} | capitals:
                    forms[written] |= dict.fromkeys(places, said)
    return dict(forms)


_FORMS = _forms()
WITH_STOP = frozenset(form.lower() for form in _FORMS if {"note", "stop", "within"} & {*_FORMS[form]})


def _cited(match: Match) -> bool:
    """Returns whether the full stop of a short form that is a word, too, may be that of a short form."""
    lead = before(match)
    verse = match[1] == "Ex" and re.match(r"\.? \d{1,3}:\d", after(match))  # Exodus, and no example
    if re.search(r"\d $", lead) or verse:
        return False
    return match[1][0].isupper() or not _NEW_SENTENCE.match(after(match)) or bool(_CITING.search(lead))


def short_form(match: Match) -> str:
    """Returns a short form in words where its place tells that it is one. Elsewhere it stays. The words have
    its capital, by which 5 p.m. Approx. 30 left has a stop."""
    words, dot, rest = _FORMS[match[1].replace(".", "")], match[0].endswith("."), after(match)
    near = f"{before(match)}¦{match[1]}¦{'.' * dot}{rest}"
    for place, pattern in _PLACES.items():
        if place in words and pattern.search(near) and (place != "cited" or _cited(match)):
            break
    else:
        return match[0]
    end = stop(match, _GOES_ON.get(match[1].lower(), A_NAME))
    if place in ("figure", "cited", "label"):
        end = " " * rest[:1].isdigit()
    elif place in ("counted", "note", "unit"):
        end = "." * (dot and not _SMALL.match(rest))
    first = words[place][0]
    return (first.upper() if match[0][0].isupper() else first) + words[place][1:] + end


ANY = re.sub(r"\\([ -])", r"\\.?\1", either(_FORMS))
