"""Tests whether a Chinese pair of numbers with a mark between them, such as 3-5, 21:15 or 3/4, is a score, a
ratio, a time of day, a difference, a fraction or a span."""

from __future__ import annotations

import re

from speech_text.default.number_tagger import Figure, by_name, runs

_SCORE = re.compile(
    "比分|总分|[胜败输赢]|负于|告负|[战打追逼扳]平|[打战追]成|领先|落后|淘汰|逆转|横扫|不敌|轻取|力克|反超|拿下|以$"
    "|打出|赛点|半场|主场|开局|抢七|系列赛"
)
_RATIO = re.compile("坡|比[分例率值是为]?$|兑|[局盘]|按照?$|比例|配比|画面|尺寸|稀释")
_CLOCK = re.compile("(?:[于在到从至]|[早晚夜][上里间]?|[上下中]午|时间|[日号天]|周.|定于?|前后)[：: ]*$")
_BY_CLOCK = re.compile(" ?分?[,，]? ?(?:开|起飞|出发|到达|抵达|准时|见|发车|直播|截止|左右|[前后])")
_PAIRS = re.compile(r"(?:\d{1,3} ?[-:] ?\d{1,3}[、，, 和及与/]{1,2}){1,9}$")
_MORE_PAIRS = re.compile(r"(?:[、，, 和及与/]{1,2}\d{1,3} ?[-:] ?\d{1,3}(?![\d-])){1,9}")
_COUNTED = re.compile(" ?(?:[名位个天年人月岁周斤块元米种件折]|小时)")
_DIFFERENCE = re.compile(r"\s*(?:等于|是多少|得几|的差|的结果|[=≠≈<>+*×÷])")
_SUM = re.compile("(?:[=+*×÷√]|考我|口算|计算|算式)[：: ]*$")
_APART = re.compile("(?:血压|视力)[^，。]{0,6}$|第$|[A-Za-z](?<![GR])$|[A-Za-z]{2} $")


def _clause(figure: Figure) -> tuple[str, str]:
    """Returns the texts before and after the number `figure`, at most 12 characters each: the text before
    within its clause, the text after within its sentence. Other pairs of numbers next to it are left out
    (比分为11-9、8-11、...)."""
    lead, rest = _PAIRS.sub("", figure.lead)[-12:], _MORE_PAIRS.sub("", figure.rest, count=1)[:12]
    return re.split("[，。；！？,;]", lead)[-1], re.split("[。；！？;]", rest)[0]


def _is_score(lead: str, rest: str) -> bool:
    return bool(_SCORE.search(lead) or _SCORE.search(rest.removesuffix("以")))


def compared(figure: Figure) -> bool:
    """Returns whether the number `figure` is a score or a ratio. Next to 击败 (beats) or 比例 (ratio) 21:15
    is one; next to 晚上 (evening) it is a time of day."""
    lead, rest = _clause(figure)
    listed = f"{figure.last_kind}{figure.lead[-1:]}" in ("ratio/", "ratio、")
    if listed or _RATIO.search(lead[-6:]):
        return True
    return not (_CLOCK.search(lead) or _BY_CLOCK.match(rest)) and _is_score(lead, rest)


def scored(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 3-2, is a score. A word of sport (战胜, 赛点) or another
    score stands next to it, or a number in brackets follows. Before a word such as 人, 天 or 分 it is no
    score."""
    if _COUNTED.match(figure.rest) or re.match(" ?[球分]", figure.rest):
        return False
    between = figure.line[figure.last.figure.end : figure.start] if figure.last else ""
    follows = figure.last_kind in ("score", "ratio") and re.fullmatch("[、，,和及与/ ]{1,2}", between)
    return bool(follows or _is_score(*_clause(figure)) or re.match("[，(（]\\d{1,2}[)）]", figure.rest))


def subtracted(figure: Figure) -> bool:
    """Returns whether the hyphen of the number `figure` is a minus sign, because the text next to it is about
    a sum, as in 5-3等于几 (how much is 5-3)."""
    return bool(_DIFFERENCE.match(figure.rest) or _SUM.search(figure.lead[-12:]))


def falling(figure: Figure) -> bool:
    """Returns whether the second number of the number `figure` is not larger than its first, and no measure
    word follows that scores do not count (5-3天, 12-2月)."""
    first, second = map(float, re.findall(r"\d+(?:\.\d+)?", figure.text))
    return first >= second and not _COUNTED.match(figure.rest)


def two(figure: Figure) -> bool:
    """Returns whether the number `figure`, which has a slash, is two separate numbers and no fraction. The
    text next to it or its unit may tell so (血压120/80, 8/9号楼, 120/80mmHg). Else it is two if both numbers
    are equal (except 4/4拍), or if the first one is the larger one and above 20. It is also two if both are
    20 or more."""
    first, second = map(int, runs(figure.text)[-2:])
    rest = figure.rest
    return bool(
        figure.text.endswith(("mmHg", "毫米汞柱"))
        or _APART.search(figure.lead[-12:])
        or (first == second and not rest.startswith("拍"))
        or (rest[:1] in tuple("层页楼集关题章节") and second > 5)
        or (first > 1 and second > 10 and re.match(" ?(?:个[月小]|[天周年岁月])", rest))
        or min(first, second) >= 20
        or (first > second and first > 20)
    )


TESTS = by_name(compared, scored, subtracted, falling, two)
