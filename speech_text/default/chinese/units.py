"""Chinese names of currencies and units, from the tables of words. Works on strings only."""

from __future__ import annotations

from speech_text.default.data import Words, either

SCALES = {
    **{"k": (1000, ""), "thousand": (1000, ""), "m": (100, "万"), "mn": (100, "万"), "million": (100, "万")},
    **{
        "b": (10, "亿"),
        "bn": (10, "亿"),
        "billion": (10, "亿"),
        "t": (1, "万亿"),
        "trillion": (1, "万亿"),
        "w": (1, "万"),
    },
}
_WORDS = Words()
UNITS = _WORDS.names("unit", "chinese")
PER = UNITS | _WORDS.names("per", "chinese")  # units and other words that stand after a slash
CODES = _WORDS.names("code", "chinese")
_LOWER = {name.lower(): spoken for name, spoken in UNITS.items() if len(name) > 1}


_PRODUCT = rf"(?:{either(PER)})(?:·(?:{either(PER)}))*"
PER_PATTERN = rf"/(?:\({_PRODUCT}\)|{_PRODUCT})"


def unit_name(unit: str) -> str | None:
    if "·" in unit and unit not in UNITS:
        return "".join(UNITS[name] for name in unit.split("·"))
    return UNITS.get(unit) or _LOWER.get(unit.lower())


def per_name(units: str) -> str:
    """Returns the Chinese name of the units after a slash: "/m³" -> "立方米", "/(kg·K)" -> "千克开尔文".
    Several slashes are joined by 每. A unit without a name stays as it is."""
    return "每".join(
        "".join(PER.get(name) or unit_name(name) or name for name in product.strip("()").split("·"))
        for product in units.strip("/ ").split("/")
    )
