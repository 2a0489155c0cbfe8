"""Steps that normalise Chinese text, shared by both sets of rules (docs/model.md 9.1, Z3, Z4, Z6 and Z7)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from speech_text.default.data import lists
from speech_text.places import Placed
from speech_text.signs import PUNCTUATION

_FACTOR = "一二三四五六七八九十百千万亿a-zA-Z"
_PRODUCT = re.compile(rf"([{_FACTOR}]\)?)\s*\*\s*(?=\(?[{_FACTOR}])")

_SPOKEN = lists("lists_zh.tsv")["symbol"]
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
