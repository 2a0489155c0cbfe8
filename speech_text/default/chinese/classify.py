"""Functions that test a Chinese number by the words next to it, so that its class is found. The table of
number classes names them."""

from __future__ import annotations

import re

from speech_text.default.chinese.numbers import takes_liang
from speech_text.default.number_tagger import Figure, Test, by_name, runs

# Words after a price, however many digits it has.
_PRICED = re.compile(
    " ?(?:元|块钱|[多余][元块]|[美欧日港]元|平|左右"
    "|以[上下内]|起(?!来|床|飞)|出头|一(?:个月|[晚天年])|低消|包邮)"
)
_CALLED = re.compile(
    '(?:[打叫拨]|[拨致来]电|呼叫|报警|火警|急救|电话|热线|客服|联系|发送到|短信)[了过个：: “"]{0,2}$'
)
_ANSWERS = re.compile(
    '[”"]? ?(?:查号|客服|热线|电话|专线|平台|报警|急救|火警|短信'
    "|投诉|举报|报修|服务|人工|官网|查询|咨询|紧急|救援|中心|指挥|接警|来了|马上到)(?!.?费)"
)
_COUNTED = re.compile("[第共约了有超近达到为是价号计比满加卖要]$|加上$")
_ANNOUNCED = re.compile(
    r"(?:[共约票价量数额格¥￥$€=×+*/<>≥≤满减超近达增降涨跌省赚付卖售花给补奖罚费重投卡租剩]|[薪工]资|显示|"
    r"[近超高]过|不[足到]|只要|仅|[总合]计|[到下]手"
    r"|一年|[惠券]后)[了约近到达出至为]? ?$"
)
# Of pairs of numbers, such as 3-5, 21:15 and 3/4.
_SCORE = re.compile(
    "比分|总分|[胜败输赢]|负于|告负|[战打追逼扳]平|[打战追]成|领先|落后|淘汰|逆转|横扫|不敌|轻取|力克|反超|拿下|以$"
    "|打出|赛点|半场|主场|开局|抢七|系列赛"
)
_RATIO = re.compile("坡|比[分例率值是为]?$|兑|[局盘]|按照?$|比例|配比|画面|尺寸|稀释")
_CLOCK = re.compile("(?:[于在到从至]|[早晚夜][上里间]?|[上下中]午|时间|[日号天]|周.|定于?|前后)[：: ]*$")
_BY_CLOCK = re.compile(" ?分?[,，]? ?(?:开|起飞|出发|到达|抵达|准时|见|发车|直播|截止|左右|[前后])")
_PAIRS = re.compile(r"(?:\d{1,3} ?[-:] ?\d{1,3}[、，, 和及与/]{1,2}){1,9}$")
_MORE_PAIRS = re.compile(r"(?:[、，, 和及与/]{1,2}\d{1,3} ?[-:] ?\d{1,3}(?![\d-])){1,9}")
_COUNTED_PAIR = re.compile(" ?(?:[名位个天年人月岁周斤块元米种件折]|小时)")
_APART = re.compile("(?:血压|视力)[^，。]{0,6}$|第$|[A-Za-z](?<![GR])$|[A-Za-z]{2} $")


def _is_counted(figure: Figure) -> bool:
    return takes_liang(figure.rest.lstrip()) or figure.rest[:1] in ("多", "余")


def called(figure: Figure) -> bool:
    """Returns whether the number `figure` is a telephone number: a word for calling stands before it
    (拨打110), or the name of a service follows (12345热线)."""
    calls = _CALLED.search(figure.lead) and not _is_counted(figure)
    return bool(calls or _ANSWERS.match(figure.rest))


def names(figure: Figure) -> bool:
    """Returns whether the number `figure` is a name and counts nothing: no price follows,
    and it has five characters or more, or no noun that can be counted follows."""
    return not _PRICED.match(figure.rest) and (len(figure.text) > 4 or not _is_counted(figure))


def no_amount(figure: Figure) -> bool:
    return not (_is_counted(figure) or _ANNOUNCED.search(figure.lead))


def uncounted_year(figure: Figure) -> bool:
    """Returns whether the number `figure` is a year, as in 2025我们一起: nothing tells that it is an amount.
    The number 2000 is a year only after a word such as 从 or 在."""
    if figure.text == "2000" and not re.search("[从自到在于至年]$", figure.lead):
        return False
    told = re.search("(?:都|已经)_[了还就]", f"{figure.lead}_{figure.rest}")
    return bool(told) or (no_amount(figure) and not _PRICED.match(figure.rest))


def like_the_last(figure: Figure) -> bool:
    """Returns whether the number `figure` is a name like the number before it: 625与626, 4070比3080. The
    number before was read digit by digit and has as many digits, and no noun that can be counted follows
    `figure`."""
    like = re.fullmatch(f"[零幺一二三四五六七八九]{{{len(figure.text)}}}", figure.last_said)
    return bool(like) and not _is_counted(figure)


def chat(figure: Figure) -> bool:
    """Returns whether the number `figure` is slang of chats: it begins with 233, is one digit three times or
    more (666), or begins its clause (88, 520). After a word such as 共 or 第 the number counts something and
    is no slang."""
    alone = not figure.lead.strip() or figure.lead[-1] in "，。！？~～!, 、“‘\"'"
    laughs = figure.text.startswith("233")
    sounds = laughs or (len(set(figure.text)) == 1 and len(figure.text) > 2)
    told = laughs and figure.lead.endswith(("了", "全是", "都是", "一片"))
    return told or ((sounds or alone) and not _COUNTED.search(figure.lead))


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
    if _COUNTED_PAIR.match(figure.rest) or re.match(" ?[球分]", figure.rest):
        return False
    between = figure.line[figure.last.figure.end : figure.start] if figure.last else ""
    follows = figure.last_kind in ("score", "ratio") and re.fullmatch("[、，,和及与/ ]{1,2}", between)
    return bool(follows or _is_score(*_clause(figure)) or re.match("[，(（]\\d{1,2}[)）]", figure.rest))


def falling(figure: Figure) -> bool:
    """Returns whether the second number of the number `figure` is not larger than its first, and no measure
    word follows that scores do not count (5-3天, 12-2月)."""
    first, second = map(float, re.findall(r"\d+(?:\.\d+)?", figure.text))
    return first >= second and not _COUNTED_PAIR.match(figure.rest)


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


TESTS: dict[str, Test] = by_name(
    *(called, names, no_amount, uncounted_year, like_the_last, chat, compared, scored, falling, two),
) | {"uncounted": lambda figure: not _is_counted(figure)}
