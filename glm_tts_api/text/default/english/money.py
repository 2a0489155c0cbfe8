"""English: amounts of money."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.numbers import cardinal
from glm_tts_api.text.default.english.units import CODES, CURRENCIES, SCALES
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

_B = r"(?<![\d.,])"


def money(match: Match) -> str:
    major, minor = CURRENCIES[match[1].upper()]
    if match[1] in "¥￥" and re.search(
        "Japan|Tokyo|Osaka|Kyoto|Yen|yen", before(match, 60) + after(match, 60)
    ):
        major, minor = "yen", "sen"
    first, second, scale = match[2].replace(",", ""), match[3], SCALES.get((match[4] or "").lower())
    cents = first.partition(".")[2]
    if second and not scale and len(cents) == 2 and re.search(r"\.\d\d$", second):
        return f"{_with_cents(first, major, minor)}to {_with_cents(second.replace(',', ''), major, minor)}"
    if second or scale or len(cents) not in (0, 2) or (cents and major in ("yen", "won", "dong")):
        amount = cardinal(first) + (f" to {cardinal(second)}" if second else "")
        return f"{amount} {scale + ' ' if scale else ''}{numbers.plural(major, '2')} "
    return _with_cents(first, major, minor)


def _with_cents(number: str, major: str, minor: str) -> str:
    whole, _, cents = number.partition(".")
    spoken = f"{cardinal(whole)} {numbers.plural(major, '1' if whole == '1' else '2')}"
    if not cents.strip("0"):
        return f"{spoken} "
    small = f"{cardinal(cents)} {numbers.plural(minor, str(int(cents)))} "
    return small if not whole.strip("0") else f"{spoken} and {small}"


def money_behind(match: Match) -> str:
    """100$, 50 EUR."""
    noun = CURRENCIES[match[3]][0] if match[3] in CURRENCIES else CODES[match[3]]
    return _amount(match[1], match[2], noun)


def coded_money(match: Match) -> str:
    """USD 100."""
    return _amount(match[2], match[3], CODES[match[1]])


def _amount(number: str, scale: str | None, noun: str) -> str:
    if scale:
        return f"{cardinal(number)} {SCALES[scale.lower()]} {numbers.plural(noun, '2')} "
    return f"{cardinal(number)} {numbers.plural(noun, number)} "


_AMOUNT = r"\d{1,30}+(?:,\d{3})*+(?:\.\d{1,30}+)?"
_SIGNS = alternatives(CURRENCIES)
_SCALE = r"[kmbt]|tn|mn|mm|mil|bn|hundred|thousand|million|billion|trillion"


MONEY: list[Row] = [
    (
        "money",
        rf"(?i)({_SIGNS})\s?({_AMOUNT})(?:\s?[-–—]+\s?(?:{_SIGNS})?\s?"
        rf"({_AMOUNT}))?(?:[\s-]?({_SCALE})(?![A-Za-z]))?",
        money,
    ),
    (
        "money",
        rf"(?i:{_B}({_AMOUNT})\s?({_SCALE})?\s?)((?:{_SIGNS})|(?:{alternatives(CODES)})\b)",
        money_behind,
    ),
    ("money", rf"\b({alternatives(CODES)})\s?({_AMOUNT})(?:\s?(?i:({_SCALE}))\b)?", coded_money),
    ("cents", rf"{_B}(\d{{1,3}})\s?¢", lambda m: f"{cardinal(m[1])} {numbers.plural('cent', m[1])} "),
]
