"""English words for amounts of money."""

from __future__ import annotations

import re
from collections.abc import Callable

from speech_text.default.data import Words, either
from speech_text.default.english.lists import any_of
from speech_text.default.english.measures import NOUN, SCALES
from speech_text.default.english.numbers import cardinal, plural
from speech_text.default.number_tagger import Figure, by_name

_SCALE = (
    r"(?i:hundred|thousand|million|billion|trillion|lakh crore|lakhs?|crores?|cr|(?-i:L)|tn|mn|mm|mil|bn"
    r"|[kmbt](?!(?<=[\s-].)-))(?![A-Za-z])"
)
_WITHOUT_PARTS = ("yen", "won", "dong")
# Things that are named by their price even without an article: two $20 bills.
_PRICED = re.compile(rf" (?:[A-Z][\w&']{{1,15}} )?{any_of('priced')}\b")
_ARTICLE = re.compile(r"(?i)\b(?:an?|the|this|one|my|your|his|her|our|their|every|another) $")


def priced(figure: Figure) -> bool:
    """Returns whether the number `figure` describes a noun, as in a $5 bill and a $500-a-night hotel. In the
    $5 that he owed it is an amount."""
    rest = re.sub(r"^/[a-z]{1,6}\b\.?", "", figure.rest)
    by_article = _ARTICLE.search(figure.lead) and NOUN.match(rest) and not re.match(r" [a-z]{1,10}ed\b", rest)
    return bool(by_article or _PRICED.match(figure.rest) or re.match(r"-(?:an?|per)-[a-z]", figure.rest))


class Money:
    """Writes amounts of money in words. `patterns` has the patterns that figures_en.tsv names: the signs and
    codes of currencies, and the words of scale."""

    def __init__(self, words: Words) -> None:
        signs, codes = words.names("currency", "english"), words.names("code", "english")
        self._names = signs | codes
        self._parts_of = {word.written: word.part for kind in ("currency", "code") for word in words.of(kind)}
        sign, code = f"(?i:{either(signs)})", either(codes)
        self.patterns = {"currency": sign, "code": code, "scale": _SCALE}
        self._parts = re.compile(
            rf"({sign}|{code})?\s?([\d,.]+)(?:[\s-]?({_SCALE}))?"
            rf"(?:\s?[-–—]+\s?(?:{sign})?\s?([\d,.]+)(?:[\s-]?({_SCALE}))?)?\s?(.+)?"
        ).fullmatch
        self.said = by_name(self.money, self.price, self.yuan)
        self.tests = by_name(priced)

    def money(self, amount: str, agree: Callable[[str, str], str] = plural) -> str:
        """Returns an amount of money in words: $5.50 -> five dollars and fifty cents, $5-$10 million -> five
        to ten million dollars. `agree` is a function of a noun and of an amount in digits. It returns the
        noun in the singular or plural, as it follows the amount."""
        if amount.startswith("-"):
            return f"minus {self.money(amount[1:], agree)}"
        parts = self._parts(re.sub(r"(?<=\d) (?=\d)|,(?=\d)", "", amount))
        assert parts, amount
        sign, first, scale, second, scale_of_both, behind = parts.groups("")
        noun = self._names.get(behind or sign) or self._names[(behind or sign).upper()]
        part = self._parts_of.get(sign.upper(), "")
        both = [number for number in (first, second) if number]
        with_cents = part and not scale and not scale_of_both and noun not in _WITHOUT_PARTS
        if with_cents and all(re.search(r"\.\d\d$|^0\.\d$", number) for number in both):
            return " to ".join(_with_cents(number, noun, part, agree) for number in both)
        said = " to ".join(
            f"{cardinal(number)} {SCALES.get(of.lower(), '')}".rstrip()
            for number, of in zip(both, (scale, scale_of_both), strict=False)
        )
        return f"{said} {agree(noun, '2' if second or scale else first)}"

    def price(self, amount: str) -> str:
        """Returns, in words, an amount of money that describes a noun, so that the currency stays singular:
        the $5 of a $5 bill -> five dollar."""
        return self.money(amount, agree=lambda noun, _: noun)

    def yuan(self, amount: str) -> str:
        """Returns, in words, an amount whose sign ¥ means yuan, as in a text about China."""
        return self.money("CNY" + amount[1:])


def _with_cents(number: str, major: str, minor: str, agree: Callable[[str, str], str]) -> str:
    whole, _, cents = number.partition(".")
    cents = cents.ljust(2, "0")
    spoken = f"{cardinal(whole)} {agree(major, '1' if whole == '1' else '2')}"
    if not cents.strip("0"):
        return spoken
    small = f"{cardinal(cents)} {agree(minor, str(int(cents)))}"
    return small if not whole.strip("0") else f"{spoken} and {small}"
