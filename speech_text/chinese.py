"""Steps that normalise Chinese text, shared by both sets of rules (docs/model.md 9.1, Z1, Z3, Z4, Z6 and
Z7)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from speech_text.places import Placed
from speech_text.signs import PUNCTUATION

_DIGITS = "零一二三四五六七八九"
_DIGIT_NAMES = {ord(str(value)): name for value, name in enumerate(_DIGITS)}
_UNITS = ("", "十", "百", "千", "万", "十万", "百万", "千万", "亿", "十亿", "百亿", "千亿")
_POWER = re.compile(r"(-?(?<!\d)\d++(?:\.\d++)?)\s*+[*x×]\s*+(\d++(?:\.\d++)?)\s*+\^\s*(-?\d+(?:\.\d+)?)")
_FACTOR = "一二三四五六七八九十百千万亿a-zA-Z"
_PRODUCT = re.compile(rf"([{_FACTOR}]\)?)\s*\*\s*(?=\(?[{_FACTOR}])")

_SYMBOL_NAMES = {
    "阿尔法": "α",
    "贝塔": "β",
    "伽玛": "γΓ",
    "德尔塔": "δΔ△",
    "艾普西龙": "ε",
    "捷塔": "ζ",
    "依塔": "η",
    "西塔": "θΘ",
    "艾欧塔": "ι",
    "喀帕": "κ",
    "拉姆达": "λΛ",
    "缪": "μ",
    "拗": "ν",
    "克西": "ξΞ",
    "欧米克伦": "ο",
    "派": "πΠ",
    "肉": "ρ",
    "西格玛": "ςΣσ",
    "套": "τ",
    "宇普西龙": "υ",
    "服艾": "φΦ",
    "器": "χ",
    "普赛": "ψΨ",
    "欧米伽": "ωΩ",
    "方框": "□",
    "大于": ">",
    "小于": "<",
    "属于": "∈",
    "不属于": "∉⊄⊈",
    "并": "∪",
    "交": "∩",
    "垂直": "⊥",
    "平行": "∥",
    "不等于": "≠",
    "因为": "∵",
    "所以": "∴",
    "空集": "∅",
    "真包含于": "⊂",
    "包含": "⊃",
    "包含于": "⊆",
    "真包含": "⊇",
    "非超集": "⊅⊉",
    "平方": "²",
    "立方": "³",
    "每": "/",
}
_SPOKEN = {char: name for name, chars in _SYMBOL_NAMES.items() for char in chars}
_SPOKEN |= dict(zip("①②③④⑤⑥⑦⑧⑨⑩", "一二三四五六七八九十", strict=True), **{"†": "，"})
_SYMBOL = re.compile(f"[{''.join(_SPOKEN)}]")


def replace_words(text: Placed, replacements: Iterable[tuple[str, str]]) -> Placed:
    """Steps Z3 and Z4: writes 咯 before punctuation as 喽, then applies the user's `replacements`, which are
    pairs of old and new text, in their order."""
    text = text.sub(f"咯(?=[{re.escape(PUNCTUATION)}])", "喽")
    for origin, new in replacements:
        text = text.sub(re.escape(origin), new.replace("\\", r"\\"))
    return text


def tidy_chinese(text: Placed) -> Placed:
    """Steps Z6 and Z7: writes 额 as 呃 where it stands alone, and writes products and symbols as words.
    Commas, colons, semicolons and dashes become commas; dots and tildes become full stops. Brackets, quotes
    and backslashes are removed."""
    text = text.sub(r"\\", "").sub(r"(?<!\w)额(?!\w)", "呃").sub("[~～]+", "。")
    text = text.sub(_PRODUCT, r"\1乘").sub(r"\*", "").strip()
    text = text.sub(r"[()（）【】「」`《》『』{}\[\]‘’]", "").sub(" - |——", "，")
    text = text.sub("[,:：;；、]+", "，").sub("[.…]+", "。").sub("[_·'\"“”|]", "")
    return text.sub(_SYMBOL, lambda sign: _SPOKEN[sign[0]])


def spell_first_power(text: Placed) -> Placed:
    """Step Z1: returns `text` with its first number of the form 3.5*10^8 written as Chinese words. Other
    numbers stay."""

    def words(match: re.Match[str]) -> str:
        factor, base, exponent = match.groups()
        return f"{_read_number(factor)}乘{_read_number(base)}的{_read_number(exponent)}次方"

    return text.sub(_POWER, words, count=1)


def _read_number(number: str) -> str:
    whole, _, decimals = str(float(number)).partition(".")
    if not (whole + decimals).lstrip("-").isdigit():  # too large or too small to print without an exponent
        return number.translate({**_DIGIT_NAMES, ord("-"): "负", ord("."): "点"})
    if not decimals.strip("0"):
        return integer_reading(int(whole))
    # The sign of -0.5 is lost here, as in the published code: the integer part is 0.
    return integer_reading(int(whole)) + "点" + decimals.translate(_DIGIT_NAMES)


def integer_reading(number: int) -> str:
    """Returns `number` in Chinese words as the published rules read it: each digit except 0 has a unit of its
    own, so 120000 is 十万二万. A number of more than 12 digits is read digit by digit."""
    if number == 0:
        return "零"
    if number < 0:
        return "负" + integer_reading(-number)
    digits = str(number)
    if len(digits) > len(_UNITS):
        return digits.translate(_DIGIT_NAMES)
    out, last_unit = "", ""
    for unit, digit in zip(_UNITS, map(int, reversed(digits)), strict=False):
        if digit:
            out, last_unit = _DIGITS[digit] + unit + out, unit
        elif out and last_unit not in ("万", "亿") and not out.startswith("零"):
            out = "零" + out
    out = out.rstrip("零")
    return out[1:] if out.startswith("一十") else out
