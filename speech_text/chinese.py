"""Steps that normalise Chinese text, shared by both sets of rules (docs/model.md 9.1, Z3, Z4, Z6 and Z7)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from speech_text.places import Placed
from speech_text.signs import PUNCTUATION

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
