"""Chinese words for amounts of money."""

from __future__ import annotations

import re
from decimal import Decimal

from speech_text.default.chinese import numbers
from speech_text.default.data import Words, either

_SCALE_WORDS = {
    "k thousand": (1000, ""),
    "m mn million": (100, "万"),
    "b bn billion": (10, "亿"),
    "t trillion": (1, "万亿"),
    "w": (1, "万"),
}
_SCALES = {word: scale for words, scale in _SCALE_WORDS.items() for word in words.split()}
_NEXT = {"万": "亿", "亿": "万亿"}
_NOUN = "美元|美金|欧元|英镑|日元|日币|港元|港币|台币|新台币|澳元|加元|元|块钱?|人民币"
_SCALE = r"(?:(?i:[kmbtw]|mn|bn|thousand|million|billion|trillion)(?![A-Za-z恤超])|万亿|[十百千]?[万亿]|千)"


class Money:
    """Writes amounts of money in Chinese words. `patterns` has the patterns that figures_zh.tsv names: the
    signs and codes of currencies, the words of scale, and the words after an amount."""

    def __init__(self, words: Words) -> None:
        signs, codes = words.names("currency", "chinese"), words.names("code", "chinese")
        self._names, self._codes = signs | codes, frozenset(codes)
        sign, code = f"(?i:{either(signs)})", f"{either(codes)}(?![A-Za-z])"
        self.patterns = {"currency": sign, "code": code, "scale": _SCALE, "money": f"{_NOUN}|{code}"}
        self._parts = re.compile(
            rf"({sign}|{either(codes)})? ?([\d.]+)(?: ?[-~～—–]+ ?(?:{sign})? ?([\d.]+))? ?({_SCALE})? ?(.+)?"
        ).fullmatch

    def money(self, amount: str) -> str:
        """Returns an amount of money in Chinese words: ¥39.8元 -> 三十九点八元, $5-$10 million ->
        五百到一千万美元, USD 100 -> 一百美元. Two amounts are joined by 到, or by 减 if the second is
        smaller."""
        parts = self._parts(amount)
        assert parts, amount
        sign, first, second, scale, behind = parts.groups("")
        noun = sign if sign in self._codes and behind in ("元", "块", "块钱") else behind or sign
        factor, unit = _SCALES.get(scale.lower(), (1, scale))
        amounts = [scaled(number, factor) for number in (first, second) if number]
        falls = len(amounts) > 1 and Decimal(amounts[1]) < Decimal(amounts[0])
        if unit in _NEXT and all(Decimal(number) >= 10000 for number in amounts):
            unit, amounts = _NEXT[unit], [f"{Decimal(number) / 10000:f}" for number in amounts]
        noun = unit + (self._names.get(noun) or self._names.get(noun.upper()) or noun)
        return ("减" if falls else "到").join(numbers.counted(number, noun) for number in amounts) + noun


def scaled(amount: str, factor: int) -> str:
    text = amount if factor == 1 else f"{Decimal(amount) * factor:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
