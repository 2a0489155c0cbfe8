"""English: telephones, codes and answers of servers: digit by digit, or in pairs."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.figures import Class, Figure
from glm_tts_api.text.default.telephones import groups, telephones

_SERVER = re.compile(
    r"(?i)\b(?:page|site|website|server|request|balancer|backend|link|api|endpoint|browser|error|status|load|url"
    r"|http|retry|proxy|gateway)s?\b"
)
_URGENT = re.compile(
    r"(?i)\b(?:dial\w*|call(?:s|ed|ing)?|text|emergency|hotline|lifeline|urgent|police|ambulance|crisis|operator)\b"
)


def telephone(number: str) -> str:
    """Digits as a number to dial, a pause between its groups."""
    plus, parts = "plus " if number.startswith("+") else "", groups(number)
    if parts[:2] == ["1", "800"]:
        return f" one eight hundred, {', '.join(map(numbers.digits, parts[2:]))} "
    return f" {plus}{', '.join(map(numbers.digits, parts))} "


def _is_answer(figure: Figure) -> bool:
    """A 404: a server's answer, where one is spoken of."""
    return bool(_SERVER.search(figure.lead) or _SERVER.search(figure.rest))


def _is_hotline(figure: Figure) -> bool:
    """311 or 988: where someone dials it or is in need."""
    return bool(_URGENT.search(figure.lead) or _URGENT.search(figure.rest))


_NO_COUNT = r"(?! ?[a-z]{2,20}s\b|[-%]| (?:people|percent|men|women|children|million|feet|mile|of\b))"
_DIALS = "call|dial|calls|dialed|called|calling|dialing|phone|text"
_ANSWERED = "http|status|code|error|returned|returns|returning"

DIALLED = [
    *telephones(telephone),
    Class("telephone", r"(?:1[- ])?\(?3\)?[- ]3-4|3-4", telephone),
    Class("telephone", r"(?:1-)?\(?3\)?", telephone, before=r"\)?-[A-Z]{3,8}\b"),
    Class("social security", "3-2-4", telephone),
    Class(
        "short telephone number",
        "[3-6]",
        numbers.digits,
        after=rf"(?i:\b(?:{_DIALS})) ",
        before="(?! (?:people|times|of|numbers|customers))",
    ),
    Class(
        "short telephone number",
        "3",
        numbers.digits,
        text="[2-9]11",
        before=r" (?:line|service|hotline|call)\b",
    ),
    Class("short telephone number", "3", numbers.digits, text="411", after="the ", before=r" on\b"),
    Class("retirement plan", "3", numbers.paired, text="40[13]", before=r"\(?[kb]\)?(?![A-Za-z])"),
    Class(
        "status",
        "3",
        numbers.paired,
        text=r"[45]0\d",
        before=r"\s(?:error|errors|page|status|response|not found|usually|means)\b",
    ),
    Class(
        "status",
        "3",
        numbers.paired,
        text="[1-5].*",
        after=rf"(?i:{_ANSWERED}) ",
        before=r"\b(?!\s[a-z]{2,}s\b)",
    ),
    Class(
        "status",
        "3",
        numbers.paired,
        text="4(?:0[013-9]|1[0-8]|2[249]|51|99)|50[0-4]",
        after=r"(?i:\b(?:an?|the|every|another|got|getting|and|or|throws|shows)) ",
        before=rf"\b{_NO_COUNT}",
        when=_is_answer,
    ),
    Class(
        "hotline",
        "3",
        numbers.digits,
        text="[1-9](?:11|88|99|12|01)",
        before=rf"\b{_NO_COUNT}",
        when=_is_hotline,
    ),
]
