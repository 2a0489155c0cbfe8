"""Chinese: amounts of money."""

from __future__ import annotations

from decimal import Decimal

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.chinese.units import CODES, CURRENCIES, SCALES
from glm_tts_api.text.default.table import Match, Row, alternatives

_AMOUNT = r"\d(?<![\d.].)\d{0,29}+(?:,\d{3})*+(?:\.\d{1,30}+)?"

_NEXT = {"万": "亿", "亿": "万亿"}
_MONEY_NOUN = "美元|美金|欧元|英镑|日元|日币|港元|港币|台币|新台币|澳元|加元|元|块钱?|人民币|RMB|USD|EUR"


def money(match: Match) -> str:
    first, second = match[2], match[3]
    noun: str = match[5] or CURRENCIES[match[1].upper()]
    noun = CODES.get(noun, noun)
    return _amount(first, second, match[4] or "", noun)


def money_behind(match: Match) -> str:
    """100$, 50€, 1.5万USD."""
    sign = match[4]
    noun = CURRENCIES.get(sign) or CODES[sign.upper()]
    return _amount(match[1], match[2], match[3] or "", noun)


def coded_money(match: Match) -> str:
    """USD 100."""
    return _amount(match[2], None, match[3] or "", CODES[match[1]])


def _amount(first: str, second: str | None, scale: str, noun: str) -> str:
    factor, unit = SCALES.get(scale.lower(), (1, scale))
    falls = second and Decimal(second.replace(",", "")) < Decimal(first.replace(",", ""))
    amounts = [scaled(amount.replace(",", ""), factor) for amount in (first, second) if amount]
    if unit in _NEXT and all(Decimal(amount) >= 10000 for amount in amounts):
        unit, amounts = _NEXT[unit], [f"{Decimal(amount) / 10000:f}" for amount in amounts]
    return (
        ("减" if falls else "到").join(numbers.counted(amount, unit + noun) for amount in amounts)
        + unit
        + noun
    )


def scaled(amount: str, factor: int) -> str:
    text = amount if factor == 1 else f"{Decimal(amount) * factor:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_SIGNS = alternatives(CURRENCIES)
_SCALE = r"(?:[kmbt]|mn|bn|thousand|million|billion|trillion)(?![A-Za-z])|万亿|[十百千]?[万亿]|千"


MONEY: list[Row] = [
    (
        "money",
        rf"(?i)({_SIGNS}) ?({_AMOUNT})(?: ?[-~～—–]+ ?(?:{_SIGNS})? ?({_AMOUNT}))?(?: ?({_SCALE}))?"
        rf"(?: ?({_MONEY_NOUN}))?",
        money,
    ),
    (
        "money",
        rf"({_AMOUNT})(?: ?[-~～—–]+ ?({_AMOUNT}))? ?({_SCALE})?(?: ?"
        rf"({_SIGNS}|(?:{alternatives(CODES)})(?![A-Za-z])))",
        money_behind,
    ),
    ("money", rf"(?<![A-Za-z])({alternatives(CODES)}) ?({_AMOUNT})(?: ?({_SCALE}))?", coded_money),
]
