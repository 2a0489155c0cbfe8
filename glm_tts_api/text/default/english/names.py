"""English: titles and abbreviations, and figures that are names: telephones, flights, rooms, kings, days."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.dialled import telephone
from glm_tts_api.text.default.english.units import CODES
from glm_tts_api.text.default.spelling import EMAIL, ENGLISH_DIGITS, ENGLISH_MARKS, URL, spell_address
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

_DIRECTIONS = {"N": "north", "S": "south", "E": "east", "W": "west"}
_NUMBERED = (
    "Figure|Fig|Table|Section|Exercise|Problem|Listing|Chapter|Example"
    "|Question|Equation|Theorem|Lemma|Article"
)


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


def text_to(match: Match) -> str:
    """Text HOME to 741741."""
    return numbers.digits(match[1]) if re.search("(?i)text|send|sms", before(match, 24)) else match[1]


def address(match: Match) -> str:
    return spell_address(match.group(), ENGLISH_MARKS, ENGLISH_DIGITS)


def host_address(match: Match) -> str:
    host, _, port = match.group().partition(":")
    parts = (numbers.digits(part) if len(part) > 2 else numbers.cardinal(part) for part in host.split("."))
    spoken = " dot ".join(parts)
    return f" {spoken} " + (f"colon {numbers.digits(port)} " if port else "")


def version(match: Match) -> str:
    parts = match.group().split(".")
    read = (numbers.digits(part) if part[0] == "0" else numbers.cardinal(part) for part in parts)
    return f" {' point '.join(read)} "


def paired(match: Match) -> str:
    """Room 304; bus 205 and the 73."""
    lead: str = match[1]
    more = re.sub(r"\d+", lambda run: numbers.paired(run.group()), match[3])
    return f"{lead}{' ' if lead[-1].isalpha() else ''}{numbers.paired(match[2])}{more}"


def room_in(match: Match) -> str:
    """Meet me in 304."""
    told = re.search(
        r"(?i)\b(?:meet|room|gate|floor|hall|building|office)\b", before(match, 40) + after(match, 30)
    )
    return numbers.paired(match.group()) if told else match.group()


def flight(match: Match) -> str:
    return f"{match[1]} {numbers.digits(match[2])}"


def hyphened_name(match: Match) -> str:
    """F-16, COVID-19, A320: letters, then a number that is paired."""
    return f"{match[1]} {numbers.paired(match[2])}{' ' if after(match, 1).isalpha() else ''}"


def letters_and_digits(match: Match) -> str:
    """K7PX2M, 1Z999AA10123456784, DE89 3704 ...: a code, not the name of a thing with its number."""
    runs = re.findall(r"[A-Z]+|\d+| ", match.group())
    if len(runs) < 4 and not any(run.isdigit() and len(run) > 4 for run in runs):
        return match.group()
    return " ".join(numbers.digits(run) if run.isdigit() else "," if run == " " else run for run in runs)


def part_numbers(match: Match) -> str:
    """Figure 2-1."""
    return match[1] + " dash ".join(map(numbers.cardinal, match[2].split("-")))


# What is counted rather than named by the number before it.
_COUNTED = (
    r" ?(?:[a-z]{2,20}(?<!wa)(?<!ha)(?<!doe)(?<!i)s|people|men|women|children|percent|million|billion"
    r"|thousand|feet|or|to|square|more|new|[a-z]{1,3})\b(?<! is)(?<! was)(?<! has)| ?[%°/x×-]"
)
_B, _E = r"(?<![\d.,])", r"(?!\d|[.,]\d)"
DAYS: list[Row] = [
    ("day with a name", r"\b9/11\b(?!/)", "nine eleven"),
    ("day with a name", r"\b7/7\b(?= (?:attacks?|bombings?|bombers?)|, when| in London)", "seven seven"),
]
ADDRESSES: list[Row] = [
    ("e-mail address", EMAIL, address),
    ("web address", URL, address),
    ("path", r"(?<![\w/.~])~?(?:/[A-Za-z][\w.-]{0,40}){2,9}/?(?!\w)", address),
    ("network address", r"\d(?<![\d.]\d)\d{0,2}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\d.]*\d)", host_address),
    ("telephone", r"(?<![\d.])0\d{1,3}(?:\.\d{3,4}){2}(?![\d.]*\d)", lambda m: telephone(m.group())),
    ("telephone", r"\d(?<![\d.]\d)\d{2}\.\d{3}\.\d{4}(?![\d.]*\d)", lambda m: telephone(m.group())),
    ("code", r"\b[A-Z]{2}\d\d(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,3})?\b", letters_and_digits),
    (
        "version",
        r"(?<![\d.])(?!\d\d?\.\d\d?\.(?:19|20)\d\d(?!\d))\d{1,6}(?:\.\d{1,6}){2,}(?![\d.]*\d)",
        version,
    ),
]
NAMES: list[Row] = [
    (
        "direction",
        r"(?<=\d )([NSEW])\.?(?= (?:\d{1,3}(?:st|nd|rd|th)\b|(?:[A-Z][a-z]{2,15} ){1,3}"
        r"(?:St|Ave|Rd|Blvd|Dr|Street|Avenue|Road|Drive|street|avenue|road|boulevard|drive|lane)\b))",
        lambda m: _DIRECTIONS[m[1]],
    ),
    ("shares", r"(?<![\d/-])50-50(?![\d/-])", "fifty fifty"),
    (
        "all day",
        r"\b24/7(?:/365)?\b",
        lambda m: "twenty four seven" + (" three sixty five" if m.group().endswith("5") else ""),
    ),
    (
        "shares",
        r"(?<![\d/])(\d\d)/(\d0)(?![\d/])(?=\s+(?:rule|split|principle"
        r"|chance|odds|deal|shot|law|partnership|mix|balance))|(?<![\d/])"
        r"(50)/(50)(?![\d/])",
        lambda m: f"{numbers.cardinal(m[1] or m[3])} {numbers.cardinal(m[2] or m[4])}",
    ),
    (
        "record",
        r"(?<=[a-z] \()(\d{1,3})-(\d{1,3})(?:-(\d{1,2}))?(?=\),? (?:hosts?|visits?|faces?|plays?|"
        r"takes? on|lost|beat|leads?|travels?|meets?|are|"
        r"have|won|wins?|remains?|sits?|at|vs)\b)",
        lambda m: " and ".join(numbers.cardinal(part) for part in m.groups() if part),
    ),
    ("jeans", r"(?<=\bthe )(5\d\d)(?= (?:runs?|fits?|jeans?)\b)", lambda m: numbers.paired(m[1])),
    ("jeans", r"\b(50\d)s\b", lambda m: numbers.paired(m[1]) + "s"),
    (
        "turn",
        r"(?<=\ba )(180|360|540|720|900|1080)(?= (?:on|in|off|turn|spin|at|to)\b|[.,!])",
        lambda m: numbers.paired(m[1]),
    ),
    ("ten four", r"\b10-4\b", "ten four"),
    (
        "formation",
        r"(?<![\d-])(\d)-(\d)(?= (?:zone|defense|formation))",
        lambda m: f"{numbers.cardinal(m[1])} {numbers.cardinal(m[2])}",
    ),
    (
        "formation",
        r"(?<![\d-])\d(?:-\d){2,3}(?= (?:formation|system|setup|shape))",
        lambda m: " ".join(map(numbers.cardinal, m.group().split("-"))),
    ),
    (
        "record",
        r"(?i)(?:(?<=they're )|(?<=we're )|(?<=record of )|(?<=improved to )"
        r"|(?<=fell to )|(?<=are now )|(?<=went )|(?<=\bat ))(\d{1,2})-"
        r"(\d{1,2})(?= (?:at home|on the road|this season|in|away|overall"
        r"|since|last|so far)\b|[,.])",
        lambda m: f"{numbers.cardinal(m[1])} and {numbers.cardinal(m[2])}",
    ),
    (
        "short telephone number",
        r"\b([49]11)(?= (?:calls?|emergency|operator|dispatch\w*|center"
        r"|right away|immediately|if|for help)\b)",
        spelled,
    ),
    (
        "grouped digits",
        r"\d(?<![\d.,-]\d)\d{3}(?:[ -]\d{4}){2,4}(?: \d{1,3})?(?![\d-])",
        lambda m: telephone(m.group()),
    ),
    (
        "identifier",
        r"(?i)\b((?:pin|otp|pnr|code|password|passcode|zip(?: code)?|extension"
        r"|ending|ext|serial number|account number|tracking number|order number"
        r"|confirmation number|isbn|id|acct|ending in|ends in|card number"
        r"|(?:order|ticket|invoice|case|account|ref|reference|confirmation"
        r"|tracking) number|number is|order)(?: is|:)? ?#? ?)(?<![\d.-])"
        r"(\d{1,2}+-\d{3,9}|\d{3,}+(?:-\d{1,9}| \d{3,4}(?!\d| [a-z]{1,20}s\b))*+)(?![.,]\d)",
        identifier,
    ),
    ("flight", r"(?i)(?<=flight )([A-Z]{2}) ?(\d{2,4})\b", flight),
    ("flight", r"\b(AA|UA|DL|BA|CA|MU|CZ|AF|LH|EK|QR|SQ|CX|JL|NH|KE|WN|AC|QF) ?(\d{2,4})\b", flight),
    (
        "flight",
        r"\b([A-Z]{2}) ?(\d{3,4})(?= (?:flight|from|to|departs|arrives|lands|is|was|has|will)\b)",
        flight,
    ),
    ("flight", rf"(?i)\b(flight )(\d{{3,4}}){_E}", lambda m: f"{m[1]}{numbers.digits(m[2])}"),
    (
        "room",
        rf"(?i)\b((?:(?:room|suite|apartment|unit|gate|route|highway|interstate"
        rf"|bus|train|apt|locker|area|studio|section|hwy|platform"
        rf"|channel|psalm|form|port|boeing|airbus|model|type|class|peugeot|porsche"
        rf"|ferrari|bmw)(?:s|es)?|i|us) ?-? ?[A-Z]?)(\d{{3,4}}|\d{{1,2}}(?=(?:,| and| or)(?: the)? \d{{3}}))"
        rf"((?:(?:,| and| or|, and)(?: the)? \d{{3,4}}(?! [a-z]{{2,20}}s\b|,\d)){{0,4}}){_E}"
        rf"(?! (?:of|times|years|people|students|passengers|meters|minutes))",
        paired,
    ),
    (
        "address",
        rf"{_B}(?<![$£€#])(\d{{3,4}})(?= (?:[NSEW]\. )?(?:[A-Z][a-z]{{1,15}} ){{1,3}}(?:st"
        rf"reet|drive|road|avenue|boulevard|lane|way|court|place|plaza"
        rf"|square|parkway|St|Street|Drive|Road|Avenue|Boulevard|Lane|Way"
        rf"|Court|Place|Ave|Rd|Blvd|Ln)\b)",
        lambda m: numbers.paired(m[1]),
    ),
    ("part number", rf"(?i)\b((?:{_NUMBERED})\.? )(\d{{1,3}}(?:-\d{{1,3}}){{1,2}})(?![\d-])", part_numbers),
    (
        "versus",
        r"(\d(?<![\w.]\d)\d?) ?[vV][sS]?\.? ?(\d{1,2})(?![\w.])",
        lambda m: f"{numbers.cardinal(m[1])} v {numbers.cardinal(m[2])}",
    ),
    ("code", r"\b(?=[A-Z]{0,20}\d)(?=\d{0,20}[A-Z])[A-Z0-9]{5,24}\b(?![.,-]\d)", letters_and_digits),
    ("oil", r"\b(\d{1,2})W-(\d\d)\b", lambda m: f"{numbers.cardinal(m[1])} w {numbers.cardinal(m[2])}"),
    ("code", r"\b[A-Z]{2,6}(?:-\d{2,8}){2,3}\b(?!-)", code),
    ("model", r"\b([A-Za-z]{1,6}\d{1,2})-(\d{3,6})(?!\d|[.,-]\d)", hyphened_name),
    ("name with a hyphen", r"\b([A-Za-z]{1,20})-(\d{1,4})(?![\d-]|\.\d)", hyphened_name),
    ("model", r"\b([A-Z]{1,4})(\d{3,4})(?!\d|[.]\d|[a-z]{2})", hyphened_name),
    (
        "airplane",
        r"\b(7[0-8]7)(?=s?\b(?: (?:jet|plane|aircraft|max|dreamliner|airliner|crashed|landed)))",
        lambda m: numbers.paired(m[1]),
    ),
    ("room", r"[1-9](?<=\b[Ii]n .)\d\d(?=[,;] |[,.]$)", room_in),
    (
        "named number",
        rf"(?<=[a-z,;] )(?!(?:{alternatives(CODES)}) )([A-Z][A-Za-z]{{1,15}}) (\d{{3,4}}){_E}(?!{_COUNTED})",
        hyphened_name,
    ),
    ("car", r"\b911(?= (?:Turbo|Carrera|GT|Targa|Cabriolet))", lambda m: numbers.paired(m.group())),
    (
        "standard",
        r"\b802\.(\d{1,2})([a-z]{0,2})\b",
        lambda m: f"eight oh two point {numbers.cardinal(m[1])} {' '.join(m[2])}",
    ),
    ("war", r"\bWW ?(II?|[12])\b", lambda m: f"world war {'two' if m[1] in ('II', '2') else 'one'}"),
    ("team", r"\b(49|76)ers\b", lambda m: "forty niners" if m[1] == "49" else "seventy sixers"),
    ("short telephone number", r"(?<=[A-Z\"'] to )(\d{4,6})\b(?! [a-z]{2,20}s\b)", text_to),
    ("leading zero, or very long", r"(?<![\d./,-])(0\d++|\d{13,}+)(?![./-]?\d)", spelled),
]
