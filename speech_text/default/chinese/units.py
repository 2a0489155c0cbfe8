"""Chinese names of currencies and units, from the tables of words. Works on strings only."""

from __future__ import annotations

from speech_text.default.data import Words, either

_SCALES = {
    "k thousand": (1000, ""),
    "m mn million": (100, "万"),
    "b bn billion": (10, "亿"),
    "t trillion": (1, "万亿"),
    "w": (1, "万"),
}
SCALES = {word: scale for words, scale in _SCALES.items() for word in words.split()}
_WORDS = Words()
_UNITS = _WORDS.names("unit", "chinese")
_PER = _UNITS | _WORDS.names("per", "chinese")  # units and other words that stand after a slash
CODES = _WORDS.names("code", "chinese")
_PRODUCT = rf"(?:{either(_PER)})(?:·(?:{either(_PER)}))*"
UNIT = rf"(?:{either(_UNITS)})(?:·(?:{either(_UNITS)})){{0,3}}"
PER = rf"(?:/(?:\({_PRODUCT}\)|{_PRODUCT}))*"


def product_name(product: str) -> str:
    """Returns the Chinese name of a product of units: kg·K -> 千克开尔文."""
    return "".join(_PER[name] for name in product.strip("()").split("·"))
