"""Default rules for English: figures that the published rules misread, in words or in a form read rightly.

What comes out goes through the English transducer, so a rule here only has to leave something that it reads
well. docs/text.md lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from glm_tts_api.text.default import english_numbers as say
from glm_tts_api.text.default.spelling import EMAIL, URL
from glm_tts_api.text.english import number_words
from glm_tts_api.text.pieces import Check, unwatched

Replacement = str | Callable[[re.Match[str]], str]

_NUMBER = r"\d+(?:\.\d+)?"
_CURRENCY = "|".join(re.escape(sign) for sign in sorted(say.CURRENCIES, key=len, reverse=True))
_TITLES = "|".join(say.TITLES)
_ABBREVIATIONS = "|".join(say.ABBREVIATIONS)
_PER = "(?:kg|g|lb|l|liter|litre|km|mile|m|h|hr|hour|day|week|month|year|person|head|piece|user|gb|mb)"
_GREEK = {
    **{"α": "alpha", "β": "beta", "γ": "gamma", "Γ": "gamma", "δ": "delta", "Δ": "delta", "ε": "epsilon"},
    **{"ζ": "zeta", "η": "eta", "θ": "theta", "Θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda"},
    **{"Λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu", "ξ": "xi", "Ξ": "xi", "ο": "omicron", "π": "pi"},
    **{"Π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "Σ": "sigma", "τ": "tau", "υ": "upsilon"},
    **{"φ": "phi", "Φ": "phi", "χ": "chi", "ψ": "psi", "Ψ": "psi", "ω": "omega", "Ω": "omega"},
}
_SYMBOLS = {
    **{"∈": "in", "∉": "not in", "∪": "union", "∩": "intersection", "⊥": "perpendicular to", "∵": "because"},
    **{"∥": "parallel to", "∴": "therefore", "∅": "the empty set", "≌": "congruent to", "△": "triangle"},
    **{"§": "section", "∠": "angle"},
}

_DATES: list[tuple[str, Replacement]] = [
    (r"(\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)", r"\1 "),
    (r"(?<![\d.-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])", r"\1/\2/\3"),
]
# Abbreviations whose full stop ends no sentence.
_WORDS: list[tuple[str, Replacement]] = [
    (r"\bPh\.\s?D\b\.?", "p h d"),
    (rf"\b({_TITLES})\.\s*(?=[A-Z])|\b(Mr|Mrs|Ms|Dr|Prof)\s+(?=[A-Z])", say.title),
    (rf"(?i)\b({_ABBREVIATIONS})\.(?=\s+[a-z0-9(]|,)", say.abbreviation),
    (r"(?i)\bno\.\s*(?=\d)|#\s?(?=\d)", "number "),
    (
        r"\b(?<!\b[A-Za-z]\.)((?:[A-Za-z]\.){2,})(?=[\s,;:!?)]|$)",
        lambda m: " ".join(m[1].replace(".", " ").split()),
    ),
    (r"\bNo(?=[.!?,;…])", "no"),
]
_DIALLED: list[tuple[str, Replacement]] = [
    (r"(?<![\d.])\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){1,4}(?!\d)", say.dialled),
    (r"(?<![\d.-])1[3-9]\d([ -]?)\d{4}\1\d{4}(?![\d-])", say.dialled),
    (r"(?<![\d.-])\(?\d{3}\)?[ -]\d{3}-\d{4}(?![\d-])", say.dialled),
    (r"(?<![\d.-])0\d{2,3}-\d{7,8}(?![\d-])", say.dialled),
    (r"(?<![\d.-])\d{3,4}-\d{3,4}-\d{4}(?![\d-])", say.dialled),
    (r"(?<![\d.-])[48]00-?\d{3,4}-?\d{3,4}(?![\d-])", say.dialled),
]
_TIMES: list[tuple[str, Replacement]] = [
    (r"(?<![\d:.])(\d{1,2}):([0-5]\d):([0-5]\d)(?![\d:])", say.duration),
    (
        r"(?i)(?<=:\d\d)\s*[-~—]+\s*(?=\d{1,2}:\d\d)|(?<=[ap]m)\s*[-~—]+\s*(?=\d)",
        " to ",
    ),
    (
        r"(?<![\d:.])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])(?:\s*([AaPp])\.?\s?[Mm]\b\.?)?",
        say.clock,
    ),
    (r"(?<![\d.])(0?[1-9]|1[0-2])\s*([AaPp])\.?\s?[Mm]\b\.?", say.whole_hour),
    (r"(?<![\d.:])(\d{1,5}):(\d{1,5})(?![\d:])", r"\1 to \2"),
    (r"(?<![\d,.$])(\d\d)?'?(\d)0'?s\b", say.decade),
    (r"\b24/7\b", "twenty four seven"),
]
_NUMBERS: list[tuple[str, Replacement]] = [
    (r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.]*\d)", say.points),
    (
        rf"(?i)({_CURRENCY})\s*(\d+(?:,\d{{3}})*(?:\.\d+)?)"
        rf"(?:\s*-+\s*(?:{_CURRENCY})?\s*(\d+(?:,\d{{3}})*(?:\.\d+)?))?"
        r"(?:\s*([kmbt]|mn|bn|thousand|million|billion|trillion)\b)?",
        say.money,
    ),
    (r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])", lambda m: say.cardinal(m.group())),
    (r"(?<![\w.])(\d(?:\.\d+)?)[eE]([+-]?\d{1,3})\b", say.scientific),
    (r"(?<!\d)(\d)['′]\s?(\d{1,2})(?:[\"″]|(?!\w))", r"\1 feet \2 inches"),
    (r"(?<=\d)\s?[µμ]m\b", " micrometers"),
    (r"(?<=\d)\s?Ω", " ohms"),
    (r"(?<!\d)(\d\d)/\1\b", r"\1 \1"),
    (r"\bw/o\b", "without"),
    (rf"(?<=[a-z]) ?/ ?(?={_PER}\b)", " per "),
    (r"(?<![\w.-])\d+(?:-\d+){2,}", say.dialled),
    (r"(?<![\d./-])(?:0\d+|\d{13,})(?![\d./-]*\d)", say.one_by_one),
    (r"(?<=\d)\s+1/2\b", " and a half"),
    (r"(?<=\d)\s+(?=[1-9]/\d)", " and "),
]
_HYPHENS: list[tuple[str, Replacement]] = [
    (
        rf"(?<![\w.-])({_NUMBER}%?)\s*(-|—|~)\s*({_NUMBER})(?![\d-]|\.\d)",
        say.number_range,
    ),
    (r"(?<![\w%°)-])-\s?(?=\.?\d)", "minus "),
    (r"(?<=\d)-(?=\d)", " dash "),
    (r"(?<=\w)\s?[→➜⇒⟶]\s?(?=\w)", " to "),
    (r"[-=~]{0,3}[→➜⇒⟶]|[-=]{1,3}>|<[-=]{1,3}(?!\d)|[←↑↓↔]|\|", ", "),
    (r"(?<!\s)\s+-+\s+|--+|(?:(?<!\s)\s+)?—+\s*", ", "),
    (r"(?<=[A-Za-z])-|-(?=[A-Za-z])", " "),
]
_SUMS: list[tuple[str, Replacement]] = [
    (r"(?<!\d)(?<!\d )\bm²", " square meters "),
    (r"(?<!\d)(?<!\d )\bm³", " cubic meters "),
    (r"±\s*(?=\d)", "plus or minus "),
    (r"(\w)\s*\^\s*2\b|(?<=\d)²|\b(?<!\d)([A-Za-z])²", lambda m: f"{m[1] or m[2] or ''} squared"),
    (r"(\w)\s*\^\s*3\b|(?<=\d)³|\b(?<!\d)([A-Za-z])³", lambda m: f"{m[1] or m[2] or ''} cubed"),
    (r"(\w)\s*\^\s*(-?\w+)", say.exponent),
    (r"(\w)([⁰¹⁴-⁹⁺⁻][⁰¹²³⁴-⁹⁺⁻]*)", say.exponent),
    (r"≤|<=(?!=)", " less than or equal to "),
    (r"≥|>=(?!=)", " greater than or equal to "),
    (r"≠|!=", " not equal to "),
    (
        r"(?<=[\w)])\s*[*×]\s*(?=[\d(])|(?<=[\d)])\s*[*×]\s*(?=\w)"
        r"|(?<=\b[A-Za-z])\s*[*×]\s*(?=[A-Za-z]\b)",
        " times ",
    ),
    (r"×", " times "),
    (r"÷", " divided by "),
    (r"≈", " approximately "),
    (r"={1,3}", " equals "),
    (r"(?<=[\w)])\s*\+\+", " plus plus"),
    (r"\+", " plus "),
    (
        r"\b(equals|plus|minus|times|of)\s+(\d{4})\b(?!\.\d)",
        lambda m: f"{m[1]} {number_words(m[2])}",
    ),
    *((sign, f" {name} ") for sign, name in _SYMBOLS.items()),
    (r"√", " square root of "),
    (r"∞", " infinity "),
    (r"(?<!\w)~\s*(?=\d)", "about "),
]
_SIGNS: list[tuple[str, Replacement]] = [
    (r"(?<!\w)<\s*(?=\d)|(?<=[\w)])\s*<\s*(?=[\w(-])", " less than "),
    (r"(?<!\w)>\s*(?=\d)|(?<=[\w)])\s*>\s*(?=[\w(-])", " greater than "),
    (r"°\s?C\b", " degrees celsius "),
    (r"°\s?F\b", " degrees fahrenheit "),
    (r"°", " degrees "),
    (rf"(?<!\d)({_NUMBER})‰", r"\1 per mille "),
    (r"%", " percent "),
    (r"&", " and "),
    (r"@", " at "),
    (r"(?<=\b[A-G])#", " sharp "),
    (r"#", " "),
    (r"(?<!\w)[ΓΔΘΛΞΠΣΦΨΩα-ω](?!\w)|(?<=\d)[µμΩ](?=\w)", lambda m: f" {_GREEK[m.group()]} "),
    (r"(?<=[A-Za-z])/(?=[A-Z]|[a-z]{2})|(?<!\w)/|/(?!\w)", " "),
]
_DOTS: list[tuple[str, Replacement]] = [
    (r"(?<=[a-z])\.(?=[A-Z][a-z])", ". "),
    (r"(?<=[A-Za-z])\.(?=[A-Za-z0-9])|(?<=\d)\.(?=[A-Za-z])", " dot "),
    (r"(?<![\w.])\.(?=\d)", "0."),
    (r"(?<![\w.])\.(?=[A-Za-z])", " dot "),
    (r"[_~*\"“”()\[\]{}<>（）]", " "),
    (
        r"(?<=\d)(?=[A-Za-z])(?!(?:st|nd|rd|th|s|km|kg|cm|mm|m|g|ml|mb|gb|kb|tb|hz|khz|mhz|ghz)\b)",
        " ",
    ),
    (r"(?<=[A-Za-z])(?=\d)", " "),
]
# The transducer finds units and months at either end of a word: "1 mango" is a minute, "5 marbles" in March.
_LAST: list[tuple[str, Replacement]] = [
    (rf"(?<![\w.,/:'$€£¥-])({_NUMBER})(?![\w/:%°'-]|[.,]\d)", say.standing_alone),
]

_TABLE = [*_DATES, *_WORDS, *_DIALLED, *_TIMES, *_NUMBERS, *_HYPHENS, *_SUMS, *_SIGNS, *_DOTS, *_LAST]
_RULES: list[tuple[re.Pattern[str], Replacement]] = [
    (EMAIL, say.address),
    (URL, say.address),
    *((re.compile(pattern), replacement) for pattern, replacement in _TABLE),
]


def normalize_english(text: str, check: Check = unwatched) -> str:
    """One line; each rule in its turn over the whole of it, `check` before each."""
    for pattern, replacement in _RULES:
        check()
        text = pattern.sub(replacement, text)
    return text
