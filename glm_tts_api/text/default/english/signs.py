"""English: two numbers and what is between them, minus signs, sums, signs and dots."""

from __future__ import annotations

import re

from glm_tts_api.text.default.characters import plain_exponent
from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.numbers import cardinal
from glm_tts_api.text.default.english.units import PER, UNITS
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

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
_POWERS = {"2": "squared", "3": "cubed"}


def number_span(match: Match) -> str:
    first, second, rest = match[1], match[3], after(match, 4)
    if match[2] == "-" and re.match(r"\s*=|\s\?", rest):
        return f"{first} minus {second}"
    if match[2] == "-" and re.search(r"[=+*×÷]\s*$", before(match)):
        return f"{first} minus {second}"
    return f"{first} to {second}"


def exponent(match: Match) -> str:
    """10⁻³, x^2: the base, then its power."""
    power, unit = (
        plain_exponent(match[2].strip("^{}() ")),
        f"{numbers.plural(UNITS[match[3]], '2')} " if match[3] else "",
    )
    if power in _POWERS:
        return f"{match[1]} {_POWERS[power]} {unit}"
    if re.fullmatch(r"[+-]?\d{1,9}", power):
        power = cardinal(power.removeprefix("+"))
    return f"{match[1]} to the power of {power.replace('-', 'minus ')} {unit}"


def charged(match: Match) -> str:
    """O-, AB+ of blood; Na+, Cl- of ions; B+, A- of marks."""
    blood = re.fullmatch("A|B|AB|O", match[1]) and re.search(
        r"(?i)blood|donor|\btype|transfus|patient|recipient|rh\b", before(match, 60) + after(match, 60)
    )
    plus, minus = ("positive", "negative") if blood else ("plus", "minus")
    return f"{match[1]} {plus if match[2] == '+' else minus}"


def operand(match: Match) -> str:
    return f"{match[1]} {cardinal(match[2])}"


_NUMBER = r"\d{1,30}+(?:\.\d{1,30}+)?"
_ARROWS = "→➜⇒⟶"
_UNIT = alternatives(UNITS)

SPANS: list[Row] = [
    ("charge", r"(?<![\w.-])(AB|[A-Z][a-z]?)([+-])(?=\s(?!\d|[a-z] )|[,.;!?)]|$)", charged),
    (
        "name",
        r"\d(?<![\w.-]\d)\d{0,8}(?:-\d{1,9}){2,}",
        lambda m: ", ".join(map(numbers.digits, m.group().split("-"))),
    ),
    ("span", rf"({_NUMBER})\s?({_UNIT})\s?-\s?(?={_NUMBER}\s?\2)", r"\1 to "),
    ("span", rf"(?<![\w.-])({_NUMBER}%?)\s?(-|—|~)\s?({_NUMBER})(?![\d-]|\.\d)", number_span),
    ("minus", r"(?<=\d) - (?=\d)", " minus "),
    ("minus", r"(?<![\w%°)-])-\s?(?=\.?\d)", "minus "),
    ("minus", r"(?<=[²³)]) - (?=[\da-z(])", " minus "),
    ("dash", r"(?<=\d)-(?=\d)", " dash "),
    ("arrow", rf"(?<=\w)\s?[{_ARROWS}]\s?(?=\w)", " to "),
    ("arrow", rf"[-=~]{{0,3}}[{_ARROWS}]|[-=]{{1,3}}>|<[-=]{{1,3}}(?!\d)|[←↑↓↔]|\|", ", "),
    ("minus", r"(?<=\b[A-Za-z]) [-−] (?=[A-Za-z\d]\b)|(?<=\d) [-−] (?=[A-Za-z]\b)", " minus "),
    ("dash", r"(?<!\s)\s+-+\s+|--+|(?:(?<!\s)\s+)?—+\s*", ", "),
]

