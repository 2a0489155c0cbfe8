"""Chinese: figures that are dialled or given digit by digit: telephones, codes, rooms, flights, roads."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.figures import Class, Figure
from glm_tts_api.text.default.spelling import PHONE_DIGITS
from glm_tts_api.text.default.table import Row
from glm_tts_api.text.default.telephones import groups, telephones

_SERVICES = (
    "查号|客服|热线|电话|专线|平台|报警|急救|火警|短信|投诉|举报|服务"
    "|报修|抢修|挂失|预约|缴费|人工|官网|查询|咨询|求助|救援|APP|中心|指挥|接线|来电|坐席"
)
_PHONE_WORDS = "电话|手机号?|号码|拨打|致电|热线|客服|传真|座机|总机|ISBN"
_ID_WORDS = (
    "电话|手机号?|端口号?|port|号码|拨打|致电|热线|客服|传真|座机|分机|QQ群?|微信号?"
    "|群号|[账帐][号户]|[卡单编学工证房座票批柜箱]号"
    "|身份证号?码?|尾数|工单|订单号?|运单号?|快递单?号?|单据|流水号|邮编"
    "|邮政编码|密码|口令|验证码|校验码|取件码|兑换码|邀请码"
    "|提货码|动态码|代码|车牌号?|牌照|尾号为?|[前后末][4四6六]位|序列号"
    "|编码|条码|芯片|处理器|型号|机型|航班号?|车次|会议号|会议ID|房间|教室|病房|包间|包厢"
    "|门牌号?|展位号?|[车工泊]位号?|摊位|铺位|柜台|储物柜|档口|商铺|客房|套房|会议室|诊室|办公室|登机口|机房|Building|Room|Suite|警号|户号|代号|桌号|台号|车号|ISBN|ID|PIN|VIN|SN|Tel|TEL|UID|IMEI"
)
_GAP = (
    r"(?:[^\d\n\u4e00-\u9fffa-z]{0,3}|[，,]? ?[是为在][：: ]?|（[^）\d]{0,6}）[：:]?"
    "|[a-z]{1,3}[- ]?|号[：:是为]?)"
)
_NUMBER_NOUNS = re.compile(
    "[元块万亿千百多余几个名位人次条件家只台年月日天度点分秒倍%‰℃°]|公里|千米|米|美元|小时|分钟|kg|km|GB|MB"
)
_AIRLINES = (
    "3U|8L|9C|AA|AC|AF|AK|BA|BK|BR|CA|CI|CX|CZ|DL|DR|EK|EU|EY|FM"
    "|G5|GJ|GS|HO|HU|HX|JD|JL|KE|KL|KN|KY|LH|MF|MH|MU|NH"
    "|NS|NZ|OZ|PN|QF|QR|QW|SC|SQ|TG|TK|TR|TV|UA|UO|UQ|VN|ZH"
)
_CALLED = re.compile(
    "(?:打|拨|拨通|拨打|致电|来电|呼叫|报警|电话|热线|客服|急救|火警|联系|回拨|发送到|发送至|短信|拨号)"
    '[了过个：: “"]{0,2}$'
)
_ANSWERS = re.compile(rf"[”\"]? ?(?:{_SERVICES})")
_COMES = re.compile("来[了的得]|(?:都|已经|还没|很快|马上|也|就)?(?:来|到|出警|赶)")
_EMERGENCY = ("110", "119", "120", "122")
_SWITCHBOARD = re.compile("电话|分机|总机|前台|座机|热线|客服|人工|[拨打按]|号码")
_KEY = re.compile(" ?(?:号|键|接|转|#|，|。)")
_LINE = re.compile(" ?(?:号|分机|人工|接|键)")
_SHARE = re.compile("股|涨|跌|收[盘报于]|今天收|市盈率|仓|停牌|代码|开盘|大盘|板块|买入|卖出")


def telephone(number: str) -> str:
    """Digits as a number to dial, a pause between its groups."""
    number, _, extension = number.partition("转")
    plus = "加" if number.startswith("+") else ""
    spoken = plus + "，".join(map(numbers.dialled, groups(number)))
    return f"{spoken}，转{numbers.dialled(extension)}" if extension else spoken


def grouped(number: str) -> str:
    """Digits with a pause between their groups."""
    return re.sub(r"\D+", "，", number).translate(PHONE_DIGITS)


def dashed(number: str) -> str:
    """杠 for a hyphen, a pause for a blank."""
    return numbers.dialled(number).replace("-", "杠").replace(" ", "，")


def rooms(number: str) -> str:
    """3-1-1202: building, unit and room."""
    parts = number.split("-")
    return "杠".join(numbers.dialled(part) if len(part) > 2 else numbers.cardinal(part) for part in parts)


def span(number: str) -> str:
    """1201-1203室: from one room to another."""
    return "到".join(map(numbers.dialled, re.findall("[0-9]+", number)))


def _counts(figure: Figure) -> bool:
    return bool(_NUMBER_NOUNS.match(figure.rest)) or numbers.takes_liang(figure.rest)


def _is_called(figure: Figure) -> bool:
    """110, 10086: where someone calls it or is reached there."""
    calls = _CALLED.search(figure.lead) and not _NUMBER_NOUNS.match(figure.rest)
    comes = figure.text in _EMERGENCY and _COMES.match(figure.rest)
    return bool(calls or comes or _ANSWERS.match(figure.rest))


def _is_extension(figure: Figure) -> bool:
    """转801: where a telephone is spoken of; else a sum is sent (转500给你)."""
    if figure.lead.endswith("按"):
        return bool(_KEY.match(figure.rest))
    return bool(_SWITCHBOARD.search(figure.lead[-13:-1]) or _LINE.match(figure.rest))


def _is_share(figure: Figure) -> bool:
    """600519: where prices are told."""
    return bool(_SHARE.search(figure.lead[-12:] + figure.rest[:12])) and not figure.text.endswith("000")


def _names(figure: Figure) -> bool:
    return len(figure.text) > 4 or not _counts(figure)


_NO_AMOUNT = "(?! ?[元块万亿个人名位次件台])"
_ROOM = (
    "号?(?:室|房间|房(?![贷价租款])|包间|包厢|会议室|教室|病房|寝室|宿舍|办公室|实验室|考场|诊室|铺|那[家户间]|门)"
    "|号(?:展位|[车工床摊铺泊]位|档口|柜|法庭|阅览室|机房|演播|影厅|候诊|手术|套房|客房|商铺|信箱|船?舱)"
)
_SERIAL = r"(?:[3-9]|\d\d+)(?:-\d+| (?:[2-9]|\d\d+))*"
_LODGES = (
    r"(?:入?住(?:在|进|的是)?|搬到|搬进|[你接]上来|上到)[^，。\d元价率人数量晚天]{0,4}"
    "|[0-9零一二三四五六七八九十](?:号?[栋幢座楼]|单元|层)[，, 的]{1,2}"
)
_GOES = "(?:^|[^降涨升减增加跌长提累缩花存攒])到|[在去来回进往]"
_MEETS = "集合|开会|上课|自习|考试|面试|报到|办公|吃饭|聚餐|等[我你他她着]|找|门口|见面?[，。！吧]"
_BUILDING = r"(?:房间|门牌|[栋幢楼层]|[A-Za-z\d东西南北主]座|单元) ?"
_NO_UNIT = "(?![元块万平米个人名]| ?(?:V|W|k[Wgm]|[cm]?m|[KMGT]B|Hz)(?![a-z]))"

DIALLED = [
    Class("code", "[5-9]|1[0-9]|20", numbers.dialled, after="[\u4e00-\u9fff]号[：:为是 ]{0,2}"),
    *telephones(telephone),
    Class("masked number", r"[2-6]\*+[2-4]", grouped),
    Class(
        "extension",
        "[34]",
        numbers.dialled,
        after="[转拨按](?:分机|接)?",
        before="(?! ?[元块万亿个人名位次美%％A-Za-z])",
        when=_is_extension,
    ),
    Class("extension", "1", numbers.digits, after="转", before=" ?号?键|[。，]|$"),
    Class(
        "short telephone number",
        "5",
        numbers.dialled,
        text="100(?:86|10)|123(?:06|15|45|66|33|20|69|88)|955(?:33|55|66|77|88|99)",
        before="(?! ?[元块万亿个人名位次条米吨件台])",
    ),
    Class(
        "short telephone number",
        "[3568]",
        numbers.dialled,
        text=r"1(?:[0-2]\d|[02]\d{3}|[06]\d{6})|9(?:99|11|[56]\d{3,4})",
        when=_is_called,
    ),
    Class("identifier", _SERIAL, grouped, after=rf"(?i:{_PHONE_WORDS}){_GAP}", drop="-", when=_names),
    Class("identifier", _SERIAL, dashed, after=rf"(?i:{_ID_WORDS}){_GAP}", drop="-", when=_names),
    Class("grouped digits", "4(?: 4){2,4}(?: [1-3])?", grouped),
    Class("room", "[34]", numbers.dialled, before=_ROOM),
    Class("rooms", "[34][-~～至到][34]", span, after="[栋座幢楼层室房]", before="(?![元块万平米个人名])"),
    Class("room", "[34]", numbers.dialled, text="[1-9].*", after=_LODGES, before="[，。！？、吧找]|$"),
    Class("room", "[34]", numbers.dialled, text="[1-9].*", after=_GOES, before=_MEETS),
    Class("room", "[1-3]-[12]-[34]", rooms),
    Class("room", "(?:[1-3]-)?[34]", rooms, after=_BUILDING, before=_NO_UNIT),
    Class("room", "[12]-[34]", rooms, before="室|房"),
    Class(
        "flight", "[34]", numbers.dialled, after=rf"\b(?:{_AIRLINES})[ -]?", before="(?![A-Za-z])", drop=" -"
    ),
    Class(
        "flight",
        "[34]",
        numbers.dialled,
        after=r"\b[A-Z]{1,2} ?",
        before=" ?(?:次(?![/每])|航班|号航班|列车|高铁|动车)",
        drop=" ",
    ),
    Class("train", "[34]", numbers.dialled, after=r"\b[GDKS]", before="(?![A-Za-z%])"),
    Class("road", "3", numbers.dialled, before="国道|省道|县道|路公交|路车|路公共|线公交|路电车"),
    Class("road", "3", numbers.dialled, after="[坐乘等换搭]", before="路"),
    Class("security code", "6", numbers.digits, text="[036]0.*", before=r"[.．](?:SH|SZ|HK)\b"),
    Class("security code", "[56]", numbers.digits, text=r"[0368]0?\d*", after="[（(]", before="[)）]"),
    Class(
        "security code",
        "[56]",
        numbers.digits,
        text="[036](?:0....|88...)",
        after="[\u4e00-\u9fff（(]",
        before="(?! ?[元块万亿个人名位次件台])",
        when=_is_share,
    ),
]

_CODE_WORDS = (
    "[单证税牌编账帐会员订卡款货机]号|快递单号|订单号|车牌号?|序列号"
    "|验证码|激活码|兑换码|邀请码|提取码|SN|密码"
)
LETTERED: list[Row] = [
    (
        "plate",
        r"([A-Z](?<=[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼].))([·• ]?)"
        r"([A-Z\d]{5,6})(?![A-Za-z\d])",
        lambda m: m[1] + numbers.digits(m[3]),
    ),
    (
        "code",
        rf"(?:{_CODE_WORDS})[：:为是 ]{{0,2}}[A-Z\d-]{{5,24}}(?![A-Za-z\d])",
        lambda m: numbers.dialled(m.group().replace("-", "")),
    ),
    (
        "password",
        r"((?:密码|口令|激活码|兑换码|邀请码|验证码|提取码|账号|用户名|微信号?) ?(?:[是为:：] ?)?)"
        r"(?=[A-Za-z0-9_-]{0,23}[A-Za-z])(?=[A-Za-z_-]{0,23}\d)([A-Za-z0-9_-]{3,24})(?![A-Za-z0-9_-])",
        lambda m: m[1] + numbers.dialled(m[2]).replace("-", "杠"),
    ),
]
