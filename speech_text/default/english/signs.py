"""English rules for the text between two numbers, and for minus signs, sums, signs and dots."""

from __future__ import annotations

import re
import unicodedata

from speech_text.default.characters import plain_exponent
from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.numbers import cardinal
from speech_text.default.english.units import PER, UNITS
from speech_text.default.table import Match, Row, before, beside

_GREEK = {
    letter: unicodedata.name(letter).split()[-1].lower().replace("lamda", "lambda")
    for letter in "αβγδεζηθικλμνξοπρςστυφχψωΓΔΘΛΞΠΣΦΨΩ"
} | {"µ": "mu"}
_SYMBOLS = {
    **{"∈": "in", "∉": "not in", "∪": "union", "∩": "intersection", "⊥": "perpendicular to"},
    **{"∥": "parallel to", "≌": "congruent to", "≡": "congruent to", "∝": "proportional to"},
    **{"∵": "because", "∴": "therefore", "△": "triangle", "∠": "angle", "∅": "the empty set"},
    **{"√": "square root of", "∫": "the integral of", "∞": "infinity", "≈": "approximately", "§": "section"},
}
_POWERS = {"2": "squared", "3": "cubed"}


def exponent(match: Match) -> str:
    """Returns a power with its exponent in words: 10⁻³ -> 10 to the power of minus three, x^2 -> x squared.
    The base stays. An exponent that ends with + or - is the charge of an ion: 2+ -> two plus."""
    power = plain_exponent(match[2].strip("^{}() "))
    unit = f"{numbers.plural(_OF_POWERS[match[3]], '2')} " if match[3] else ""
    if re.fullmatch(r"\d*[+-]", power):  # the exponent is the charge of an ion
        charge = cardinal(power[:-1]) if power[:-1] else ""
        return f"{match[1]} {charge} {'plus' if power[-1] == '+' else 'minus'} "
    if power in _POWERS:
        return f"{match[1]} {_POWERS[power]} {unit}"
    if re.fullmatch(r"[+-]?\d{1,9}", power):
        power = cardinal(power.removeprefix("+"))
    return f"{match[1]} to the power of {power.replace('-', 'minus ').replace('+', 'plus ')} {unit}"


def charged(match: Match) -> str:
    """Returns a letter or chemical symbol and its sign in words: O- (a blood group) -> O negative, Na+ (an
    ion) -> Na plus, A- (a school mark) -> A minus."""
    blood = re.fullmatch("A|B|AB|O", match[1]) and re.search(
        r"(?i)blood|donor|\btype|transfus|patient|recipient|rh\b", beside(match, 60)
    )
    plus, minus = ("positive", "negative") if blood else ("plus", "minus")
    return f"{match[1]} {plus if match[2] == '+' else minus}"


def operand(match: Match) -> str:
    return f"{match[1]} {cardinal(match[2])}"


_NUMERALS = (
    "minus|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty"
    "|(?:thir|four|fif|six|seven|eigh|nine)t(?:een|y)|fort?y"
)
_ARROWS = "→➜⇒⟶"
_OF_POWERS = UNITS | {"C": "coulomb", "F": "farad", "T": "tesla"}  # units behind a power of ten
_POWER_UNIT = either(_OF_POWERS)

# Text before a slash and a word such as day that tells an amount: requests/second, six/day.
_AMOUNT = re.compile(
    rf"(?i)(?:[a-z]s|\b(?:p|x|cost|feet|hertz|hundred|k|once|people|person"
    rf"|percent|price|rate|rent|req|thousand|twice|[mb]illion|{_NUMERALS}"
    rf"|{either(unit for unit in UNITS if unit.isalpha() and len(unit) < 4 and unit != 's')}))$"
)


def per(match: Match) -> str:
    """Returns a slash and a unit in words: 20 req/min -> per minute. The night of day/night and the s of
    friend/s stay."""
    word = match[1] in ("s", "day") or re.fullmatch("[a-z]{4,}", match[1])
    amount = not word or _AMOUNT.search(before(match))
    return f" per {PER[match[1]]}" if amount else match.group()


