"""Functions that test a Chinese number by the words next to it, so that its class is found. The table of
number classes names them."""

from __future__ import annotations

import re

from speech_text.default.chinese.numbers import takes_liang
from speech_text.default.number_tagger import Figure, by_name

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


def uncounted(figure: Figure) -> bool:
    return not _is_counted(figure)


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


TESTS = by_name(called, names, uncounted, no_amount, uncounted_year, like_the_last, chat)
