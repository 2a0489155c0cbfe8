"""Spells web and e-mail addresses and runs of digits, sign by sign (default rules). Works on strings only."""

from __future__ import annotations

import re
from collections.abc import Mapping

from speech_text.english import number_words

TAIL = ".,!?;:'\")]}>"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
_DOMAINS = "com|cn|org|net|io|ai|edu|gov|dev|app|co|me|info|tv|xyz|top|uk|us|de|fr|jp|hk|tw|ru|eu"
_REST = r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]"
EMAIL = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._%&+-]{{0,63}}@{_HOST}[A-Za-z]{{2,24}}(?:/{_REST}+)?", re.ASCII)
URL = re.compile(
    rf"\b(?:(?:https?|ftps?|wss?|file) ?: ?//{_REST}+|www\.{_REST}+"
    rf"|{_HOST}(?:{_DOMAINS})\b(?::\d{{1,5}})?(?:/{_REST}*)?)",
    re.IGNORECASE | re.ASCII,
)

CHINESE_MARKS = {
    **{".": "点", "/": "斜杠", ":": "冒号", "@": "艾特", "-": "杠", "_": "下划线", "?": "问号"},
    **{"=": "等于", "&": "和", "#": "井号", "%": "百分号", "+": "加", "~": "波浪号"},
}
ENGLISH_MARKS = {
    **{".": "dot", "/": "slash", ":": "colon", "@": "at", "-": "dash", "_": "underscore", "=": "equals"},
    **{"?": "question mark", "&": "and", "#": "hash", "%": "percent", "+": "plus", "~": "tilde", "*": "star"},
}
CHINESE_DIGITS = {ord(str(value)): name for value, name in enumerate("零一二三四五六七八九")}
PHONE_DIGITS = {**CHINESE_DIGITS, ord("1"): "幺"}
ENGLISH_DIGITS = {digit: number_words(digit) for digit in "0123456789"}


def spell_address(address: str, marks: Mapping[str, str], digits: Mapping[str, str]) -> str:
    """Returns `address` as it is spelled aloud, with a blank on each side: letters as they stand, digits one
    by one, marks by their names. `marks` and `digits` map each character to its name; a character without a
    name is left out. Punctuation at the end of the address (a full stop, a bracket) stays punctuation."""
    body = address.rstrip(TAIL)
    words = re.findall(r"[A-Za-z]+|.", body)
    spoken = [word if word.isalpha() else digits.get(word) or marks.get(word, " ") for word in words]
    return f" {' '.join(spoken)} {address[len(body) :]}"
