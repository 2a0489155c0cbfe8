"""English rules for abbreviations that only the text next to them makes clear."""

from __future__ import annotations

import re

from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.short_forms import SHORT_STATES
from speech_text.default.english.stops import with_stop
from speech_text.default.table import Match, Row, after, before, behind, names

_RANK = re.compile(
    r"Account|Ana|Arch|Assoc|Cent|Citizen|Consult|Ctr|Data|Design|Develop|Direct|Discount|Edit|Engineer"
    r"|Housing|Living|Manage|Pro(?:duct|gram|ject)|Scientist|Software|VP\b|Vice\b"
)
_COMPARED = {"d": "day", "w": "week", "y": "year", "q": "quarter", "m": "month"}
_LIFE = {"b": "born", "d": "died", "m": "married", "r": "reigned", "fl": "flourished"}
_DAYS = names("M=monday; T=tuesday; Tu=tuesday; W=wednesday; Th=thursday; F=friday; S=saturday; Su=sunday;")
# Elements by their symbols, each with the masses that are spoken of.
_ISOTOPES = names("""
    He=helium 3 4; C=carbon 11 12 13 14; N=nitrogen 13 15; O=oxygen 15 16 18; Na=sodium 22 24;
    P=phosphorus 32 33; K=potassium 40; Fe=iron 55 56 59; Co=cobalt 57 60; Ni=nickel 58 60 63; Kr=krypton 85;
    Sr=strontium 87 89 90; Tc=technetium 99; I=iodine 123 124 125 127 129 131; Xe=xenon 133 135;
    Cs=cesium 133 134 137; Po=polonium 210; Rn=radon 222; Ra=radium 226 228; Th=thorium 230 232;
    U=uranium 233 234 235 238; Am=americium 241; Pu=plutonium 238 239 240 241; Pb=lead 204 206 207 208 210;
""")
# Before a place with a letter and a number: Gate C-14.
_PLACE = re.compile(
    r"(?i)\b(?:aisle|apartment|bay|block|booth|building|exit|flat|floor|gate|hall|level|locker|lot|room"
    r"|row|seat|section|stand|suite|table|unit|zone) $"
)
_PERIODS = names("m=month; mo=month; w=week; wk=week; d=day; h=hour; hr=hour; hrs=hour; min=minute;")
_PARTS = names("v=verse; vv=verses; n=note; l=line; sc=Scene; vol=Volume; ph=Phase;")
_ROUNDED = {"s.f": "significant figure", "d.p": "decimal place"}
_SEXES = {"M": "male", "F": "female"}


_STATES = {form.upper(): said for form, said in SHORT_STATES.items()} | SHORT_STATES


def title(match: Match) -> str:
    """Returns the Sr. or Br. before a name in words: Sr. Agnes -> sister. In John Hill Sr. and before a
    Sr. Manager it stays."""
    behind_name = re.search(
        r"[A-Z][a-z]+,? $|\b(?:[Aa]n?|[Hh]er|[Hh]is|[Mm]y|[Oo]ur|[Tt]heir|as|for|of|two) $", before(match)
    )
    stays = behind_name or _RANK.match(after(match))
    return match[0] if stays else "sister " if match[1] == "S" else "brother "


def isotope(match: Match) -> str:
    """Returns an isotope in words: U-235 -> uranium two thirty five. Names such as I-95 (a road), whose
    number is no mass of the element, stay."""
    name, *masses = _ISOTOPES[match[1]].split()
    known = match[2] in masses and not _PLACE.search(before(match))
    return f"{name} {numbers.paired(match[2])} {match[3]}" if known else match.group()


def state(match: Match) -> str:
    """Returns a short name of a US state in words: the Ind. of Gary, Ind. -> indiana. The Pa in Thanks, Pa
    stays."""
    lead = before(match, 24)
    place = re.search(r"(?!(?:Hello|Okay|Sorry|Thanks|Well)\b)\b[A-Z][A-Za-z]{3,}, $|[(-]$", lead)
    return _STATES[match[1]] if place else match.group()


