"""Chinese rules for the signs of trades and pastimes: chemistry, geometry, music, cards, optics, printing."""

from __future__ import annotations

import re

from glm_tts_api.text.default.characters import CARD, plain_exponent, rank_and_suit
from glm_tts_api.text.default.chinese.numbers import counted
from glm_tts_api.text.default.table import Match, Row, beside

_SUITS = {"♤": "黑桃", "♡": "红桃", "♢": "方块", "♧": "梅花"}
_DATED = re.compile("测[定年]|断代|年代|同位素|放射|呼气|标记")
_TURNED = re.compile("魔方|公式|顺时针|逆时针|复原")


def card(match: Match) -> str:
    """Returns a playing card in Chinese: ♤10 -> 黑桃10."""
    rank, suit = rank_and_suit(match)
    return _SUITS[suit] + rank


def carbon(match: Match) -> str:
    """Returns an isotope of carbon in Chinese, in a text about measurements: C-14测定 -> 碳14测定."""
    return f"碳{match[1]}" if _DATED.search(beside(match, 20)) else match[0]


def turn(match: Match) -> str:
    """Returns a turn of a puzzle cube backwards in words: R' -> R撇."""
    return f"{match[1]}撇 " if _TURNED.search(beside(match, 40)) else match[0]


def shillings(match: Match) -> str:
    """Returns an amount of British money from before 1971 in words: £2 10s 6d -> 两英镑十先令六便士."""
    names = ("英镑", "先令", "便士")
    return "".join(
        counted(number, "个") + name for number, name in zip(match.groups(), names, strict=True) if number
    )


TRADES: list[Row] = [
    ("cards", CARD, card),
    ("isotope", r"(?<![A-Za-z\d])C-(1[34])(?!\d)", carbon),
    ("ion", r"(?<![A-Za-z])(OH|Cl|Br|SCN|ClO|MnO4|H?[NCS]O[34]|Cr2O7)(2?)-(?![\w-])", r"\1 \2负"),
    (
        "result",
        r"(?<=[血白原体糖酮验菌征gbM])[（(]([+-])[)）]",
        lambda m: "阳性" if m[1] == "+" else "阴性",
    ),
    ("orbital", r"(?<![A-Za-z])sp([²³])", lambda m: f"sp{plain_exponent(m[1])}"),
    ("turn", r"(?<![A-Za-z])([RULDFB])'(?![A-Za-z])", turn),
    ("pulse", r"([次拍转滴])/分(?![钟之])", r"\1/分钟"),
    ("geometry", "∽", "相似于"),
    ("geometry", "[≌≅]", "全等于"),
    ("geometry", r"[φΦøØ⌀] ?(?=\d)", "直径"),
    ("key", r"([A-Ga-g](?<![A-Za-z].))♭", r"降\1"),
    ("key", r"([A-Ga-g](?<![A-Za-z].))♯", r"升\1"),
    ("key", r"♭ ?(?=[A-Ga-g1-7])", "降"),
    ("key", r"♯ ?(?=[A-Ga-g1-7])", "升"),
    ("statistics", r"[χΧ](?:²|\^?2(?![\d.]))", "卡方"),
    ("old money", r"£ ?(\d{1,4})[ .]{1,2}(1?\d)s\.?(?: ?(1[01]|\d)d\.?)?(?![A-Za-z\d])", shillings),
    ("exposure", r"(?<![\dA-Za-z])-(?=\d/\d ?EV)", "负"),
    ("watts", r"(?<![\d/])(\d/\d) ?W(?![A-Za-z])", r"\1瓦"),
    ("paper", r"(\d{3,4}[×xX*]\d{3,4}(?:mm|毫米)?) ?1/(\d{1,2})(?!\d)", r"\1，\2开"),
    ("network address", r"((?:\d{1,3}\.){3}\d{1,3})/(\d{1,2})(?![\d/])", r"\1斜杠\2"),
]
