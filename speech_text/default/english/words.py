"""English rules for titles, abbreviations, weekdays and states."""

from __future__ import annotations

import re

from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.short_forms import MONTH, STATES, STREETS, TITLES, WEEKDAYS, WORDS_TOO
from speech_text.default.english.shortened import SHORTENED
from speech_text.default.english.stops import (
    A_NAME,
    A_TIME,
    SENTENCE_MAY_END,
    STARTERS,
    initials,
    stop,
    with_stop,
)
from speech_text.default.english.units import ALONE, UNITS
from speech_text.default.table import Match, Row, after, before, behind

_COUNTIES = (
    "Antrim|Armagh|Carlow|Cavan|Clare|Cork|Derry|Donegal|Down|Dublin|Durham|Fermanagh|Galway|Kerry"
    "|Kildare|Kilkenny|Laois|Leitrim|Limerick|Longford|Louth|Mayo|Meath|Monaghan|Offaly|Roscommon|Sligo|Tipperary|Tyrone"
    "|Waterford|Westmeath|Wexford|Wicklow"
)
# Streets that keep their name before another: Wall St. Journal, Main St. Station.
_STREET = re.compile(r"(?:Bond|Bourbon|Broad|Fleet|High|Main|Market|Wall)\s")
_NO_STREET = re.compile(rf"(?:{STARTERS}|{either(TITLES)})\s")


_SMALL_STREETS = {"st": "street", "dr": "drive", "hwy": "highway"} | {
    short: STREETS[short.title()] for short in ("ave", "rd", "blvd")
}


def title(match: Match) -> str:
    return TITLES[match[1].capitalize()].title() + " "  # a capital, by which 5 p.m. Dr. Lee has a stop


def saint_or_street(match: Match) -> str:
    """Returns the words for St. or Dr.: street or drive after the name of a street if no other name follows,
    otherwise saint or doctor before a name. Elsewhere it stays."""
    short, rest = match[2], after(match)
    behind_name = match[1] is not None and not _NO_STREET.fullmatch(match[1])
    before_name = re.match(r"[\s-]*[A-Z](?:[a-z]|\.? [A-Z]|\.[A-Z])", rest)
    ordinary = re.match(rf"\s*(?:Apt|Suite|Ste|Stn|Unit|Floor|Fl|Bldg|Room|Turn|Go|{STARTERS})\b", rest)
    if behind_name and (not before_name or ordinary or _STREET.fullmatch(match[1])):
        return f"{match[1]}{'street' if short == 'St' else 'drive'}{stop(match)}"
    return f"{match[1] or ''}{TITLES[short].title()} " if before_name else match.group()


# Behind one of these No. is the answer no at a sentence's end.
_REFUSED = re.compile(
    r"(?i)\b(?:answer(?:ed|s)?|hell|oh|or|repl(?:ied|ies|y)|said|says?|scream(?:ed|s)?|shout(?:ed|s)?"
    r"|told (?:him|her|me|them|us)|yell(?:ed|s)?) $"
)
_DAY_BEFORE = re.compile(
    r"(?i)\b(?:due|starts?|on(?: a)?|next|last|this|every|until|by|from|through|since|and|closed|open"
    r"|eod)\s$|& $"
    r"|(?:Tue|Thu|Fri|Sat), $|[ap]\.?m\.?,? $"
)
_DAY_BEHIND = re.compile(
    r":(?! (?:an?|the) )| - | ?(?:&|\d{1,2}[/–-]\d|- ?[A-Z][a-z]{2}|the \d|morning|night)"
    rf"| (?:and|to|through) (?:{either(WEEKDAYS)}|[A-Z][a-z]{{2,5}}day)\b"
    rf"|,?\s(?:{MONTH}\b|\d{{1,2}}(?:[:.]\d|[ap]m|(?:st|nd|rd|th)\b|\s{MONTH}\b)|[ap]\.m)"
)


# A capital behind a short weekday is a name (by Sun Wu), unless it is a day, a month or a part of the day.
_NAME_BEHIND = re.compile(
    rf" (?!{MONTH}|(?:{either(WEEKDAYS)})|[A-Z][a-z]+day|Morning|Afternoon|Evening|Night)[A-Z][a-z]"
)


