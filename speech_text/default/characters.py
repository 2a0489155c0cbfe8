"""The first step of the default rules: replaces characters that look the same to a reader by one plain
character (docs/text.md).

Full-width and styled forms, digits of other scripts, ligatures, radicals and squared units become plain
characters. Invisible characters without a sound are dropped. Hanzi and punctuation stay.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

import emoji

from speech_text.places import Edit, Placed

_PLAIN = re.compile("[^\\x20-\\x7e\n\u4e00-\u9fff，。！？；：、（）“”《》]")
_BETWEEN_WORDS = re.compile("(?<=[\u4e00-\u9fff]{2})\u3000+(?=[\u4e00-\u9fff]{2})")  # not 目　录, one word
_BASE = re.compile("(?<=log)([₀-₉]{1,9}) ?")  # the base of a logarithm: log_2 8
_SUBSCRIPT = re.compile("(?<=[₀-₉])(?=[0-9])|(?<=N)(?=O[₂₃])")  # NO₂ is not No. 2
_KEYCAP = re.compile("([0-9#*])\ufe0f?\u20e3")
_MOST_MARKS = 30  # combining marks on a letter, as in Unicode's stream-safe form: sorting n takes n² steps
COMPOSABLE = re.compile("[\x00-\x7f]?[^\x00-\x7f\u4e00-\u9fff，。！？；：、（）“”《》]+")
_KEPT_WIDE = "！（），：；？"
_ISOTOPE = re.compile(
    "(?<![0-9A-Za-z⁰¹²³⁴-⁹⁺⁻])(?:([²³])(H)|([¹²³⁴-⁹][⁰¹²³⁴-⁹])(C|N|O|F|Ne|Na|P|S|Cl|K|Ca|Fe|Co|Kr|Sr|Tc|Mo)"
    "|([¹²][⁰¹²³⁴-⁹]{2})(I|Xe|Cs|Ba|Po|Rn|Ra|Th|U|Pu|Am|Pb|Au|Hg))(?![A-Za-z0-9⁰¹²³⁴-⁹])"
)
_LOVED = re.compile("(?:(?<=\\b[Ii] )|(?<=\\b[Ww]e ))(?:[♥❤]\ufe0f?|<3)(?= [A-Za-z])")
_ENTITY = re.compile("&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_LOVED_IN_CHINESE = re.compile("(?<=[我们]) ?[♥❤]\ufe0f? ?(?=[\u4e00-\u9fff])")
# A playing card, or the cards of a suit. The rules of the languages read the suit, an emoji elsewhere.
_CARD = re.compile(
    "(?<![0-9A-Za-z])(?:10|[1-9AKQJ])[♠♥♦♣]\ufe0f?"
    "|[♠♥♦♣]\ufe0f?(?:10|[2-9AKQJT])(?:10|[2-9AKQJTx]){0,12}(?![0-9A-Za-z])"
)
_SUITS = str.maketrans("♠♥♦♣", "♤♡♢♧", "\ufe0f")
_NAMED = {
    **{"№": " No. ", "〇": "零", "℃": "°C", "℉": "°F", "🔟": "10", "₋": " - ", "―": "—"},
    **{"ⁿ": "^n", "ˣ": "^x", "\u2044": "/"},
    **{"‼": "!!", "⁉": "!?", "⁈": "?!", "⁇": "??", "‽": "?", "؟": "?", "،": ",", "؛": ";"},
    **dict.fromkeys("™℠", " "),
    **dict.fromkeys("⋯‥︙", "…"),
    **dict.fromkeys("۔।॥։", "."),
    **dict.fromkeys("’‘ʼ", "'"),
    **dict.fromkeys("–‒−‐‑﹣", "-"),
    **dict.fromkeys("∼〜", "~"),
    **dict.fromkeys("•・", "·"),
    **dict.fromkeys("\u2028\u2029\x0b\x0c\x85", "\n"),
}
_UNSEEN = {"Cc": " ", "Cf": "", "Co": " ", "Cn": " ", "Zs": " ", "Zl": "\n", "Zp": "\n"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_IN_EMOJI = frozenset(char for symbol in emoji.EMOJI_DATA for char in symbol if not char.isascii())


def clean(text: Placed) -> Placed:
    """Returns `text` with plain characters in place of styled, full-width and other special characters. An
    emoji becomes the letter or number that it shows, otherwise a blank; a heart in "I ♥ you" becomes love. An
    entity of HTML (&amp;) becomes its character. Each line end becomes one line feed."""
    text = text.sub("[\ud800-\udfff]", "")  # halves of surrogate pairs
    text = text.sub(_ENTITY, lambda entity: html.unescape(entity[0])).sub("\r\n?", "\n")
    text = text.sub(COMPOSABLE, composed).sub(_KEYCAP, r" \1 ").sub(_BETWEEN_WORDS, "，")
    text = text.sub(_LOVED_IN_CHINESE, "爱").sub(_LOVED, "love").sub(_ISOTOPE, _after_its_symbol)
    text = text.sub(_CARD, lambda card: card[0].translate(_SUITS))
    if not _IN_EMOJI.isdisjoint(text.text):  # a quick test, since the library looks at each character
        found = emoji.emoji_list(text.text)
        text = text.edited(Edit(one["match_start"], one["match_end"], _emoji(one["emoji"])) for one in found)
    text = text.sub(_BASE, r"_\1 ").sub(_SUBSCRIPT, " ")
    return text.sub(_PLAIN, lambda char: _fold(char[0])).sub(COMPOSABLE, composed)


def composed(run: re.Match[str]) -> str:
    """Returns `run`, a match of COMPOSABLE, in Unicode's form NFC. Of the combining marks on one letter only
    the first 30 are kept."""
    kept, n_marks = [], 0
    for char in run[0]:
        n_marks = n_marks + 1 if unicodedata.combining(char) else 0
        if n_marks <= _MOST_MARKS:
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))


def _after_its_symbol(isotope: re.Match[str]) -> str:
    """Returns an isotope with its mass after its symbol: ¹⁴C -> C-14."""
    mass, symbol = (part for part in isotope.groups() if part)
    return f"{symbol}-{plain_exponent(mass)}"


def plain_exponent(superscripts: str) -> str:
    """Returns superscript digits and signs as plain characters: "⁻¹⁰" -> "-10"."""
    return superscripts.translate(_SUPERSCRIPTS)


def _emoji(symbol: str) -> str:
    """Returns the text that replaces the emoji `symbol`: the letter or number that the emoji is (Ⓜ -> M, 🔟
    -> 10), otherwise a blank."""
    folded = _fold(symbol[0])
    return folded if any(char.isalnum() for char in folded) else " "


@lru_cache(maxsize=4096)
def _fold(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if char in _KEPT_WIDE:
        return char
    category = unicodedata.category(char)
    if category in _UNSEEN:
        return _UNSEEN[category]
    if category == "Nd":
        return str(unicodedata.decimal(char))
    kind, _, _ = unicodedata.decomposition(char).partition(">")
    return _fold_kind(char, kind.removeprefix("<"), unicodedata.normalize("NFKC", char))


def _fold_kind(char: str, kind: str, plain: str) -> str:
    """Returns the plain form of `char`. `plain` is its compatibility form (NFKC). `kind` is Unicode's name
    for the difference between both, such as "fraction" or "circle"; "" means that there is none. A fraction
    or a number in a circle gets a blank on each side."""
    if kind == "fraction":
        return " " + plain.replace("\u2044", "/") + " "
    if kind in ("circle", "compat") and _number(char) is not None:
        return f" {_number(char)} "  # ①, Ⅳ: a separate number, even next to another number
    if kind == "sub":
        return plain
    if kind == "square":
        return re.sub("([cdkm]?m)([23])$", lambda unit: unit[1] + "²³"[int(unit[2]) - 2], plain)
    if kind == "super":
        return char if char.isdigit() or char in "⁺⁻" else plain
    if kind and any(symbol.isalnum() for symbol in plain):
        return plain
    return plain if kind in ("wide", "narrow", "small", "vertical") and len(plain) == 1 else char


def _number(char: str) -> int | None:
    value = unicodedata.numeric(char, None)
    if value is None or value != int(value) or unicodedata.name(char, "").startswith("CJK"):
        return None
    return int(value)