SPANS: list[Row] = [
    (
        "charge",
        r"(?<![\w.-])(AB|[A-Z][a-z]?(?=\+)|[A-DFO]|Br|Cl)([+-])(?=\s(?!\d|[a-z] )|[,.;!?)]|$)",
        charged,
    ),
    ("minus", r"(?:(?<=[=(×÷±])|(?<=[=×÷±] ))-(?=[a-z]\b)", " minus "),
    ("minus", r"(?<=[²³)]) - (?=[\da-z(])", " minus "),
    ("minus", r"(?:(?<=\d)|(?<=\b[A-Za-z])|(?<= prime)) [-−] (?=\d|[A-Za-z]\b)", " minus "),
    ("dash", r"(?<=\d)-(?=\d)", " dash "),
    ("arrow", rf"(?<=\w)\s?[{_ARROWS}]\s?(?=[\w∞])", " to "),
    ("arrow", rf"[-=~]{{0,3}}[{_ARROWS}]|<?[-=]{{1,3}}>|<-{{1,3}}(?!\d)|<={{2,3}}|[←↑↓↔]|\|", ", "),
    ("option", r"(?:(?<=^)|(?<=[\s(]))--(?=[A-Za-z][\w-]{2})", ""),
    ("dash", r"(?<!\s)\s+-+\s+|--+|(?:(?<!\s)\s+)?—+\s*", ", "),
]

POWERS: list[Row] = [
    ("logarithm", r"\blog_(\d{1,9}) ?(?=[\w(])", r"log base \1 of "),
    ("factorial", r"(?:(?<=\d)|(?<=\b[a-z]))!(?=\s?[=*×+÷/≤≥<>≈]| is (?:about|even|over)\b)", " factorial"),
    ("minus", r"(?:(?<=\^\d)|(?<=\^\d\d)|(?<=\^\d{5})|(?<=[²³]))-(?=\d|[a-z]\b)(?!10\^)", " minus "),
    (
        "power",
        rf"(?<![A-Za-z\d])(\d{{1,30}})([⁰¹²³⁴-⁹⁺⁻]{{1,9}})(?:\s?({_POWER_UNIT})(?![A-Za-z\d²³]))?",
        exponent,
    ),
    (
        "power",
        rf"(\w|\))\s?(\^(?:\s(?![A-Za-z]{{2}}))?[({{]?[-+]?[A-Za-z\d]{{1,9}}[)}}]?)"
        rf"(?:\s({_POWER_UNIT})(?![A-Za-z\d²³]))?",
        exponent,
    ),
]

LETTERS: list[Row] = [
    (
        "unit",
        rf"(/?)\b({either(unit for unit in UNITS if unit[-1] in '²³')})",
        lambda m: (
            f" per {UNITS[m[2]]} "
            if m[1]
            else f" {numbers.plural(UNITS[m[2]], '1' if before(m, 4) == 'per ' else '2')} "
        ),
    ),
    ("power", r"(\b[A-Za-z]{1,2}|\))([⁰¹²³⁴-⁹⁺⁻]{1,9})()", exponent),
]