def weekday(match: Match) -> str:
    """Returns the full name of a short weekday: Tue -> tuesday. Mon, Wed, Sat and Sun, which are words too,
    stay unless the words next to them tell that a day is meant."""
    named = _NAME_BEHIND.match(after(match))
    told = (match[1] or _DAY_BEFORE.search(before(match))) and not named
    return WEEKDAYS[match.group()] if told or _DAY_BEHIND.match(after(match, 20)) else match.group()


def weekdays(match: Match) -> str:
    first, second = WEEKDAYS[match[1].capitalize()], WEEKDAYS[match[3].capitalize()]
    return f"{first} {'' if match[2] == '/' else 'to '}{second}"


def town_and_state(match: Match) -> str:
    """Returns a state behind its town in words: Salem, VA -> virginia. A VA or CT behind a word in small
    letters is another short form."""
    in_place = match[0] not in ("AR", "CT", "SD", "VA") or re.search(
        r"\b[A-Z][a-z'.-]{1,20}, $", before(match, 24)
    )
    return STATES[match[0]] if in_place else match[0]


def degree(match: Match) -> str:
    return f"{match[1]} {'S C' if match[2] == 'Sc' else match[2]}"


def placed(match: Match) -> str:
    """Returns a place with its state in words: in Salem, OR -> oregon. An OR, IN or OK that may be
    the word stays."""
    word = _WORD_BEHIND.get(match[2])
    return match.group() if word and word.match(after(match)) else match[1] + STATES[match[2]]


_WORD_BEHIND = {
    "OR": re.compile(
        r" (?:an?|at|else|even|from|in|maybe|not|perhaps|somewhere|the|to|(?:are|can|did|do|is|should|was"
        r"|were|will) (?:he|I|it|she|that|the|they|this|we|you))\b"
    ),
    "IN": re.compile(r" (?:an?|autumn|fall|her|his|my|our|spring|summer|that|the|their|this|winter|\d{4})\b"),
    "ON": re.compile(r" (?:an?|my|our|purpose|the|time|top|your)\b"),
    "OK": re.compile(r"\?"),
}
_AMOUNT = re.compile(
    r"(?i)\d ?(thousand|[mb]illion|f[oe][oe]t|inches|miles|pounds|dollars|cents|percent|[ap]\.?m\.?"
    r"|(?:year|month|week|day|hour|minute|second)s?|[kcm]?m|k?g|lbs?|ft|GB|MB)$|\b(noon|midnight)$"
)
_SIGNED = re.compile(
    r"(?:^|[^A-Za-z])[A-Za-z]$|\b(?:to|of|at|is|by|in|or|was|and|than|from|about|around|below|above|under|equals|minus"
    r"|plus|times|over)$"
)


def dash(match: Match) -> str:
    """Returns the words for a hyphen between blanks before a number. Between two amounts of one kind it is
    "to" (5 feet - 6 feet). Behind a rate of interest it is "minus" (prime - 1%). Behind a short word it
    may be a minus sign and stays (at - 40). Otherwise it is a pause."""
    lead = before(match, 20)
    if amount := _AMOUNT.search(lead):
        unit = amount[1] or "[ap]m"
        if re.match(rf"(?i)\$?[\d:.,]+ ?(?:{unit[:3]}|[ap]\.?m)", after(match, 20)):
            return " to "
    if re.search(r"(?i)\b(?:prime|libor|sofr|euribor)$", lead):
        return " minus "
    stays = _SIGNED.search(lead) or re.search(rf"\d(?: ?[ap]\.?m|(?:[snrt][tdh])? {MONTH})\.?$", lead)
    return match.group() if stays else ", "


