"""English rules for the short forms and signs of trades: law, weather, school marks, shops, hashtags."""

from __future__ import annotations

import re

from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.names import DIRECTIONS
from speech_text.default.english.stops import with_stop
from speech_text.default.english.units import UNITS
from speech_text.default.table import Match, Row, after, before, behind, names

_NEAR = 40  # characters to either side that are examined
_DIMENSIONS = names("L=long; W=wide; D=deep; H=high;")
_SIZES = names("med=medium; sm=small; tab=tablet; cap=capsule; tabs=tablets; caps=capsules;")
_WIND = either(DIRECTIONS)
_BLOWS = re.compile(r" (?:winds?|gales?|breezes?|airs)\b")
_BLOWN = re.compile(
    r"\b[Ww]inds?(?: (?:are|is|was|were))?:? (?:from )?(?:the )?$|\b(?:will|later|then) (?:back|veer) $"
)
_FORCE = re.compile(rf" (?:\d|gale|severe|(?:or|to|then|backing|veering|becoming) (?:(?:{_WIND})\b|\d))")
_WINDY = re.compile(r"(?i)\b(?:winds?|gales?|gusts?|knots|kts?|storm|squally|breeze|beaufort)\b")
_CHANGED = re.compile(
    r"\.\d{1,3}$|\b(?:up|down|by|rose|fell|grew|gained|lost|dropped|rise of|fall of) \d{1,3}$"
)
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=\w)[^*]*$")  # a mark before emphasised words that do not end
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=\d)")
_UNIT = either(UNITS)


def wind(match: Match) -> str:
    """Returns the direction of a wind in words: the SW of SW winds -> southwest, the W or NW 5 of winds W or
    NW 5 -> west or northwest 5. The letters stay where no wind is spoken of."""
    lead, rest = before(match, _NEAR), after(match, _NEAR)
    told = _BLOWS.match(rest) or _BLOWN.search(lead)
    near = _FORCE.match(rest) and (_WINDY.search(lead) or _WINDY.search(rest))
    return " or ".join(DIRECTIONS[name] for name in match[0].split("/")) if told or near else match[0]


def pages(match: Match) -> str:
    """Returns the pp of a number in words: 48 pp. -> pages. After a change it is percentage points: up 2
    pp."""
    return " percentage points" if _CHANGED.search(before(match, 24)) else " pages"


def hashtag(match: Match) -> str:
    """Returns a hashtag with its words apart: #MondayMotivation -> hashtag Monday Motivation."""
    return f"hashtag {_HUMP.sub(' ', match[1])}"


def divided(match: Match) -> str:
    """Returns a unit with its negative powers as divisors: W m⁻² -> W/m², J kg⁻¹ K⁻¹ -> J/kg/K."""
    powers = re.findall(r"[ ·]?([^ ·⁻]+)⁻([¹²³])", match[4])
    divisors = (f"/{unit}{power if power != '¹' else ''}" for unit, power in powers)
    return f"{match[1]}{match[2]}{match[3]}{''.join(divisors)}"


def postcode(match: Match) -> str:
    """Returns a British postcode in words: S33 8WP -> S thirty three, eight W P."""
    area, district, sector, unit = match.groups()
    number = re.sub(r"\d+", lambda digits: f" {numbers.cardinal(digits[0])} ", district)
    return f"{' '.join(area)}{number.rstrip()}, {numbers.cardinal(sector)} {' '.join(unit)}"


def grid(match: Match) -> str:
    """Returns a grid reference in words: SK 123 845 -> grid reference S K one two three, eight four five."""
    square, digits = match[1], match[2].replace(" ", "")
    half = len(digits) // 2
    return (
        f"grid reference {' '.join(square)} {numbers.digits(digits[:half])}, {numbers.digits(digits[half:])}"
    )


def dimensions(match: Match) -> str:
    """Returns sizes whose letters name the dimension in words: 84"L x 36"D -> 84" long by 36" deep."""
    named = re.sub("[LWDH]", lambda letter: f" {_DIMENSIONS[letter[0]]}", match[0])
    return re.sub(" ?[x×] ?", " by ", named)