SUMS: list[Row] = [
    ("plus or minus", r"\s?(?:±|\+/-)\s?(?=[\w√(])", " plus or minus "),
    ("comparison", r"≤|<=(?!=)", " less than or equal to "),
    ("comparison", r"≥|>=(?!=)", " greater than or equal to "),
    ("comparison", r"≠|!=", " not equal to "),
    (
        "times",
        r"(?<=[\w)])(?:[*×]|\s[*×]\s)(?=[\d(])|(?<=[\d)])(?:[*×]|\s[*×]\s)(?=\w)|(?<=\b[A-Za-z])\s?[*×]"
        r"\s?(?=[A-Za-z]\b)",
        " times ",
    ),
    (
        "stars",
        r"(?<=\b[1-5])\*(?=\s[a-z]|[,.;!?)]|$)",
        lambda m: " star" if before(m, 1) == "1" else " stars",
    ),
    ("times", r"(?<=[\d)])\sx\s(?=\d)", " times "),
    ("times", r"×|(?<=\d)·(?=\d)", " times "),
    ("divided", r"÷", " divided by "),
    ("ellipsis", r"(?<=[\w,+] )(?:…|\.{3}),?(?=[a-z]| ?[=+])", ", "),
    (
        "short form",
        r"\.(?:(?=\s[+=&]\s?\w|-[a-z])(?<=[a-z].)|(?= [a-z]{2})(?:(?<=[.!?a-z] [A-HJ-Z].)|(?<=^[E-HJ-Z].))"
        r"|(?= [A-Z\d])(?:(?<=\([a-z]{2}.)|(?<=\([a-z]{3}.)))",
        "",
    ),
    ("equals", r"={1,3}", " equals "),
    ("plus", r"\+", " plus "),
    ("operand", r"(?<![.;,] )\b(equals|plus|minus|times|divided by)\s{1,3}(\d{4})(?!\d|,\d|\.\d)", operand),
    ("symbol", f"[{''.join(_SYMBOLS)}]", lambda m: f" {_SYMBOLS[m[0]]} "),
    ("about", rf"(?<!\w)~\s?(?=\d|(?:{_NUMERALS})\b)", "about "),
]

SIGNS: list[Row] = [
    (
        "menu",
        r"\b(Account|Edit|File|General|Help|Home|Menu|Options|Preferences|Privacy|Profile|Settings|System"
        r"|Tools|View) > (?=[A-Z])",
        r"\1, ",
    ),
    (
        "less",
        r"(?<!\w)<\s?(?=\w)|(?<=[\w)α-ω])\s?<\s?(?=[\w(α-ωΔ-])|(?<=\b[A-Za-z\d]) ‹ (?=[A-Za-z]\b|\d)",
        " less than ",
    ),
    (
        "greater",
        r"(?<!\w)>\s?(?=\w)|(?<=[\w)α-ω])\s?>\s?(?=[\w(α-ωΔ-])|(?<=\b[A-Za-z\d]) › (?=[A-Za-z]\b|\d)",
        " greater than ",
    ),
    ("unit", r"°", " degrees "),
    ("percent", r"%", " percent "),
    ("and", r"&{1,2}", " and "),
    ("at", r"@", " at "),
    ("sharp", r"(?<=\b[A-G])#", " sharp "),
    ("hash", r"#", " "),
    (
        "per",
        rf"(?<=[a-z])\s?/\s?({either(unit for unit in PER if unit not in 'ACFKNTVW')})(?![A-Za-z])"
        r"(?:\.(?= [a-z]))?",
        per,
    ),
    (
        "per",
        r"(?:(?<=dollar)|(?<=dollars)|(?<=cent)|(?<=cents)|(?<=euros)|(?<=pounds)|(?<=seconds)|(?<=minutes)"
        r"|(?<=hours)|(?<=grams)) ?/ ?(?=(?!obo\b)[a-z]{2}|(?!PCM|PW)[A-Z]{2,5}\b)",
        " per ",
    ),
    (
        "greek",
        f"[{''.join(_GREEK)}](?![\u0370-\u03ff])(?<![\u0370-\u03ff][\u0370-\u03ff])",
        lambda m: f" {_GREEK[m.group()]} ",
    ),
    ("slash", r"(?<=[A-Za-z])/(?=[A-Z]|[a-z]{2})|(?<!\w)/|/(?!\w)", " "),
]

DOTS: list[Row] = [
    ("dot", r"(?<=[A-Za-z])\.(?=[A-Za-z0-9])|(?<=\d)\.(?=[A-Za-z])", " dot "),
    ("dot", r"(?<![\w.])\.(?=[A-Za-z])", " dot "),
    ("bracket", r"[_~*\"“”()\[\]{}<>（）]", " "),
    ("hyphen", r"(?<=\w)-|-(?=\w)", " "),
    ("apart", r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)", " "),
]
