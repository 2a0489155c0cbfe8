"""English rules for words in capitals that are spelled, since in small letters they are other words: US and
us, IT and it."""

from __future__ import annotations

import re

from speech_text.default.table import Match, after, before

_NEAR = 40  # characters to either side that are examined
_LAST_WORD, _NEXT_WORD = re.compile(r"([A-Za-z]+)\W*$"), re.compile(r"\W*([A-Za-z]+)")
# Next to one of these in capitals, or behind one of these before an object, a word is only emphasised: TELL
# US, give US a call.
_SHOUTED = re.compile(
    "ABOUT|ALL|AND|ARE|BE|BUT|CALL|CAN|DID|DO|DOES|FOLLOW|FOR|FROM|GET|GIVE|GOT|HAS|HAVE|HE|HELP|HOW|IF|IN|IS"
    "|JOIN|JUST|LET|LIKE|LOVE|MAKE|NEVER|NO|NOT|NOW|OF|ON|ONLY|OUT|SEE|SHE|SO|TAKE|TELL|THAT|THEY|THIS|TO|TRUST|UP"
    "|WANTS?|WAS|WE|WHAT|WHY|WILL|WITH|YES|YOU|(?i:give|let)"
)
STAFF = (
    "admins?|budget|careers?|compan(?:y|ies)|department|desk|directors?|experts?|firms?|guys?|industry|jobs?|managers?|outages?"
    "|people|person|projects?|security|services?|skills|staff|support|systems?|teams?|workers?|says?|said|asked"
)


def spelled(match: Match) -> str:
    """Returns the letters of a word in capitals with blanks between them: US -> U S. The word stays among
    other words in capitals, and next to one of _SHOUTED (TELL US), since there it is only emphasised."""
    lead, rest = before(match, _NEAR), after(match, _NEAR)
    beside = [word[1] for word in (_LAST_WORD.search(lead), _NEXT_WORD.match(rest)) if word]
    among_capitals = not re.search("[a-z]", lead + rest) and re.search("[A-Z]{2}", lead + rest)
    emphasised = among_capitals or any(map(_SHOUTED.fullmatch, beside))
    return match[0] if emphasised else " ".join(match[0])