def stars(match: Match) -> str:
    return re.sub(r"\*+", lambda marks: "double star" if len(marks[0]) > 1 else "star", match[0])


_SECTION = r"(?=\d{1,3}[A-Z]{0,2}"
TRADES: list[Row] = [
    (
        "age",
        rf"((?:{behind('am|are|is|was')}|(?<=\w's ))\d{{1,3}}) ?y/?o\b(?! (?!and|but|with)\w)",
        r"\1 years old",
    ),
    (
        "extension",
        r"(?<=[a-z,] )(?<![Aa]ccount )(?<![Cc]ard )x ?(?=\d{4}\b)"
        rf"|(?<=-\d{{4}} )x ?(?=\d{{1,5}}\b)|(?i:{behind('call|dial|tel')})x(?=\d{{3,5}}\b)",
        "extension ",
    ),
    ("section", r"\bs(?<=[a-z] s)(s?)\. (?=\d{1,4}[^.]{0,8} of the [A-Z])", r"section\1 "),
    ("unit", rf"(?<=\d)-({_UNIT})\.(?= [A-Za-z])", r"-\1"),
    (
        "unit",
        r"(?<=\d)-(ac|mo)\b(?= [a-z])|(?<=\d[snrt][tdh])-(yr)\b\.?",
        lambda m: f"-{UNITS[m[1] or m[2]]}",
    ),
    (
        "feet",
        r"(?<=\d)['′] ?(?=(?:boat|ceiling|door|dumpster|fence|ladder|length|pole|reefer|sailboat|trailer"
        r"|truck|wall|frontage|setback)s?\b|TT\b|RV\b)",
        "-ft ",
    ),
    ("near", r"\b[Nn]r(?:\. (?=[a-z]{3})|\.? (?=[A-Z][a-z\d]|the\b|stn\b|station))", "near "),
    (
        "account",
        r"\b[Aa]/[Cc](?= (?:no\b|number|ending|[Xx*]*\d))"
        rf"|{behind('from your|to your|in your')}a/c\b",
        "account",
    ),
    ("percent", r"(?<=\d)pc\b(?! sets?\b)", "%"),
    ("number", r"(?<=\d)no\b\.?(?= [a-zA-Z\d])", " number"),
    (
        "number",
        r"\b((?i:account|booking|card|house|invoice|job|licence|member|membership|mobile|order|phone"
        r"|policy|ref|reg|roll|serial|staff|tel|ticket)\.?) no\b\.?(?=[,;:)]|$| (?:is|was|and|on)\b)",
        with_stop(lambda m: f"{m[1]} number"),
    ),
    (
        "count",
        r"(?:(?<=\b\d)|(?<=\b\d\d)) ?x (?=[A-Z]\w{1,12} [a-z]{1,14}s\b"
        r"|(?<= x )(?!times|minus|plus|less|this|is|as|was|has)[a-z]{1,14}s\b"
        r"|\d{1,4} ?(?:k?g|ml|[Ll]|oz|lb) [a-z]{3})",
        " ",
    ),
    (
        "or",
        r"(?<=\d)(k?g|ml|[cmk]?m|[lL])/(?=\d{1,4}(?:\.\d|/\d| \d/\d)? ?(?:oz|lbs?|in|ft|fl|pints?|miles?|mph"
        r"|tbsp|tsp)\b)|(?<=\d)(oz|lb|pt|in)/(?=\d[\d.]{0,4} ?(?:k?g|ml|cm|litres?|[lL])\b)",
        r"\1\2, ",
    ),
    ("or", r"(?<=[Mm]ark \d)/(?=\d)|(?<=\dC)/(?=fan|gas|\d)|(?<=fan)/(?=gas)", ", "),
    ("ordinal", r"\b(\d)(?:st|nd|rd|th)s\b", lambda m: f"{numbers.ordinal(m[1])}s"),
    ("eleven", r"(?<=st |nd |rd |th )XI\b", "eleven"),
    (
        "age group",
        rf"(?:(?<=\()|{behind('and|for|[Tt]he|our')}|(?<=[,.;:] )|^|\b(?=\w{{4,5}}-))"
        r"([Uu]nder|[Oo]ver)[ -](\d{1,2})s\b",
        lambda m: f"{m[1]} {numbers.plural(numbers.cardinal(m[2]), '2')}",
    ),
    ("pressure", r"\b(?!1024)(9\d\d|10[0-4]\d) mb\b(?! of)", r"\1 mbar"),
    ("by", r"(?<=[a-z] [x×] )(\d{1,4}) ?[x×] ?(?=\d)", r"\1 by "),
    ("by", r"(?<=\d\d0 )x (?=\d{1,3}[05]\b(?! ?[=?]))", "by "),
    ("times", r"(?<=\d) x (?=[£€$₹]\d)|(?<=[£€$₹])(\d[\d,.]{0,11}) x (?=\d)", r"\1 times "),
    ("stone", r"(?<=\d) ?st\b\.?(?= ?\d{1,2} ?lbs?\b)|(?:(?<=\b1\d)|(?<=[02-9]))st\b", " stone"),
    ("hours", r"(?:(?<=:\d\d)|(?<=\d{4}-\d{4})) ?hrs\b", " hours"),
    ("speed", r"(?<=\d)-spd\b", "-speed"),
    ("size", rf"(?:(?<=\d )|(?<=\ba ))({either(_SIZES)})\. (?=[A-Za-z])", lambda m: f"{_SIZES[m[1]]} "),
    (
        "section",
        rf"\b(ss?)(?:\. ?| ){_SECTION}\((?:\d|[a-z]\)))"
        rf"|(?i:{behind('under|of|with|contrary to|pursuant to|subject to')})"
        rf"(ss?)\.? ?{_SECTION}\b(?!\.\d))"
        rf"|{behind('[Aa]|the|by|in|and|or|[Ss]ee')}(ss?)\. ?{_SECTION}\b)",
        lambda m: "sections " if "ss" in m.groups() else "section ",
    ),
    (
        "hashtag",
        r"(?<![\w&#/])#(?!(?:[0-9A-Fa-f]{3}){1,2}\b|[A-Z]{3,24}\d|include\b|define\b)"
        r"([A-Za-z]{3}\w{0,40})(?![\w-])",
        hashtag,
    ),
    (
        "star",
        r"(?<=\b[1-7])\*(?= (?:hotels?|resorts?|spas?|luxury|accommodation|reviews?|service|places?|prices?"
        r"|property|treatment|stays?|(?:half|full)[- ]board|all[- ]incl?\w*|B&B|self[- ]catering)\b)"
        r"|(?<=\bGrade II)\*|(?<=\bII)\*(?= listed)|(?<![\w*])\*(?=\.[a-z]{1,5}\b)",
        " star",
    ),
    (
        "star",
        r"(?<![\w*])\*(#?\d{2,4}(?:\*\d{1,12}){0,4})#",
        lambda m: f"star {m[1].replace('#', 'hash ').replace('*', ' star ')} hash",
    ),
    ("repeat", r"\b([Rr])ep (?=(?:from |between )?\*)", r"\1epeat "),
    ("star", r"\b(?:from|between) \*{1,2}s?(?: (?:to|and) \*{1,2})?(?=[ ,.;:)]|$)", stars),
    (
        "grid reference",
        r"\b(?:GR|[Gg]rid [Rr]ef(?:erence|\.)?|[Mm]ap ref(?:erence|\.)?):? ([A-Z]{2}) ?(\d{2,5} ?\d{2,5})\b",
        grid,
    ),
    (
        "postcode",
        r"\b([A-Z]{1,2})(\d[\dA-Z]?) (\d)"
        r"(?!GB|TB|HP|WD|(?<=1)ST|(?<=2)ND|(?<=3)RD|TH)([ABD-HJLNP-UW-Z]{2})\b",
        postcode,
    ),
    ("wind", rf"(?<![\w.'/-])(?:{_WIND})(?:/(?:{_WIND}))?(?![\w'./-]|\.\w)", wind),
]
