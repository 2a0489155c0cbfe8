"""English: telephones, codes and answers of servers: digit by digit, or in pairs."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.table import Match, Row, after, before


def telephone(match: Match) -> str:
    """Digits as a number to dial, a pause between its groups."""
    groups = []
    for group in re.findall(r"\d+", match.group()):
        groups += [group[:3], group[3:7], group[7:]] if len(group) == 11 else [group]
    plus = "plus " if match.group().startswith("+") else ""
    if groups[:2] == ["1", "800"]:
        return f" one eight hundred, {', '.join(map(numbers.digits, groups[2:]))} "
    return f" {plus}{', '.join(map(numbers.digits, groups))} "


def spelled(match: Match) -> str:
    return numbers.digits(match[1])


def identifier(match: Match) -> str:
    """The words before it, then digits one by one, a pause where they are grouped."""
    number = re.sub(r"\d+", lambda run: numbers.digits(run.group()), match[2])
    return match[1] + re.sub("-| (?=\\d)", ", ", number)


def code(match: Match) -> str:
    """INV-2024-0098: letters, then groups of digits."""
    letters, *groups = re.split("-", match.group())
    return f"{letters} {', '.join(map(numbers.digits, groups))}"


def status(match: Match) -> str:
    """A 404: a server's answer, where one is spoken of."""
    near = before(match, 50) + after(match, 50)
    told = re.search(
        r"(?i)\b(?:an?|the|every|another|got|getting|and|or|throws|shows) $", before(match)
    ) and re.search(
        r"(?i)\b(?:page|site|website|server|request|balancer|backend|link|api|endpoint|browser|error|"
        r"status|load|url|"
        r"http|retry|proxy|gateway)s?\b",
        near,
    )
    return numbers.paired(match.group()) if told else match.group()


def hotline(match: Match) -> str:
    """311 or 988: where someone dials it or is in need."""
    near = before(match, 50) + after(match, 30)
    told = re.search(
        r"(?i)\b(?:dial\w*|call(?:s|ed|ing)?|text|emergency|hotline|lifeline|urgent|police|"
        r"ambulance|crisis|operator)\b",
        near,
    )
    return (
        numbers.digits(match.group())
        if told and not re.search("[$£€#]$", before(match, 1))
        else match.group()
    )


def text_to(match: Match) -> str:
    """Text HOME to 741741."""
    return numbers.digits(match[1]) if re.search("(?i)text|send|sms", before(match, 24)) else match[1]


_E = r"(?!\d|[.,]\d)"

DIALLED: list[Row] = [
    ("telephone", r"(?<![\d.])\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){1,4}(?!\d)", telephone),
    ("telephone", r"(?<![\d.-])1[3-9]\d([ -]?)\d{4}\1\d{4}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])(?:1[- ])?\(?\d{3}\)?[ -]\d{3}-\d{4}(?![\d-])", telephone),
    (
        "telephone",
        r"(?<![\d.-])(?:1-)?\(?\d{3}\)?-[A-Z]{3,8}\b",
        lambda m: re.sub(r"\d+", lambda run: numbers.digits(run.group()) + " ", m.group()).replace("-", " "),
    ),
    ("telephone", r"(?<![\d.-])0\d{2,3}-\d{7,8}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])0\d{2,4} \d{3,4} \d{3,4}(?![\d-])", telephone),
    ("telephone", r"\d(?<![\d.-]\d)\d{2,3}-\d{3,4}-\d{4}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])[48]00-?\d{3,4}-?\d{3,4}(?![\d-])", telephone),
    ("telephone", r"\d(?<![\d.-]\d)\d{2}-\d{4}(?![\d-])", telephone),
    ("social security", r"\d(?<![\d.-]\d)\d{2}-\d{2}-\d{4}(?![\d-])", telephone),
    (
        "short telephone number",
        rf"(?i)\b(?:(?<=call )|(?<=dial )|(?<=calls )|(?<=dialed )|(?<=called )"
        rf"|(?<=calling )|(?<=dialing )|(?<=phone )|(?<=text ))(\d{{3,6}}){_E}"
        rf"(?! (?:people|times|of|numbers|customers))",
        spelled,
    ),
    (
        "short telephone number",
        r"\b([2-9]11)(?= (?:line|service|hotline|call)\b)|(?<=the )(411) on\b",
        lambda m: numbers.digits(m[1] or m[2]) + (" on" if m[2] else ""),
    ),
    ("retirement plan", r"\b(40[13])\(?([kb])\)?(?![A-Za-z])", lambda m: f"{numbers.paired(m[1])} {m[2]}"),
    (
        "status",
        r"\b([45]0\d)(?=\s(?:error|errors|page|status|response|not found"
        r"|usually|means)\b)|(?i:(?<=http )|(?<=status )|(?<=code )|(?<=error )"
        r"|(?<=returned )|(?<=returns )|(?<=returning ))([1-5]\d\d)\b(?!\s[a-z]{2,}s\b)",
        lambda m: numbers.paired(m[1] or m[2]),
    ),
    (
        "status",
        r"4(?<![\w.,$£€#-].)(?:0[013-9]|1[0-8]|2[249]|51|99)\b(?! ?[a-z]{2,20}s\b|[-.%,]\d| (?:people"
        r"|percent|men|women|million|feet|mile))|50(?<![\w.,$£€#-]..)[0-4]\b(?! ?[a-z]{2,20}s\b|[-.%,]\d)",
        status,
    ),
    (
        "hotline",
        r"[1-9](?<![\w.,$£€#-].)(?:11|88|99|12|01)\b(?![.,]\d|-| [a-z]{2,20}s\b"
        r"| (?:people|men|women|children|percent|of))",
        hotline,
    ),
]