def _letters(code: str) -> str:
    return " ".join(numbers.digits(char) if char.isdigit() else char for char in code)


def coordinates(match: Match) -> str:
    """Returns an angle in words: 17°55'48" -> seventeen degrees fifty five minutes forty eight seconds."""
    parts = zip(match.groups()[1:], ("degree", "minute", "second"), strict=True)
    said = (f"{numbers.cardinal(n)} {numbers.plural(unit, n.lstrip('0'))} " for n, unit in parts if n)
    return "minus " * bool(match[1]) + "".join(said)


def dose(match: Match) -> str:
    """Returns the times of a dose in words: q6h -> every six hours, q5-15 min -> every five to fifteen
    minutes."""
    first, second, unit = match.groups()
    said = " to ".join(numbers.cardinal(number) for number in (first, second) if number)
    return f"every {said} {numbers.plural(_PERIODS[unit], second or first)}"


def compared(match: Match) -> str:
    """Returns a comparison of periods in words: y/y -> year over year, QoQ -> quarter over quarter."""
    unit = _COMPARED[(match[1] or match[2]).lower()]
    return f"{unit} over {unit}"


_PART = r"\d{1,2}(?:\.\d{1,6})?"
ABBREVIATIONS: list[Row] = [
    ("title", r"\b([SB])r\. (?=[A-Z][a-z])", title),
    ("compared", r"\b([yqmdw])(?:/|-o-)\1\b|\b([YQM])o\2\b", compared),
    (
        "patient",
        r"\b[Pp]t\.? (?=(?:is|was|has|had|presents?|denies|reports?|states|seen|presented|tolerated|c/o)\b)",
        "patient ",
    ),
    ("sex", r"(?<=y/o )[MF]\b|(?<=year[- ]old )[MF]\b(?=[,. ])", lambda m: _SEXES[m.group()]),
    (
        "life",
        r"(?:(?<=[(;, ])(?<!\w )|(?<=\band ))([bdmr]|fl)\.? "
        r"(?=(?:ca?\. ?)?\d{3,4}\b|\d\d[-–]\d|\d\d? [A-Z]|[A-Z][a-z]{2}\.? \d|\(\d)"
        r"|(?<=[,;)] )(m|(?<=\d\), )b)\. (?=[A-Z][a-z])|(?<=[a-z] )(fl)\. (?=ca?\. ?\d)",
        lambda m: f"{_LIFE[m[1] or m[2] or m[3]]} ",
    ),
    ("part", r"\b([Ss]c|[Vv]ol|Ph)\. (?=[ivxIVX]{1,5}\b)", lambda m: f"{_PARTS[m[1].lower()]} "),
    ("second", r"(?:(?<=1/\d\d)|(?<=1/\d{3})|(?<=1/\d{4})) ?s\b", " second"),
    ("each", r"(?<=\d)/ea\b\.?", with_stop(lambda _: " each")),
    ("order", r"\bO\(([^()]{1,20})\)", r"O of \1 "),
    ("hexadecimal", r"\b0x([0-9A-Fa-f]{1,8})\b", lambda m: f"zero x {_letters(m[1])}"),
    ("handle", r"(?<![\w.])@(?=\w{0,28}_)(\w{2,30})", lambda m: f"at {m[1].replace('_', ' underscore ')}"),
    (
        "coordinates",
        rf"((?<![\w°'\"″′.])[-−])?(\d{{1,3}})°(?=\s?{_PART}['′\"″])"
        rf"(?:\s?({_PART})['′](?!'))?(?:\s?({_PART})(?:[\"″]|''))?",
        coordinates,
    ),
    ("versus", r"(?<=[\w.]) v\. (?=[A-Z])", " versus "),
    ("reporter", r"\bF\. ?(?:(Supp)\. ?)?([23])d\b", lambda m: f"F {m[1] or ''} {numbers.ordinal(m[2])}"),
    ("span", r"\b((?![CLT])[A-Z])(\d{1,2}) ?- ?(?=\1\d{1,2}\b)", r"\1\2 to "),  # L4-L5 is no span
    (
        "part",
        r"(?:(?<=[,;:(\d&] )|(?<=and )|(?<=also )|^)(vv?|n|(?<!\d )l)\. ?(?=\d)",
        lambda m: f"{_PARTS[m[1]]} ",
    ),
    (
        "rounded",
        r"\b(\d{1,2}) (s\.f|d\.p)\b\.?",
        with_stop(lambda m: f"{m[1]} {numbers.plural(_ROUNDED[m[2]], m[1])}"),
    ),
    ("per", r"(?:(?<=\d )|(?<=s ))p/(m|w|d|h)\b", lambda m: f"per {_PERIODS[m[1]]}"),
    ("established", r"\b[Ee]st\. (?=(?:in )?(?:1[5-9]\d\d|20\d\d)\b)", "established "),
    ("defeated", r"(?:\bdef\.|(?<=\d\) )d\.?) (?=[A-Z][a-z])", "defeated "),
    ("pack", r"\b[Pp]k\.?(?= of\b)|(?<=\d[- ])pk\b\.?", with_stop(lambda _: "pack")),
    ("dose", r"\bq ?(\d{1,2})(?:[-–](\d{1,2}))? ?(h|hrs?|min|d|wk?|mo)\b", dose),
    ("average", r"\.(\d{3})/\.(\d{3})/\.(\d{3})\b", lambda m: ", ".join(map(numbers.paired, m.groups()))),
    ("point", r"((?<![\d.])(?:[6-9]|[1-9]\d)(?:\.5)?)pt\b", r"\1 point"),
    ("by", r"(?<=\d)( ?(?:mm|cm|km|m|ft|in|yd|px)) ?[x×] ?(?=\d|[WDHL]:? ?\d)", r"\1 by "),
    ("unit", r"\b([Ss]q|[Cc]u|[Ff]l)(?:\. ?| )(oz|ft|in|mi|yd|k?m)s?\b", r"\1 \2"),
    ("torque", r"(?<=\d)[ -]?(ft|in|lb)[-. ]{1,2}(lb|ft)s?\b", r" \1-\2"),
    ("miles", r"(?<=\d[kK] )m(?:i|ls)\b\.?(?=[ ,;)])|(?<=\d,\d{3} )mls\b", "miles"),
    ("grades", r"(?<=[Gg]rades )K-(?=\d)|\bK-(?=\d{1,2} (?:students|pupils|classes|school)\b)", "K to "),
    (
        "state",
        rf"(?:(?<=[A-Za-z], )|(?<=\()|(?<=[RD]-))({either(_STATES)})\.(?=[,)\"” ]|$)",
        with_stop(state),
    ),
    ("isotope", rf"\b({'|'.join(_ISOTOPES)})-(\d{{1,3}})(m?)\b", isotope),
    ("on center", r"(?<=[\d\"″n] )o\.c\.", with_stop(lambda _: "on center")),
    ("rooms", r"(?i)(?<![\w.])(\d{1,2}) ?b[dr]s?(?:/|, ?)(\d(?:\.5|[- ]1/2)?) ?ba\b", r"\1 bedroom \2 bath"),
    ("season", r"\bS0?(\d{1,2}),? ?[Ee]p?\.? ?0?(?=\d)", r"season \1 episode "),
    (
        "days",
        r"\b(?:M/W/F|Tu?/?Thu?)\b",
        lambda m: " ".join(_DAYS[day] for day in re.findall("[MWF]|T[hu]?", m[0])),
    ),
    (
        "days",
        r"\b(M|Tu|Th|T|W)-(W|Th|F|Sat?|Su|Sun)\b(?:(?=[:,]? \d)|(?<=M-F)|(?<=M-Th)|(?<=Th-Sat)|(?<=Th-Sun))",
        lambda m: f"{_DAYS[m[1]]} to {_DAYS[m[2][:2].rstrip('a')]}",
    ),
    ("key", r"(?<=\b[A-G])[♭♯]|(?<=\b[a-g])#(?= |,|$)", lambda m: " flat" if m[0] == "♭" else " sharp"),
    ("note", r"♩ ?(?==)", "quarter note "),
    (
        "over",
        r"(?<![\w/\u0370-\u03ff])(?!(?<=\d )m[²³]/)([α-ωΔ][²³]?|[a-z][²³]|\d{1,3})"
        r"/([xynk]|[a-z][²³]|\d{1,2}(?<=[α-ωΔ]/.)|\d(?<=[α-ωΔ][²³]/.))(?![\w/])"
        r"|(?<== )(?!m/s|n/a|y/n|w/o|w/c|c/o)([a-z])/([a-z])(?![\w/])",
        lambda m: f"{m[1] or m[3]} over {m[2] or m[4]}",
    ),
    ("dose", r"(?:(?<= mg)|(?<=\dmg)|(?<=mcg)|(?<=\d g)|(?<=/min))/(?=\d)", " per "),
    ("pint", r"(?<=\d )pt\. (?=[a-z]{3})|(?<=\d/\d )pt (?=[a-z])|(?<=\d )pt (?=of )", "pint "),
    (
        "times",
        r"(?<= )x(?=\d (?:daily|weekly|a day)\b)|(?<=\()x(?=\d{1,2}\))"
        r"|(?<=[a-z]{5} )x(?=[2-9]\b(?:[.,;)]|$| (?:today|yesterday|this|last|per|each|daily|and [a-z]{2})))"
        rf"|{behind('sets|reps')}x (?=\d)"
        r"|(?<![\w.])[x×] ?(?=\d{1,2} ?(?:d|daily|days?|mins?|minutes?"
        r"|weeks?|wks?|hrs?|hours?|months?|years?|doses)\b)",
        "times ",
    ),
    (
        "color",
        r"#(?=[0-9A-Fa-f]{0,5}\d|[A-F]{6})(?=\d{0,5}[A-Fa-f])([0-9A-Fa-f]{6})\b",
        lambda m: f"hash {_letters(m[1])}",
    ),
    ("numbers", r"\b[Nn]os\.? (?=\d)", "numbers "),
    ("and others", r"\bet al\.(?=[ ,;)])", with_stop(lambda _: "et al")),
    (
        "degree",
        r"\b(M\.?D|R\.?N|D\.?D\.?S|J\.?D|M\.?B\.?A|B\.?A|M\.?A|B\.?Sc|M\.?Sc|Esq)\.(?=,)",
        lambda m: m[1].replace(".", ""),
    ),
    ("span", r"(\b\d{1,3}[A-Za-f]|(?<=\d)[a-f])-(?=\d{1,3}[A-Za-f]\b|[b-h]\b)", r"\1 to "),
    (
        "prime",
        r"(?<!['A-Za-z])([A-Za-rt-z])(['′]{1,2})(?=\((?:[a-z]|\d{1,3})\)| ?[=+]| - )",
        lambda m: f"{m[1]} {'double ' * (len(m[2]) - 1)}prime",
    ),
    (
        "function",
        r"\b([fghFGH]|[A-Za-z] (?:double )?prime)\(([a-z]|\d{1,3})\)|\b([A-Za-z])\(([A-Za-z])\)(?= ?[=<>≤≥])",
        lambda m: f"{m[1] or m[3]} of {m[2] or m[4]} ",
    ),
    ("pound", rf"(?i:{behind('press|hit|by')})#(?![\w-])|#(?= (?:key|sign|symbol)\b)", "pound"),
]
