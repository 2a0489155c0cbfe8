"""Words for English titles, streets, weekdays, states and initials; tokens_en.tsv names the functions."""

from __future__ import annotations

import re

from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.short_forms import MONTH, STATES, STREETS, TITLES, WEEKDAYS
from speech_text.default.english.stops import A_NAME, A_TIME, STARTERS, initials, stop, with_stop
from speech_text.default.english.units import UNITS
from speech_text.default.number_tagger import by_name
from speech_text.default.table import Match, after, before

# Streets that keep their name before another: Wall St. Journal, Main St. Station.
_STREET = re.compile(r"(?:Bond|Bourbon|Broad|Fleet|High|Main|Market|Wall)\s")
_NO_STREET = re.compile(rf"(?:{STARTERS}|{either(TITLES)})\s")
_SMALL_STREETS = {"st": "street", "dr": "drive", "hwy": "highway"} | {
    short: STREETS[short.title()] for short in ("ave", "rd", "blvd")
}
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
_AMOUNT = re.compile(
    r"(?i)\d ?(thousand|[mb]illion|f[oe][oe]t|inches|miles|pounds|dollars|cents|percent|[ap]\.?m\.?"
    r"|(?:year|month|week|day|hour|minute|second)s?|[kcm]?m|k?g|lbs?|ft|GB|MB)$|\b(noon|midnight)$"
)
_SIGNED = re.compile(
    r"(?:^|[^A-Za-z])[A-Za-z]$|\b(?:to|of|at|is|by|in|or|was|and|than|from|about|around|below|above|under|equals|minus"
    r"|plus|times|over)$"
)
# Titles that are also written without a full stop.


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


UNDOTTED = "Dr|Mr|Mrs|Ms|Prof|Revd|Capt|Sgt|Lt|Cpl|Cmdr|Maj|Insp|Supt|Cdr|Messrs"
UNDOTTED += "|(?:Rev|Fr|Mt|st|mt|dr)(?= [A-Z][a-z])"


def numbered(match: Match) -> str:
    """Returns number for No. and #, but not where No. is the answer no (She said No. 5 people left)."""
    refused = match[0][0] in "Nn" and _REFUSED.search(before(match))
    return match[0] if refused else f"{' ' * before(match, 1).isalpha()}number "


SAID = by_name(title, saint_or_street, weekday, town_and_state, dash, initials, numbered) | {
    "title_alone": with_stop(lambda m: TITLES[m[1]]),
    "small_street": lambda m: m[1] + _SMALL_STREETS[m[2]] + stop(m),
    "street": with_stop(lambda m: STREETS[m[1]]),
    "weekdays": with_stop(weekdays),
    "dotted_weekday": lambda m: WEEKDAYS[m[1]] + stop(m, A_TIME if _DAY_BEFORE.search(before(m)) else A_NAME),
    "day_name": lambda m: WEEKDAYS[m[0]],
    "unit": with_stop(lambda m: UNITS[m[1]]),
    "with_zip": lambda m: f"{STATES[m[1]]} {' dash '.join(map(numbers.digits, m[2].strip().split('-')))}",
    "doctor": with_stop(lambda _: "p h d"),
    "undotted": lambda m: m[1].replace(".", ""),
    "dotted": with_stop(lambda m: " ".join(m[1].replace(".", " ").split())),
}
