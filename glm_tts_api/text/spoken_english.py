"""Default rules for English: figures that the published rules misread, in words or in a form read rightly.

What comes out goes through the English transducer, so a rule here only has to leave something that it reads
well. docs/text.md lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from glm_tts_api.text.characters import plain_exponent
from glm_tts_api.text.english import number_words
from glm_tts_api.text.spelling import EMAIL, ENGLISH_DIGITS, ENGLISH_MARKS, URL, english_digits, spell_address

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_NUMBER = r"\d+(?:\.\d+)?"
_CURRENCIES = {
    **{"US$": ("dollar", "cent"), "HK$": ("hong kong dollar", "cent"), "A$": ("australian dollar", "cent")},
    **{"C$": ("canadian dollar", "cent"), "S$": ("singapore dollar", "cent"), "$": ("dollar", "cent")},
    **{"NT$": ("taiwan dollar", "cent"), "R$": ("real", "centavo"), "€": ("euro", "cent")},
    **{"£": ("pound", "p"), "¥": ("yuan", "fen"), "￥": ("yuan", "fen"), "₩": ("won", "jeon")},
    **{"₹": ("rupee", "paisa"), "₽": ("rouble", "kopeck"), "฿": ("baht", "satang"), "₫": ("dong", "xu")},
}
_INVARIABLE = {"yuan", "won", "baht", "dong", "p", "fen", "jeon", "satang", "xu", "paisa"}
_CURRENCY = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))
_SCALES = {
    **{"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "t": "trillion"},
    **{word: word for word in ("thousand", "million", "billion", "trillion")},
}
_DECADES = (
    *("hundreds", "tens", "twenties", "thirties", "forties"),
    *("fifties", "sixties", "seventies", "eighties", "nineties"),
)
_GREEK = {
    **{"α": "alpha", "β": "beta", "γ": "gamma", "Γ": "gamma", "δ": "delta", "Δ": "delta", "ε": "epsilon"},
    **{"ζ": "zeta", "η": "eta", "θ": "theta", "Θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda"},
    **{"Λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu", "ξ": "xi", "Ξ": "xi", "ο": "omicron", "π": "pi"},
    **{"Π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "Σ": "sigma", "τ": "tau", "υ": "upsilon"},
    **{"φ": "phi", "Φ": "phi", "χ": "chi", "ψ": "psi", "Ψ": "psi", "ω": "omega", "Ω": "omega"},
}
_TITLES = {
    **{"mr": "mister", "mrs": "missus", "ms": "miss", "dr": "doctor", "prof": "professor", "gov": "governor"},
    **{"sen": "senator", "rep": "representative", "gen": "general", "capt": "captain", "sgt": "sergeant"},
    **{"lt": "lieutenant", "col": "colonel", "rev": "reverend", "hon": "honorable"},
}
_ABBREVIATIONS = {
    **{
        "etc": "et cetera",
        "vs": "versus",
        "approx": "approximately",
        "dept": "department",
        "est": "established",
    },
    **{
        "jr": "junior",
        "sr": "senior",
        "vol": "volume",
        "fig": "figure",
        "inc": "incorporated",
        "ltd": "limited",
    },
}
_PER = "(?:kg|g|lb|l|liter|litre|km|mile|m|h|hr|hour|day|week|month|year|person|head|piece|user|gb|mb)"
_SIGNS = {
    **{"∈": "in", "∉": "not in", "∪": "union", "∩": "intersection", "⊥": "perpendicular to", "∵": "because"},
    **{"∥": "parallel to", "∴": "therefore", "∅": "the empty set", "≌": "congruent to", "△": "triangle"},
    **{"§": "section", "∠": "angle"},
}


_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december"


_ENDS_WITH_MONTH = re.compile(rf"\b(?:{_MONTHS})\.?\s*$", re.IGNORECASE)
_MEASURES = frozenset(
    ["amu", "bar", "cm", "cwt", "db", "dm", "ds", "ft", "gb", "ghz", "gpa", "gw", "gwh", "gy", "h", "ha", "hz", "kbps", "kcal", "kgf", "kg", "khz", "km", "kpa", "kw", "kwh", "lb", "lbs", "m", "mb", "mbps", "mg", "mhz", "mi", "min", "ml", "mm", "mol", "mpa", "mph", "ms", "mv", "mw", "ng", "nm", "ns", "oz", "pa", "pg", "ps", "rad", "rpm", "sq", "cu", "tb", "tj", "tl", "v", "yd", "g", "l", "s"]
)


def _group_words(match: re.Match[str]) -> str:
    """Digits as a number to dial, a pause between its groups."""
    groups = []
    for group in re.findall(r"\d+", match.group()):
        groups += [group[:3], group[3:7], group[7:]] if len(group) == 11 else [group]
    plus = "plus " if match.group().startswith("+") else ""
    return f" {plus}{', '.join(map(english_digits, groups))} "


def _digits(match: re.Match[str]) -> str:
    return english_digits(match.group())


def _points(match: re.Match[str]) -> str:
    """A version or an address of four numbers: the latter digit by digit."""
    parts = match.group().split(".")
    read = english_digits if len(parts) == 4 and max(map(len, parts)) > 1 else number_words
    return f" {' point '.join(map(read, parts)).replace('-', ' ')} "


def _address(match: re.Match[str]) -> str:
    return spell_address(match.group(), ENGLISH_MARKS, ENGLISH_DIGITS)


def _cardinal(digits: str) -> str:
    """A whole number without the marks that would be heard as pauses; digits after a point one by one."""
    whole, _, decimals = digits.replace(",", "").partition(".")
    words = number_words(whole).replace(",", "").replace("-", " ")
    return f"{words} point {english_digits(decimals)}" if decimals else words


def _standing_alone(match: re.Match[str]) -> str:
    """A number that is neither measured nor part of a date; a year where it looks like one."""
    number, before, after = match[1], match.string[: match.start()][-12:], match.string[match.end() :][:14]
    following = re.match(r"\s+([A-Za-z]+)", after)
    word = following[1].lower() if following else ""
    if word in _MEASURES or _ENDS_WITH_MONTH.search(before) or re.fullmatch(_MONTHS, word):
        return number
    is_counted = word.endswith("s") and word not in ("was", "has", "is", "as", "does")
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", number) and not is_counted:
        return _year(int(number))
    return _cardinal(number)


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if rest == 0:
        return "two thousand" if century == 20 else f"{_cardinal(str(century))} hundred"
    if rest < 10:
        return (
            f"two thousand {number_words(str(rest))}"
            if century == 20
            else f"{_cardinal(str(century))} oh {number_words(str(rest))}"
        )
    return f"{_cardinal(str(century))} {_cardinal(str(rest))}"


def _clock(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), int(match[2]), match[3]
    words = number_words(str(hour))
    if minute:
        words += (" oh " if minute < 10 else " ") + number_words(str(minute))
    elif not half:
        words += " o'clock"
    return words.replace("-", " ") + (f" {half.lower()}m" if half else "")


def _duration(match: re.Match[str]) -> str:
    hours, minutes, seconds = (
        f"{_cardinal(part)} {_plural(noun, int(part))}"
        for part, noun in zip(match.groups(), ("hour", "minute", "second"), strict=True)
    )
    return f"{hours} {minutes} and {seconds}"


def _whole_hour(match: re.Match[str]) -> str:
    return f"{number_words(match[1])} {match[2].lower()}m"


def _money(match: re.Match[str]) -> str:
    major, minor = _CURRENCIES[match[1].upper()]
    first, second, scale = match[2].replace(",", ""), match[3], _SCALES.get((match[4] or "").lower())
    whole, _, cents = first.partition(".")
    if second or scale or len(cents) not in (0, 2):
        amount = _cardinal(first) + (f" to {_cardinal(second)}" if second else "")
        return f"{amount} {scale + ' ' if scale else ''}{_plural(major, 2)} "
    spoken = f"{_cardinal(whole)} {_plural(major, int(whole))}"
    if not cents.strip("0"):
        return f"{spoken} "
    small = f"{_cardinal(cents)} {_plural(minor, int(cents))} "
    return small if int(whole) == 0 else f"{spoken} and {small}"


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 or noun in _INVARIABLE else noun + "s"


def _decade(match: re.Match[str]) -> str:
    century, tens = match[1] or "", int(match[2])
    if not century:
        return _DECADES[tens] if tens else match.group()
    if tens == 0 and century.endswith("0"):
        return number_words(century + "00") + "s"
    return f"{number_words(century).replace('-', ' ')} {_DECADES[tens]}"


def _range(match: re.Match[str]) -> str:
    first, second, after = match[1], match[3], match.string[match.end() : match.end() + 3]
    if match[2] == "-" and re.match(r"\s*=", after):
        return f"{first} minus {second}"
    return f"{first} to {second}"


def _title(match: re.Match[str]) -> str:
    return _TITLES[match[1].lower()] + " "


def _abbreviation(match: re.Match[str]) -> str:
    return _ABBREVIATIONS[match[1].lower()]


def _exponent(match: re.Match[str]) -> str:
    power = plain_exponent(match[2]).replace("-", " minus ").replace("+", "")
    return f"{match[1]} to the power of {power}"


def _scientific(match: re.Match[str]) -> str:
    exponent = match[2].replace("-", "minus ").replace("+", "")
    return f"{match[1]} times ten to the power of {exponent}"


RULES: list[Rule] = [
    (EMAIL, _address),
    (URL, _address),
    (re.compile(r"(\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)"), r"\1 "),
    (re.compile(r"(?<![\d.-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])"), r"\1/\2/\3"),
    # abbreviations whose full stop ends no sentence
    (re.compile(r"\bPh\.\s?D\b\.?"), "p h d"),
    (re.compile(rf"\b((?i:{'|'.join(_TITLES)}))(?:\.\s*|\s+)(?=[A-Z])"), _title),
    (re.compile(rf"\b({'|'.join(_ABBREVIATIONS)})\.(?=\s+[a-z0-9(]|,)", re.IGNORECASE), _abbreviation),
    (re.compile(r"\bSt\.?(?=\s+[A-Z])"), "saint"),
    (re.compile(r"\bno\.\s*(?=\d)|#\s?(?=\d)", re.IGNORECASE), "number "),
    (
        re.compile(r"\b((?:[A-Za-z]\.){2,})(?=[\s,;:!?)]|$)"),
        lambda m: " ".join(m[1].replace(".", " ").split()),
    ),
    (re.compile(r"\bNo(?=[.!?,;…])"), "no"),
    # numbers that are dialled
    (re.compile(r"(?<![\d.])\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){1,4}(?!\d)"), _group_words),
    (re.compile(r"(?<![\d.-])1[3-9]\d([ -]?)\d{4}\1\d{4}(?![\d-])"), _group_words),
    (re.compile(r"(?<![\d.-])\(?\d{3}\)?[ -]\d{3}-\d{4}(?![\d-])"), _group_words),
    (re.compile(r"(?<![\d.-])0\d{2,3}-\d{7,8}(?![\d-])"), _group_words),
    (re.compile(r"(?<![\d.-])\d{3,4}-\d{3,4}-\d{4}(?![\d-])"), _group_words),
    (re.compile(r"(?<![\d.-])[48]00-?\d{3,4}-?\d{3,4}(?![\d-])"), _group_words),
    # times and years
    (re.compile(r"(?<![\d:.])(\d{1,2}):([0-5]\d):([0-5]\d)(?![\d:])"), _duration),
    (
        re.compile(r"(?<=:\d\d)\s*[-~—]+\s*(?=\d{1,2}:\d\d)|(?<=[ap]m)\s*[-~—]+\s*(?=\d)", re.IGNORECASE),
        " to ",
    ),
    (
        re.compile(r"(?<![\d:.])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])(?:\s*([AaPp])\.?\s?[Mm]\b\.?)?"),
        _clock,
    ),
    (re.compile(r"(?<![\d.])(0?[1-9]|1[0-2])\s*([AaPp])\.?\s?[Mm]\b\.?"), _whole_hour),
    (re.compile(r"(?<![\d.:])(\d{1,5}):(\d{1,5})(?![\d:])"), r"\1 to \2"),
    (re.compile(r"(?<![\d,.$])(\d\d)?'?(\d)0'?s\b"), _decade),
    (re.compile(r"\b24/7\b"), "twenty four seven"),
    # numbers made of numbers
    (re.compile(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.]*\d)"), _points),
    (
        re.compile(
            rf"({_CURRENCY})\s*(\d+(?:,\d{{3}})*(?:\.\d+)?)"
            rf"(?:\s*-+\s*(?:{_CURRENCY})?\s*(\d+(?:,\d{{3}})*(?:\.\d+)?))?"
            r"(?:\s*([kmbt]|mn|bn|thousand|million|billion|trillion)\b)?",
            re.IGNORECASE,
        ),
        _money,
    ),
    (re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])"), lambda m: _cardinal(m.group())),
    (re.compile(r"(?<![\w.])(\d(?:\.\d+)?)[eE]([+-]?\d{1,3})\b"), _scientific),
    (re.compile(r"(?<!\d)(\d)['′]\s?(\d{1,2})(?:[\"″]|(?!\w))"), r"\1 feet \2 inches"),
    (re.compile(r"(?<=\d)\s?[µμ]m\b"), " micrometers"),
    (re.compile(r"(?<=\d)\s?Ω"), " ohms"),
    (re.compile(r"(?<!\d)(\d\d)/\1\b"), r"\1 \1"),
    (re.compile(r"\bw/o\b"), "without"),
    (re.compile(rf"(?<=[a-z]) ?/ ?(?={_PER}\b)"), " per "),
    (re.compile(r"(?<![\w.-])\d+(?:-\d+){2,}"), _group_words),
    (re.compile(r"(?<![\d./-])(?:0\d+|\d{13,})(?![\d./-]*\d)"), _digits),
    (re.compile(r"(\d)\s+(\d/\d)"), r"\1 and \2"),
    # hyphens
    (
        re.compile(rf"(?<![\w.-])({_NUMBER}%?)\s*(-|—|~)\s*({_NUMBER})(?![\d-]|\.\d)"),
        _range,
    ),
    (re.compile(r"(?<![\w%°)-])-\s?(?=\.?\d)"), "minus "),
    (re.compile(r"(?<=\d)-(?=\d)"), " dash "),
    (re.compile(r"(?<=\w)\s?[→➜⇒⟶]\s?(?=\w)"), " to "),
    (re.compile(r"[-=~]{0,3}[→➜⇒⟶]|[-=]{1,3}>|<[-=]{1,3}(?!\d)|[←↑↓↔]|\|"), ", "),
    (re.compile(r"\s+-+\s+|--+|\s*—+\s*"), ", "),
    (re.compile(r"(?<=[A-Za-z])-|-(?=[A-Za-z])"), " "),
    # sums
    (re.compile(r"(?<!\d)(?<!\d )\bm²"), " square meters "),
    (re.compile(r"(?<!\d)(?<!\d )\bm³"), " cubic meters "),
    (re.compile(r"±\s*(?=\d)"), "plus or minus "),
    (re.compile(r"(\w)\s*\^\s*2\b|(?<=\d)²|\b(?<!\d)([A-Za-z])²"), lambda m: f"{m[1] or m[2] or ''} squared"),
    (re.compile(r"(\w)\s*\^\s*3\b|(?<=\d)³|\b(?<!\d)([A-Za-z])³"), lambda m: f"{m[1] or m[2] or ''} cubed"),
    (re.compile(r"(\w)\s*\^\s*(-?\w+)"), _exponent),
    (re.compile(r"(\w)([⁰¹⁴-⁹⁺⁻][⁰¹²³⁴-⁹⁺⁻]*)"), _exponent),
    (re.compile(r"≤|<=(?!=)"), " less than or equal to "),
    (re.compile(r"≥|>=(?!=)"), " greater than or equal to "),
    (re.compile(r"≠|!="), " not equal to "),
    (
        re.compile(
            r"(?<=[\w)])\s*[*×]\s*(?=[\d(])|(?<=[\d)])\s*[*×]\s*(?=\w)"
            r"|(?<=\b[A-Za-z])\s*[*×]\s*(?=[A-Za-z]\b)"
        ),
        " times ",
    ),
    (re.compile(r"×"), " times "),
    (re.compile(r"÷"), " divided by "),
    (re.compile(r"≈"), " approximately "),
    (re.compile(r"={1,3}"), " equals "),
    (re.compile(r"(?<=[\w)])\s*\+\+"), " plus plus"),
    (re.compile(r"\+"), " plus "),
    (
        re.compile(r"\b(equals|plus|minus|times|of)\s+(\d{4})\b(?!\.\d)"),
        lambda m: f"{m[1]} {number_words(m[2])}",
    ),
    *((re.compile(sign), f" {name} ") for sign, name in _SIGNS.items()),
    (re.compile(r"√"), " square root of "),
    (re.compile(r"∞"), " infinity "),
    (re.compile(r"(?<!\w)~\s*(?=\d)"), "about "),
    # signs
    (re.compile(r"(?<!\w)<\s*(?=\d)|(?<=[\w)])\s*<\s*(?=[\w(-])"), " less than "),
    (re.compile(r"(?<!\w)>\s*(?=\d)|(?<=[\w)])\s*>\s*(?=[\w(-])"), " greater than "),
    (re.compile(r"°\s?C\b"), " degrees celsius "),
    (re.compile(r"°\s?F\b"), " degrees fahrenheit "),
    (re.compile(r"°"), " degrees "),
    (re.compile(rf"({_NUMBER})‰"), r"\1 per mille "),
    (re.compile(r"%"), " percent "),
    (re.compile(r"&"), " and "),
    (re.compile(r"@"), " at "),
    (re.compile(r"(?<=\b[A-G])#"), " sharp "),
    (re.compile(r"#"), " "),
    (re.compile(r"(?<!\w)[ΓΔΘΛΞΠΣΦΨΩα-ω](?!\w)|(?<=\d)[µμΩ](?=\w)"), lambda m: f" {_GREEK[m.group()]} "),
    (re.compile(r"(?<=[A-Za-z])/(?=[A-Z]|[a-z]{2})|(?<!\w)/|/(?!\w)"), " "),
    # dots that are not full stops
    (re.compile(r"(?<=[a-z])\.(?=[A-Z][a-z])"), ". "),
    (re.compile(r"(?<=[A-Za-z])\.(?=[A-Za-z0-9])|(?<=\d)\.(?=[A-Za-z])"), " dot "),
    (re.compile(r"(?<![\w.])\.(?=\d)"), "0."),
    (re.compile(r"(?<![\w.])\.(?=[A-Za-z])"), " dot "),
    (re.compile(r"[_~*\"“”()\[\]{}<>（）]"), " "),
    (
        re.compile(
            r"(?<=\d)(?=[A-Za-z])(?!(?:st|nd|rd|th|s|km|kg|cm|mm|m|g|ml|mb|gb|kb|tb|hz|khz|mhz|ghz)\b)"
        ),
        " ",
    ),
    (re.compile(r"(?<=[A-Za-z])(?=\d)"), " "),
    # the transducer finds units and months at either end of a word: "1 mango" is a minute, "5 marbles" in March
    (re.compile(rf"(?<![\w.,/:'$€£¥-])({_NUMBER})(?![\w/:%°'-]|[.,]\d)"), _standing_alone),
]
"""Applied in this order, each over the whole line."""


def spoken_english(text: str) -> str:
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    return text
