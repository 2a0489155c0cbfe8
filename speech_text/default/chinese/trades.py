"""Chinese rules for the signs of trades and pastimes: chemistry, geometry, music, cards, optics, printing."""

from __future__ import annotations

import re
from collections.abc import Callable

from speech_text.default.characters import CARD, rank_and_suit
from speech_text.default.chinese.numbers import cardinal
from speech_text.default.table import Match, Row, before, beside

_BIDDING = re.compile("[开争应再]叫|叫[到牌品]|定约|成局|满贯|加到|桥牌|\\dNT")
_SUITS = {"♤": "黑桃", "♡": "红桃", "♢": "方块", "♧": "梅花"}
_SIGNS = {"∽": "相似于", "≌": "全等于", "≅": "全等于", "∀": "任意", "∃": "存在", "⇔": "等价于"}
_TERM = "(?:π?[xyznabrαβθλ]|π)[²³]?"
_END = r"([-+]?[\w√π∞/.]{1,6})"  # of an interval


def card(match: Match) -> str:
    """Returns a playing card in Chinese: ♤10 -> 黑桃10. Where bids are told, 2♡ -> 2红桃."""
    rank, suit = rank_and_suit(match)
    bid = match[1] and _BIDDING.search(beside(match, 40))
    return rank + _SUITS[suit] if bid else _SUITS[suit] + rank


def near(words: str, said: str) -> Callable[[Match], str]:
    """Returns a function that returns `said` for a match with one of `words` in the 40 characters to either
    side, and any other match as it is."""
    found = re.compile(words).search
    return lambda match: match.expand(said) if found(beside(match, 40)) else match[0]


def quotient(match: Match) -> str:
    """Returns a fraction with a letter or a root in Chinese: 4x/3 -> 三分之4x, 1/n² -> n²分之一."""
    minus, above, below, factor, number, term = match.groups("")
    said = f"{cardinal(below)}{factor}分之{above}" if above else f"{term}分之{cardinal(number)}"
    return ("减" if minus else "") + said


def absolute(match: Match) -> str:
    """Returns an absolute value in Chinese: |x-1| -> x减1的绝对值. In a text about complex numbers or vectors
    |z| is z的模. A minus sign within, before or behind it is said as well."""
    name = "模" if re.search("复数|向量", before(match, 40)) else "绝对值"
    outer = match[1] and ("减" if re.match(r"[A-Za-z\d)]", before(match, 1)) else "负")
    inner = re.sub("^-", "负", re.sub(r"(?<=[\w²³)])-", "减", match[2]))
    return f"{outer}{inner}的{name}{'减' * bool(match[3])}"


TRADES: list[Row] = [
    ("cards", CARD, card),
    ("isotope", r"(?<![A-Za-z\d])C-(1[34])(?!\d)", near("测[定年]|断代|年代|同位素|放射|呼气|标记", r"碳\1")),
    (
        "result",
        r"(?<=[血白原体糖酮验菌征酸超试查gbphA-Z\d])[（(]([+-])[)）]",
        lambda m: "阳性" if m[1] == "+" else "阴性",
    ),
    ("derivative", r"['′](?<=[A-Za-z].)(?<![A-Za-z]{2}.)(?<!'[A-Za-z].)(?=[(（=+])", "撇 "),
    ("limit", r" ?→(?:(?<=[a-z\d)θ]→)|(?=[+-]?[∞\d])) ?", near("∞|lim|极限|当 ?Δ?[a-zθ]→?[0-9+-]", "趋于")),
    (
        "interval",
        rf"[\[(](?:(?<=[∈间在].)|(?=[^\])]{{1,12}}(?:[\])](?:[上内段组](?!方)|的[有人频])|∞)))"
        rf"{_END}[,，] ?{_END}[\])](?![处点班])",
        r"\1到\2",
    ),
    (
        "absolute value",
        r"(-?)\|(?<![A-Za-z|模]\|)([\w.α-ω√²³()+*/-]{1,14})\|(?=[-+=<>≤≥×÷*/²的,，。；、和与等]|表示|$)(-?)",
        absolute,
    ),
    (
        "quotient",
        rf"((?<=[\w²³)])-)?(?<![A-Za-z\d./$¥￥€£])(?:(\d{{0,3}}{_TERM}|√(?:\d{{1,3}}|{_TERM}))/(\d{{1,3}})({_TERM})?"
        rf"|(\d{{1,3}})/({_TERM}|(?<==\d/)[A-Z]))(?![A-Za-z\d./²³])",
        quotient,
    ),
    (
        "move",
        r"(?<![\w.])(\d{1,3})\.{1,3} ?"
        r"(?=[KQRBN]?[a-h]?x?[a-h][1-8](?!\d)|O-O|[车马炮兵卒相象士仕][一二三四五六七八九1-9][进退平])",
        r"，\1，",
    ),
    ("times", r"(?<=\d)[xX](?![A-Za-z\d])", near("估值|P/?[EBS]|EV/|市[盈销净]率|杠杆", "倍")),
    ("pulse", r"([次拍转滴])/分(?![钟之])", r"\1/分钟"),
    ("geometry", "[∽≌≅∀∃⇔]", lambda m: _SIGNS[m[0]]),
    ("geometry", r"[φΦøØ⌀] ?(?=\d)", "直径"),
    ("key", r"♭ ?(?=[A-Ga-g1-7])", "降"),
    ("exposure", r"(?<![\dA-Za-z])-(?=\d/\d ?(?:EV|档))", "负"),
    ("knots", r"(?<=\d) ?kt(?![A-Za-z/])", near("风[速力向]|[阵侧顺逆大强台]风|METAR|[航空表地]速", "节")),
    ("weeks", r"[wW](?:(?<=孕\d.)|(?<=孕\d\d.)|(?=\+[0-6](?![\d.kwKW万])))", near("孕|胎|产检|剖", "周")),
    (
        "masked",
        r"×{2,18}|×(?:(?=[年月日县村市省路号条区])(?<![\d)]×)|(?<=[李张王刘陈赵孙吴郑黄徐朱杨]×)(?! ?\d))",
        lambda m: "*某"[not re.search(r"\d{3}$", before(m))] * len(m[0]),
    ),
    ("temperatures", r"/(?<=\d/)(?=-?\d{1,3}(?:\.\d)? ?°C)", "~"),
    ("number sign", r"#(?<=\d{4}#)", near("密码|门禁", "井号")),
]