# Titles that are also written without a full stop.
_UNDOTTED = "Dr|Mr|Mrs|Ms|Prof|Revd|Capt|Sgt|Lt|Cpl|Cmdr|Maj|Insp|Supt|Cdr|Messrs"
_UNDOTTED += "|(?:Rev|Fr|Mt|st|mt|dr)(?= [A-Z][a-z])"
# Rules for short forms. Those with `stop` or `with_stop` keep a full stop that also ends the sentence.
WORDS: list[Row] = [
    ("initials", r"(?<![\w.@/])(?:i\.e|e\.g|[ap]\.m|(?:[A-Z]\.){1,5}[A-Z])(?![\w@/]|\.(?!\.\.))", r"\g<0>."),
    ("degree", r"\b([BM])\.(Sc|Ed|Com|Tech|Eng|Arch|Phil|Litt)\b\.?", with_stop(degree)),
    ("minus", r"(?<![\w-])([nkijmNxyzt])-(?=[1-3](?![\w-]))", r"\1 minus "),
    (
        "span",
        r"(?<=\d[xX])-(?=\d{1,4}[xX]\b)|(?:(?<=noon)|(?<=night))-(?=\d)"
        r"|(?:(?<=\d)|(?<=\d[ap])|(?<=[ap]m)|(?<=m\.))-(?=(?:noon|midnight)\b)",
        " to ",
    ),
    ("dash", r"(?<=[A-Za-z.]) - (?=\$?\d)", dash),
    ("leading point", r"(?<![\w.])\.(?=\d)", "0."),
    ("about", rf"(?i){behind('about|around')}~ ?(?=[$£€\d])", ""),
    ("paragraph", r"¶(¶?) ?(?=\d)", lambda m: f"paragraph{'s' * len(m[1])} "),
    ("initials", r"(?<=[a-z], )((?:[A-Z]\. ?){1,4})(?=\(\d{4}|, [A-Z])", lambda m: m[1].replace(".", "")),
    ("latin", r"(?<!\d[snrt][tdh] )\bc\.\s?(?=A\.?D\b)", "circa "),
    ("degree", r"\bPh\.\s?D\b\.?", with_stop(lambda _: "p h d")),
    ("latin", r"\b(?:(e)\.\s?g|i\.\s?e)\.,?", lambda m: "for example" if m[1] else "that is"),
    ("time of day", rf"(?<=\d) ?([aApP])\.\s?[mM]\.{SENTENCE_MAY_END}", r" \1m."),
    ("initials", rf"\b([A-Z][a-z]+\.? )?\b((?:[A-Z]\. ){{1,4}})(?={A_NAME.pattern}[A-Z][a-z])", initials),
    (
        "street or saint",
        r"((?:\b[A-Z][a-z]{0,20}(?:'s?)?|\d(?:st|nd|rd|th))\s)?"
        r"\b(St|Dr)\b(?:\.|(?=\s[A-Z]|,|$)|(?<=St)(?=\s[a-z]))",
        saint_or_street,
    ),
    (
        "county",
        rf"(?:{behind('[Ii]n|from|to|of|near')}|(?<=, )|(?<=\d )|(?<=\())Co\. (?=(?:{_COUNTIES})\b)"
        rf"|{behind('in|of')}([A-Z][a-z]{{2,14}} )Co\.?(?=, (?:[A-Z][a-z]{{1,4}}\.|[A-Z]{{2}}\b))",
        lambda m: f"{m[1] or ''}county{'' if m[1] else ' '}",
    ),
    ("generation", r"\bGen\. (?=[XYZ](?:ers?)?\b(?!\.))", "Gen "),
    SHORTENED,
    ("title", rf"\b({either(set(TITLES) - {'St', 'Dr'})})\.\s*(?=[A-Z]|(?<=[Tt]he Hon\.)$)", title),
    (
        "street",
        r"((?:\b[A-Z][a-z]{2,20}|\d(?:st|nd|rd|th)) )(st|ave|rd|blvd|hwy|dr)\b\.?(?! [A-Z][a-z.])",
        lambda m: m[1] + _SMALL_STREETS[m[2]] + stop(m),
    ),
    ("title", rf"\b({_UNDOTTED})\.?\s+(?=[A-Z]|(?:and|or)\b|&)", title),
    (
        "title",
        rf"(?i:{behind('a|the|my|his|her|our|your')})"
        r"(Dr|Sgt|Lt|Capt|Cpl|Insp|Supt|Col|Maj|Cmdr)(?:\b(?<=Dr)|\.)(?= [a-z]|[,?!]|$)",
        with_stop(lambda m: TITLES[m[1]]),
    ),
    (
        "weekday",
        rf"(?i)\b({either(WEEKDAYS)})\.?\s?(-|/|–)\s?({either(WEEKDAYS)})\b\.?",
        with_stop(weekdays),
    ),
    (
        "weekday",
        rf"\b(?:(?<!\b[Tt]he )(?<!\bMister )|(?!Sun\. [A-Z]|Sun\.[,;?!]))({either(WEEKDAYS)})\."
        r"(?=\s+[A-Za-z0-9&@(-]|[,;?!])",
        lambda m: WEEKDAYS[m[1]] + stop(m, A_TIME if _DAY_BEFORE.search(before(m)) else A_NAME),
    ),
    (
        "weekday",
        rf"{behind('for|out|you|back|here|off')}(?:Mon|Wed|Sat|Sun)\b(?=[.,;!?]|$)"
        r"|(?<=[a-z] )(?<![Tt]he )(?:Mon|Wed|Sat|Sun)\b(?= (?:at|from|by) (?:\d|noon))",
        lambda m: WEEKDAYS[m[0]],
    ),
    ("weekday", r"\b(?:(Tues?|Weds|Thu(?:rs?)?|Fri)|Mon|Wed|Sat|Sun)\b(?!')", weekday),
    (
        "street",
        r"(?<=[a-z] )\b(Ave(?! (?:Maria|Regina|[Vv]erum)\b)|Blvd|Rd|Ln|Pkwy|Pk"
        r"|(?:Cl|Ct|Gro|Pl|Sq|Terr?)(?=[.,]))\b\.?",
        with_stop(lambda m: STREETS[m[1]]),
    ),
    (
        "unit",
        rf"{behind('each|every|per|last|next|1st')}"
        rf"({'|'.join(ALONE)}|sq (?:k?m|mi|ft))\b\.?",
        with_stop(lambda m: UNITS[m[1]]),
    ),
    ("page", r"\b(?<!\b[a-z]\.)p\.\s?(?=[A-Z]?-?\d|[ivx]{2,5}\b)", "page "),
    ("number", r"(?<=[a-z.] )#(?= (?:for|is|of|on|to|was)\b|[?.,])", "number"),
    (
        "number",
        r"(?i)\bnos?\.\s*(?=\d|(?-i:[A-Z]{1,4}[-/]?\d|[A-Z]{2,3} \d))"
        r"|(?:^(?-i:NO)|(?<=[a-z,;(] )(?-i:N[Oo])) (?=\d{1,4}\b(?<!O 2))"
        r"|(?<=\bthe )no (?=\d)"
        r"|\b(?-i:No) (?=\d{1,3} (?:has|is|said|says|was)\b)"
        r"|(?<!\b[A-G])(?<![a-h][1-8])#\s?(?=\d|[A-Z]{1,3}-\d)",
        lambda m: (
            m[0]
            if m[0][0] in "Nn" and _REFUSED.search(before(m))
            else f"{' ' * before(m, 1).isalpha()}number "
        ),
    ),
    (
        "state",
        rf"{behind('in|from|to|near|of')}([A-Z][a-z]{{2,20}}(?: [A-Z][a-z]{{2,20}})?, )"
        rf"({either(STATES)})\b(?! \d{{5}})",
        placed,
    ),
    (
        "state",
        rf"(?:(?<=[A-Za-z], )|(?<=[a-z] ))({either(STATES)}) (\d{{5}}(?:-\d{{4}})?)(?!\d)",
        lambda m: f"{STATES[m[1]]} {' dash '.join(map(numbers.digits, m[2].split('-')))}",
    ),
    (
        "state",
        rf"(?<=[a-z], )(?<!Hi, )(?<!Oh, )(?:(?:{either(set(STATES) - WORDS_TOO)})(?=[.,;!?)]|\s[a-z]|$)"
        rf"|(?:{either(STATES)})(?= [A-Z]\d[A-Z] ?\d))",
        town_and_state,
    ),
    (
        "initials",
        r"\b(?<!\b[A-Za-z]\.)((?:[A-Za-z]\.){2,})(?=[\s,;:!?)\]\"”’'…—]|$)",
        with_stop(lambda m: " ".join(m[1].replace(".", " ").split())),
    ),
]
