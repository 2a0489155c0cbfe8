"""English rules for words in capitals that are spelled, since in small letters they are other words: US and
us, IT and it."""

from __future__ import annotations

import re

from speech_text.default.table import Match, Row, after, before, behind

_NEAR = 40  # characters to either side that are examined
_LAST_WORD, _NEXT_WORD = re.compile(r"([A-Za-z]+)\W*$"), re.compile(r"\W*([A-Za-z]+)")
# Next to one of these in capitals a word is only emphasised: TELL US.
_SHOUTED = re.compile(
    "ABOUT|ALL|AND|ARE|BE|BUT|CALL|CAN|DID|DO|DOES|FOLLOW|FOR|FROM|GET|GIVE|GOT|HAS|HATE|HAVE|HE|HELP|HOW|IF|IN|IS"
    "|JOIN|JUST|LET|LIKE|LOVE|MAKE|NEVER|NO|NOT|NOW|OF|ON|ONLY|OUT|SEE|SHE|SO|TAKE|TELL|THAT|THEY|THIS|TO|TRUST|UP"
    "|WANTS?|WAS|WE|WHAT|WHY|WILL|WITH|YES|YOU"
)
_IT_STAFF = (
    "admins?|analysts?|assets|budgets?|careers?|compan(?:y|ies)|consultants?|consulting|departments?|desk|directors?"
    "|equipment|experts?|firms?|folks|guys?|help|industry|infrastructure|jobs?|leads?|managers?|outages?|people|person"
    "|policy|policies|pros?|professionals?|projects?|roles?|sector|security|services?|skills|specialists?|spending"
    "|staff|support|systems?|teams?|technicians?|tickets?|training|workers?"
)
_SAYS = "says?|said|asks?|asked|declared|warn(?:s|ed)|estimates?|recommends?|reports?|told|called|published"
_LEADS = "the|in|to|ask|our|an|from|call|with|contact|works|his|her|my|your|their|by|for|and"


def spelled(match: Match) -> str:
    """Returns the letters of a word in capitals with blanks between them: US -> U S. The word stays among
    other words in capitals, and next to one of _SHOUTED (TELL US), since there it is only emphasised."""
    lead, rest = before(match, _NEAR), after(match, _NEAR)
    beside = [word[1] for word in (_LAST_WORD.search(lead), _NEXT_WORD.match(rest)) if word]
    among_capitals = not re.search("[a-z]", lead + rest) and re.search("[A-Z]{2}", lead + rest)
    emphasised = among_capitals or any(map(_SHOUTED.fullmatch, beside))
    return match[0] if emphasised else " ".join(match[0])


_ASKED = re.compile(
    r"(?i)\b(?:ask|believe|call|contact|email|follow|give|gives|help|join|let|message|send|show|tell"
    r"|text|up to) $"
)
_OBJECT = re.compile(
    r"[.,!?]|$| (?:an?|and|at|be|for|go|here|how|if|in|know|more|now|on|some|the|to|today|tomorrow|tonight"
    r"|what|when|where|why|your)\b"
)


def country(match: Match) -> str:
    """Returns the letters of US, except where the word us is emphasised: Give US a call, join US today."""
    emphasised = _ASKED.search(before(match)) and _OBJECT.match(after(match))
    return match.group() if emphasised else spelled(match)


_SPELLED = {
    "information technology": rf"\bIT(?= (?i:{_IT_STAFF}|{_SAYS})\b)"
    rf"|(?i:{behind(_LEADS)})IT\b(?!'|(?<=all IT) (?:an?|off|quits|what)\b)",
    "health organization": rf"\bWHO(?= (?:officials?|experts?|data|{_SAYS})\b)|(?i:{behind('the|by')})WHO\b",
    "operating room": rf"\bOR(?= (?:nurses?|tables?|suites?|staff|teams?)\b)|(?i:{behind('the|an')})OR\b",
    "era": r"\bAD\b(?= ?\d| (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|[a-z]{3,5}t(?:y|een))\b)|(?<=[a-z] )AD\b(?=[,.;:)]|$)",
    "city": r"\bLA\b(?!')",
    "examination": r"\b(?:SATs?|ACT)(?= (?:scores?|tests?|prep|exams?)\b)|(?<=\bthe )SATs?\b",
    "initials": r"\b(?:AET|AOB|COB|COD|EOD|ETA|FOB|IOU|KO|LED|MOT|OAP|OBE|OPS|OTE|OT|PE|RIP)s?\b(?!')"
    r"|\bAPR(?=:? \d\d?(?:\.\d\d?)?%)|(?<=% )APR\b",
    "radio": r"\b(?<!I )AM(?= (?:radio|stations?|dial|band)\b|/FM)",
}
CAPITALS: list[Row] = [
    ("country", r"\bUS\b(?!\$)", country),
    *((kind, pattern, spelled) for kind, pattern in _SPELLED.items()),
]
