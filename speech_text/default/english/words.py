"""Words for English titles, streets, weekdays, states and initials; tokens_en.tsv names the functions."""

from __future__ import annotations

import re

from speech_text.default.data import either
from speech_text.default.english.lists import LISTS, MONTH, any_of
from speech_text.default.english.stops import STARTERS, stop
from speech_text.default.table import Match, after, before

# Streets that keep their name before another: Wall St. Journal, Main St. Station.
_STREET = re.compile(r"(?:Bond|Bourbon|Broad|Fleet|High|Main|Market|Wall)\s")
_NO_STREET = re.compile(rf"(?:{STARTERS}|{either(LISTS['title'])})\s")
_NEAR = 40  # characters to either side that are examined
_LAST_WORD, _NEXT_WORD = re.compile(r"([A-Za-z]+)\W*$"), re.compile(r"\W*([A-Za-z]+)")
# Next to one of these in capitals, or behind one of these before an object, a word is only emphasised: TELL
# US, give US a call.
_SHOUTED = re.compile(f"{any_of('shouted')}|(?i:give|let)")
PATTERNS = {
    "staff": any_of("staff"),
    # Texts beside a short weekday that is a word, too (Sun, Sat).
    "day_before": r"(?:(?i:\b(?:due|starts?|on(?: a)?|next|last|this|every|until|by|from|through|since|and"
    r"|closed|open|eod)\s)|& |(?i:\b(?:Tue|Thu|Fri|Sat), |[ap]\.?m\.?,? ))",
    "day_behind": r":(?! (?:an?|the) )| - | ?(?:&|\d{1,2}[/–-]\d|- ?[A-Z][a-z]{2}|the \d|morning|night)"
    rf"| (?:and|to|through) (?:{either(LISTS['weekday'])}|[A-Z][a-z]{{2,5}}day)\b"
    rf"|,?\s(?:{MONTH}\b|\d{{1,2}}(?:[:.]\d|[ap]m|(?:st|nd|rd|th)\b|\s{MONTH}\b)|[ap]\.m)",
    # A capital behind it is a name (by Sun Wu), unless it is a day, a month or a part of the day.
    "name_behind": rf" (?!{MONTH}|{either(LISTS['weekday'])}|[A-Z][a-z]+day|Morning|Afternoon|Evening|Night)"
    "[A-Z][a-z]",
}
_AMOUNT = re.compile(
    r"(?i)\d ?(thousand|[mb]illion|f[oe][oe]t|inches|miles|pounds|dollars|cents|percent|[ap]\.?m\.?"
    r"|(?:year|month|week|day|hour|minute|second)s?|[kcm]?m|k?g|lbs?|ft|GB|MB)$|\b(noon|midnight)$"
)
_SIGNED = re.compile(
    r"(?:^|[^A-Za-z])[A-Za-z]$|\b(?:to|of|at|is|by|in|or|was|and|than|from|about|around|below|above|under|equals|minus"
    r"|plus|times|over)$"
)


def saint_or_street(match: Match) -> str:
    """Returns the words for St. or Dr.: street or drive after the name of a street if no other name follows,
    otherwise saint or doctor before a name. Elsewhere it stays."""
    short, rest = match[2], after(match)
    behind_name = match[1] is not None and not _NO_STREET.fullmatch(match[1])
    before_name = re.match(r"[\s-]*[A-Z](?:[a-z]|\.? [A-Z]|\.[A-Z])", rest)
    ordinary = re.match(rf"\s*(?:Apt|Suite|Ste|Stn|Unit|Floor|Fl|Bldg|Room|Turn|Go|{STARTERS})\b", rest)
    if behind_name and (not before_name or ordinary or _STREET.fullmatch(match[1])):
        return f"{match[1]}{'street' if short == 'St' else 'drive'}{stop(match)}"
    return f"{match[1] or ''}{LISTS['title'][short].title()} " if before_name else match.group()


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


def cups(match: Match) -> str:
    """Returns the c. of a recipe in words: the c. of 1 c. sugar -> cup, the c. of 2 1/2 c. flour -> cups."""
    lead = before(match)
    one = re.search(r"(?:^|[^\d/.])1 ?$|\d/\d ?$", lead) and not re.search(r"\d[ -]+\d/\d ?$", lead)
    return " cup " if one else " cups "


def spelled(match: Match) -> str:
    """Returns the letters of a word in capitals with blanks between them: US -> U S. The word stays among
    other words in capitals, and next to one of _SHOUTED (TELL US), since there it is only emphasised."""
    lead, rest = before(match, _NEAR), after(match, _NEAR)
    beside = [word[1] for word in (_LAST_WORD.search(lead), _NEXT_WORD.match(rest)) if word]
    among_capitals = not re.search("[a-z]", lead + rest) and re.search("[A-Z]{2}", lead + rest)
    emphasised = among_capitals or any(map(_SHOUTED.fullmatch, beside))
    return match[0] if emphasised else " ".join(match[0])
