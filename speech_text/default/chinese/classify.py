"""Functions that test a Chinese number by the words next to it, so that its class is found. The table of
number classes names them."""

from __future__ import annotations

import re

from speech_text.default.chinese.numbers import takes_liang
from speech_text.default.chinese.units import CODES
from speech_text.default.number_tagger import Figure, by_name

_NUMBER_NOUNS = re.compile(
    "起(?!诉)|[元块万亿千百多余几个名位人次条件例家只台场局把盘轮年月日天度点分秒倍%‰℃°]|公里|千米|米|美元|小时|分钟|kg|km|GB|MB"
)
# Words after an amount or a price, however many digits it has.
_PRICED = re.compile(
    " ?(?:元|块钱|[多余][元块]|[美欧日港]元|平|左右|以[上下内]|起(?!来|床|飞)|出头|一(?:个月|[晚天年])"
    "|低消|包邮)"
)
_CALLED = re.compile(
    "(?:打|叫|拨|拨通|拨打|致电|来电|呼叫|报警|电话|热线|客服|急救|火警|联系|回拨|发送到|发送至|短信|拨号)"
    '[了过个：: “"]{0,2}$'
)
_SERVICES = (
    "查号|客服|热线|电话|专线|平台|报警|急救|火警|短信|投诉|举报|服务"
    "|报修|抢修|挂失|预约|缴费|人工|官网|查询|咨询|求助|救援|APP|中心|指挥|接[线警]|来电|坐席"
)
_ANSWERS = re.compile(rf"[”\"]? ?(?:{_SERVICES})(?!.?费)")
_COMES = re.compile(
    "来[了的得接救拉送]|到[了得场达现]|出警|赶[到来]|(?:都|已经|还没|很快|马上|也|就)(?:来|到|出警|赶)"
)
_EMERGENCY = ("110", "119", "120", "122")
_SWITCHBOARD = re.compile("电话|分机|总机|前台|座机|热线|客服|人工|[拨打按]|号码")
_KEY = re.compile(" ?(?:号|键|接|转|#|，|。)")
_LINE = re.compile(" ?(?:号|分机|人工|接|键)")
_FETES = {
    "5.1": re.compile("放假|劳动节|假期|长假|小长假|期间|黄金周|节"),
    "5.4": re.compile("运动|青年节|节"),
    "6.1": re.compile("儿童节|节"),
    "10.1": re.compile("[都也就]?[要会不没]*(?:放假|加班|调休|出去|回家)|国庆|假期|长假|期间|黄金周"),
    "9.11": re.compile("事件|恐怖|袭击|恐袭"),
    "3.8": re.compile("妇女节|节|国际"),
    "9.18": re.compile("事变|纪念"),
}
_COUNTED = re.compile("[第共约了有超近达到为是价号计比满加卖要]$|加上$")
_IS_AMOUNT = re.compile(
    " ?(?:[多余来几%％‰°℃日月号级路床栋]|分之|起|"
    "以[上下内]|[A-Za-z]*/|[kKwWMGT](?![A-Za-z])"
    "|ms|km|mm|cm|kg|ml|mL|mg|RMB|VS|左右|毫|平方|立方|出头|大卡|千|字|元|积分|用户|QPS)"
)
_ANNOUNCED = re.compile(
    r"(?:[共约票价量数额格¥￥$€=×+*/<>≥≤满减超近达增降涨跌省赚付卖售价花给补奖罚]|[近超高]过|不[足到]"
    r"|多达|只要|"
    r"仅|总计|合计|[到下]手|[费重投卡]|一年|余额显示|[惠券]后)[了约近到达出至为]? ?$"
)


def called(figure: Figure) -> bool:
    """Returns whether the number `figure` is a telephone number: a word for calling stands before it
    (拨打110), the name of a service follows (12345热线), or it is an emergency number whose service comes
    (120来了)."""
    calls = _CALLED.search(figure.lead) and not _NUMBER_NOUNS.match(figure.rest)
    comes = figure.text in _EMERGENCY and _COMES.match(figure.rest)
    return bool(calls or comes or _ANSWERS.match(figure.rest))


def extension(figure: Figure) -> bool:
    """Returns whether the number `figure` is the extension of a telephone number (转801), and not an amount
    of money that is sent (转500给你). A telephone number stands just before it, or a word such as 总机 or
    分机 next to it. A number after 按 (press) is one if a word such as 号 or 键, a comma or a full stop
    follows."""
    if figure.lead.endswith("按"):
        return bool(_KEY.match(figure.rest))
    if figure.last and figure.last_kind == "telephone" and figure.last.figure.end == figure.start - 1:
        return True
    return bool(_SWITCHBOARD.search(figure.lead[-13:-1]) or _LINE.match(figure.rest))


def names(figure: Figure) -> bool:
    """Returns whether the number `figure` is a name and counts nothing: no price follows,
    and it has five characters or more, or no noun that can be counted follows."""
    if _PRICED.match(figure.rest):
        return False
    return len(figure.text) > 4 or not (_NUMBER_NOUNS.match(figure.rest) or takes_liang(figure.rest))


def uncounted(figure: Figure) -> bool:
    return not takes_liang(figure.rest.lstrip()) and figure.rest[:1] not in ("多", "余")


def no_currency(figure: Figure) -> bool:
    return uncounted(figure) and figure.lead[-3:] not in CODES


def no_amount(figure: Figure) -> bool:
    return not (
        takes_liang(figure.rest.lstrip()) or _IS_AMOUNT.match(figure.rest) or _ANNOUNCED.search(figure.lead)
    )


def day(figure: Figure) -> bool:
    month, day = map(int, re.split(r"\D", figure.text))
    return 1 <= month <= 12 and 1 <= day <= 31


def fete(figure: Figure) -> bool:
    """Returns whether the number `figure` is the date of a holiday or an event, because the name follows: 5.1
    before 劳动节, 9/11 before 事件."""
    words = _FETES.get(re.sub("[·/]", ".", figure.text))
    return bool(words and words.match(figure.rest))


def like_the_last(figure: Figure) -> bool:
    """Returns whether the number `figure` is a name like the number before it: 625与626, 4070比3080. The
    number before was read digit by digit and has as many digits, and no noun that can be counted follows
    `figure`."""
    like = re.fullmatch(f"[零幺一二三四五六七八九]{{{len(figure.text)}}}", figure.last_said)
    counted = takes_liang(figure.rest.lstrip()) or figure.rest[:1] in tuple("多余万亿元块倍")
    return bool(like) and not counted


def chat(figure: Figure) -> bool:
    """Returns whether the number `figure` is slang of chats: it begins with 233, is one digit three times or
    more (666), or begins its clause (88, 520). After a word such as 共 or 第 the number counts something and
    is no slang."""
    alone = not figure.lead.strip() or figure.lead[-1] in "，。！？~～!, 、“‘\"'"
    sounds = (len(set(figure.text)) == 1 and len(figure.text) > 2) or figure.text.startswith("233")
    laughs = figure.text.startswith("233") and figure.lead.endswith(("了", "全是", "都是", "一片"))
    return laughs or ((sounds or alone) and not _COUNTED.search(figure.lead))


TESTS = by_name(called, extension, names, uncounted, no_currency, no_amount, day, fete, like_the_last, chat)