POWERS: list[Row] = [
    ("logarithm", r"\blog_(\d{1,9}) ?(?=[\w(])", r"log base \1 of "),
    ("factorial", r"(?<=\d)!(?=\s?[=*×+÷/])|(?<=\b[a-z])!(?=\s?[=*×+÷/])", " factorial"),
    ("power", rf"(?<![A-Za-z\d])(\d{{1,30}})([⁰¹²³⁴-⁹⁺⁻]{{1,9}})(?:\s?({_UNIT})(?![A-Za-z\d²³]))?", exponent),
    ("power", rf"(\w|\))\s?(\^\s?[({{]?[-+]?\w{{1,9}}[)}}]?)(?:\s({_UNIT})(?![A-Za-z\d²³]))?", exponent),
]

LETTERS: list[Row] = [
    ("power", r"(\b(?!m[²³])[A-Za-z]{1,2}|\))([⁰¹²³⁴-⁹⁺⁻]{1,9})()", exponent),
]

SUMS: list[Row] = [
    ("plus or minus", r"±\s?(?=\d)", "plus or minus "),
    ("comparison", r"≤|<=(?!=)", " less than or equal to "),
    ("comparison", r"≥|>=(?!=)", " greater than or equal to "),
    ("comparison", r"≠|!=", " not equal to "),
    (
        "times",
        r"(?<=[\w)])\s?[*×]\s?(?=[\d(])|(?<=[\d)])\s?[*×]\s?(?=\w)|(?<=\b[A-Za-z])\s?[*×]"
        r"\s?(?=[A-Za-z]\b)",
        " times ",
    ),
    ("times", r"(?<=\d)\sx\s(?=\d)", " times "),
    ("times", r"×|(?<=\d)·(?=\d)", " times "),
    ("divided", r"÷|(?<=\d) / (?=\d)", " divided by "),
    ("about", r"≈", " approximately "),
    ("equals", r"={1,3}", " equals "),
    ("plus", r"(?<=[\w)])\s?\+\+", " plus plus"),
    ("plus", r"\+", " plus "),
    ("operand", r"(?<![.;,] )\b(equals|plus|minus|times|of|by)\s{1,3}(\d{4})(?!\d|,\d|\.\d)", operand),
    *(("symbol", sign, f" {name} ") for sign, name in _SYMBOLS.items()),
    ("root", r"√", " square root of "),
    ("infinity", r"∞", " infinity "),
    ("about", r"(?<!\w)~\s?(?=\d|minus)", "about "),
]

SIGNS: list[Row] = [
    ("unit", r"\bkm²", " square kilometers "),
    ("unit", r"\bm²", " square meters "),
    ("unit", r"\bm³", " cubic meters "),
    ("less", r"(?<!\w)<\s?(?=\w)|(?<=[\w)])\s?<\s?(?=[\w(-])", " less than "),
    ("greater", r"(?<!\w)>\s?(?=\w)|(?<=[\w)])\s?>\s?(?=[\w(-])", " greater than "),
    ("angle", r"°\s?(\w[\w ]{2,24})['′](?!\w)", r" degrees \1 minutes"),
    ("unit", r"°\s?C\b", " degrees celsius "),
    ("unit", r"°\s?F\b", " degrees fahrenheit "),
    ("unit", r"°", " degrees "),
    ("unit", r"Ω", " ohms "),
    ("percent", r"%", " percent "),
    ("and", r"&", " and "),
    ("at", r"@", " at "),
    ("sharp", r"(?<=\b[A-G])#", " sharp "),
    ("hash", r"#", " "),
    ("per", rf"(?<=[a-z])\s?/\s?({alternatives(PER)})(?![A-Za-z])", lambda m: f" per {PER[m[1]]}"),
    (
        "per",
        r"(?:(?<=dollars)|(?<=cents)|(?<=euros)|(?<=pounds)|(?<=cent)|(?<=dollar)) ?/ ?(?=[a-z]{2})",
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
    ("full stop", r"(?<=[a-z])\.(?=[A-Z][a-z])", ". "),
    ("dot", r"(?<=[A-Za-z])\.(?=[A-Za-z0-9])|(?<=\d)\.(?=[A-Za-z])", " dot "),
    ("dot", r"(?<![\w.])\.(?=\d)", "0."),
    ("dot", r"(?<![\w.])\.(?=[A-Za-z])", " dot "),
    ("bracket", r"[_~*\"“”()\[\]{}<>（）]", " "),
    ("hyphen", r"(?<=\w)-|-(?=\w)", " "),
    ("apart", r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)", " "),
]
