"""Chinese: figures that are dialled or given digit by digit: telephones, codes, rooms, flights, roads."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.table import Match, Row, after, before

_HAN = "\u4e00-\u9fff"
_E = r"(?![\d]|\.\d)"  # a number ends here


def spelled(match: Match) -> str:
    return numbers.digits(match.group())


_SERVICES = (
    "查号|客服|热线|电话|专线|平台|报警|急救|火警|短信|投诉|举报|服务"
    "|报修|抢修|挂失|预约|缴费|人工|官网|查询|咨询|求助|救援|APP|中心|指挥|接线|来电|坐席"
)
_DIAL = "打|拨|拨通|拨打|致电|来电|呼叫|报警|电话|热线|客服|急救|火警|联系|回拨|发送到|发送至|短信|拨号"
_ID_WORDS = (
    "电话|手机号?|端口号?|port|号码|拨打|致电|热线|客服|传真|座机|分机|QQ群?|微信号?"
    "|群号|[账帐][号户]|[卡单编学工证房座票批柜箱]号"
    "|身份证号?码?|尾数|工单|订单号?|运单号?|快递单?号?|单据|流水号|邮编"
    "|邮政编码|密码|口令|验证码|校验码|取件码|兑换码|邀请码"
    "|提货码|动态码|代码|车牌号?|牌照|尾号为?|[前后末][4四6六]位|序列号"
    "|编码|条码|芯片|处理器|型号|机型|航班号?|车次|会议号|会议ID|房间|教室|病房|包间|包厢"
    "|门牌号?|展位号?|[车工泊]位号?|摊位|铺位|柜台|储物柜|档口|商铺|客房|套房|会议室|诊室|办公室|登机口|机房|Building|Room|Suite|警号|户号|代号|桌号|台号|车号|ISBN|ID|PIN|VIN|SN|Tel|TEL|UID|IMEI"
)
_CODE_WORDS = (
    "[单证税牌编账帐会员订卡款货机]号|快递单号|订单号|车牌号?|序列号"
    "|验证码|激活码|兑换码|邀请码|提取码|SN|密码"
)
_PHONE = re.compile("电话|手机|号码|拨打|致电|热线|客服|传真|座机|总机|ISBN", re.IGNORECASE)
_NUMBER_NOUNS = re.compile(
    "[元块万亿千百多余几个名位人次条件家只台年月日天度点分秒倍%‰℃°]|公里|千米|米|美元|小时|分钟|kg|km|GB|MB"
)
_AIRLINES = (
    "3U|8L|9C|AA|AC|AF|AK|BA|BK|BR|CA|CI|CX|CZ|DL|DR|EK|EU|EY|FM"
    "|G5|GJ|GS|HO|HU|HX|JD|JL|KE|KL|KN|KY|LH|MF|MH|MU|NH"
    "|NS|NZ|OZ|PN|QF|QR|QW|SC|SQ|TG|TK|TR|TV|UA|UO|UQ|VN|ZH"
)


def telephone(match: Match) -> str:
    """Digits as a number to dial, a pause between its groups."""
    number, _, extension = match.group().partition("转")
    groups = []
    for group in re.findall(r"\d+", number):
        if re.fullmatch(r"1[3-9]\d{9}", group):
            groups += [group[:3], group[3:7], group[7:]]
        elif re.fullmatch(r"[48]00\d{7}", group):
            groups += [group[:3], group[3:6], group[6:]]
        else:
            groups.append(group)
    plus = "加" if number.startswith("+") else ""
    return (
        plus
        + "，".join(numbers.dialled(group) for group in groups)
        + (f"，转{numbers.dialled(extension)}" if extension else "")
    )


_EMERGENCY = ("110", "119", "120", "122")


def short_number(match: Match) -> str:
    """110, 10086: where someone calls it or is reached there."""
    calls = re.search(rf"(?:{_DIAL})[了过个：: “\"]{{0,2}}$", before(match)) and not _NUMBER_NOUNS.match(
        after(match)
    )
    answers = re.match(rf"[”\"]? ?(?:{_SERVICES})", after(match)) or (
        match.group() in _EMERGENCY
        and re.match("来[了的得]|(?:都|已经|还没|很快|马上|也|就)?(?:来|到|出警|赶)", after(match))
    )
    return numbers.dialled(match.group()) if calls or answers else match.group()


def identifier(match: Match) -> str:
    """The words before it, then the digits one by one, a pause where they are grouped."""
    lead, between, number = match.groups()
    if len(number) < 5 and (_NUMBER_NOUNS.match(after(match)) or numbers.takes_liang(after(match))):
        return match.group()
    if between == "-":
        between = ""
    joint = "，" if _PHONE.match(lead) else "杠"
    return lead + between + numbers.dialled(number).replace("-", joint).replace(" ", "，")


def lettered(match: Match) -> str:
    """G1234, CA 981: the letters, then the digits as they are dialled."""
    return f"{match[1]}{numbers.dialled(match[2])}"


_CALLED = re.compile("电话|分机|总机|前台|座机|热线|客服|人工|[拨打按]|号码|\\d ?$")


def extension(match: Match) -> str:
    """转801: where a telephone is spoken of; else a sum is sent (转500给你)."""
    if match.string[match.start() - 1] == "按" and not re.match(" ?(?:号|键|接|转|#|，|。)", after(match)):
        return match.group()
    called = _CALLED.search(before(match)) or re.match(" ?(?:号|分机|人工|接|键)", after(match))
    return numbers.dialled(match.group()) if called else match.group()


def code(match: Match) -> str:
    return numbers.dialled(match.group().replace("-", ""))


def security(match: Match) -> str:
    """600519: a share, where prices are told."""
    near = before(match) + "_" + after(match)
    is_share = re.search("股|涨|跌|收[盘报于]|今天收|市盈率|仓|停牌|代码|开盘|大盘|板块|买入|卖出", near)
    return numbers.digits(match.group()) if is_share and match.group()[-3:] != "000" else match.group()


def dialled(match: Match) -> str:
    return numbers.dialled(match.group())


def rooms(match: Match) -> str:
    """3-1-1202: building, unit and room."""
    parts = match.group().split("-")
    return "杠".join(numbers.dialled(part) if len(part) > 2 else numbers.cardinal(part) for part in parts)


DIALLED: list[Row] = [
    (
        "masked number",
        r"(\d(?<!\d\d)\d{1,5})\*{2,12}(\d{2,4})(?!\d)",
        lambda m: f"{numbers.dialled(m[1])}，{numbers.dialled(m[2])}",
    ),
    (
        "plate",
        r"([A-Z](?<=[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼].))([·• ]?)"
        r"([A-Z\d]{5,6})(?![A-Za-z\d])",
        lambda m: m[1] + numbers.digits(m[3]),
    ),
    ("code", rf"(?:{_CODE_WORDS})[：:为是 ]{{0,2}}[A-Z\d-]{{5,24}}(?![A-Za-z\d])", code),
    ("code", rf"(?<=[{_HAN}]号)[：:为是 ]{{0,2}}\d{{5,20}}(?![\d.])", dialled),
    (
        "telephone",
        r"\+(?<![\d.].)(?=(?:[ ()-]{0,2}\d){8})\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){1,4}(?!\d)",
        telephone,
    ),
    ("telephone", r"1(?<![\d.A-Za-z-].)[3-9]\d([ -]?)\d{4}\1\d{4}(?![\d-])", telephone),
    (
        "telephone",
        r"(?:0(?<![\d.-].)\d{2,3}[ -]|\((?<![\d.-].)0\d{2,3}\)[ -]?)\d{3,4}[ -]?\d{4}(?:(?:-"
        r"|转)\d{1,5})?(?![\d-])",
        telephone,
    ),
    ("telephone", r"[48](?<![\d.-].)00([ -]?)\d{3,4}\1\d{3,4}(?![\d-])", telephone),
    ("telephone", r"\d(?<![\d.-].)\d{2,3}-\d{3,4}-\d{4}(?![\d-])", telephone),
    (
        "extension",
        rf"(?<=[转拨按])(?:分机|接)?\d{{3,4}}{_E}(?! ?[元块万亿个人名位次美%％])(?=[^A-Za-z]|$)",
        extension,
    ),
    ("extension", r"(?<=转)(?:\d(?!\d))(?= ?号?键|[。，]|$)", spelled),
    (
        "short telephone number",
        r"[19](?<![\d.,¥￥$-].)(?:(?<=1)(?:00(?:86|10)|23(?:06|15|45|66|33|20|69|88))"
        r"|(?<=9)55(?:33|55|66|77|88|99))(?![\d.]|,\d"
        r"| ?[元块万亿个人名位次条米吨件台])",
        dialled,
    ),
    (
        "short telephone number",
        rf"[19](?<![\d.,-].)(?:(?<=1)(?:[0-2]\d|[02]\d{{3}}|[06]\d{{6}})|(?<=9)(?:99|11|[56]\d{{3,4}}))"
        rf"{_E}",
        short_number,
    ),
    (
        "identifier",
        rf"(?i)({_ID_WORDS})([^\d\n{_HAN}a-z]{{0,3}}|[，,]? ?[是为在][：: ]?|（[^）\d]{{0,6}}）[：:]?"
        rf"|[a-z]{{1,3}}[- ]?|号[：:是为]?)"
        r"(\d(?<![\d.-].)\d{2,}+(?:-\d++| \d{2,}+)*+)(?![.,]\d)",
        identifier,
    ),
    (
        "grouped digits",
        r"\d(?<![\d.,-].)\d{3}(?: \d{4}){2,4}(?: \d{1,3})?(?![\d-])",
        lambda m: numbers.dialled(m.group()).replace(" ", "，"),
    ),
    (
        "room",
        r"\d(?<![\d.,~～-].)\d{2,3}(?=号?(?:室|房间|房(?![贷价租款])|包间"
        r"|包厢|会议室|教室|病房|寝室|宿舍|办公室|实验室|考场|诊室|铺|那[家户间]"
        r"|门))",
        dialled,
    ),
    (
        "room",
        r"\d(?<![\d.,~～-].)\d{2,3}(?=号(?:展位|[车工床摊铺泊]位|档口|柜|法庭|阅览室|机房|演播|影厅|候诊"
        r"|手术|套房|客房|商铺|信箱|船?舱))",
        dialled,
    ),
    (
        "rooms",
        r"(\d(?<=[栋座幢楼层室房].)\d{2,3})([-~～至到])(\d{3,4})(?![\d.-]|[元块万平米个人名])",
        lambda m: f"{numbers.dialled(m[1])}到{numbers.dialled(m[3])}",
    ),
    (
        "room",
        r"[1-9](?<![\d.,A-Za-z-].)\d{2,3}(?=[，。！？、吧找]|$)",
        lambda m: (
            numbers.dialled(m.group())
            if re.search(
                "(?:入?住(?:在|进|的是)?|搬到|搬进|[你接]上来|上到)[^，。\\d元价率人数量晚天]{0,4}$"
                "|[\\d零一二三四五六七八九十](?:号?[栋幢座楼]|单元|层)[，, 的]{1,2}$",
                before(m),
            )
            else m.group()
        ),
    ),
    (
        "room",
        r"[1-9](?<=[到在去来回进往].)(?<![降涨升减增加跌长提累缩花存攒]到.)\d{2,3}"
        r"(?=集合|开会|上课|自习|考试|面试|报到|办公|吃饭|聚餐|等[我你他她着]|找|门口"
        r"|见面?[，。！吧])",
        dialled,
    ),
    (
        "password",
        r"((?:密码|口令|激活码|兑换码|邀请码|验证码|提取码|账号|用户名|微信号?) ?(?:[是为:：] ?)?)"
        r"(?=[A-Za-z0-9_-]{0,23}[A-Za-z])(?=[A-Za-z_-]{0,23}\d)([A-Za-z0-9_-]{3,24})(?![A-Za-z0-9_-])",
        lambda m: m[1] + numbers.dialled(m[2]).replace("-", "杠"),
    ),
    ("room", r"\d(?<![\d.,-].)\d{0,2}-\d{1,2}-\d{3,4}(?![\d-])", rooms),
    (
        "room",
        r"(?:(?<=房间)|(?<=门牌)|(?<=[栋幢楼层])|(?<=[A-Za-z\d东西南北主]座)|(?<=单元)) ?(?:\d{1,3}-)?\d{3,4}"
        r"(?![\d.-]|[元块万平米个人名]| ?(?:V|W|k[Wgm]|[cm]?m|[KMGT]B|Hz)(?![a-z]))"
        r"|\d(?<![\d.,-].)\d?-\d{3,4}(?=室"
        r"|房)",
        rooms,
    ),
    ("flight", rf"(?<![A-Za-z\d])({_AIRLINES})[ -]?(\d{{3,4}})(?![\dA-Za-z.])", lettered),
    (
        "flight",
        r"([A-Z](?<![A-Za-z\d].)[A-Z]?) ?(\d{3,4})(?= ?(?:次(?![/每])|航班|号航班|列车|高铁|动车))",
        lettered,
    ),
    ("train", r"([GDKS](?<![A-Za-z\d].))(\d{3,4})(?![\dA-Za-z.%])", lettered),
    ("road", r"\d(?<![\d.].)\d{2}(?=国道|省道|县道|路公交|路车|路公共|线公交|路电车)", dialled),
    ("road", r"\d(?<=[坐乘等换搭].)\d\d(?=路)", dialled),
    (
        "security code",
        r"[036](?<![\d.].)0\d{4}(?=[.．](?:SH|SZ|HK)\b)|(?<=[（(])[0368]0?\d{4,5}(?=[)）])",
        spelled,
    ),
    (
        "security code",
        r"[036](?<=[\u4e00-\u9fff（(].)(?:0\d{4}|88\d{3})(?![\d.]|,\d| ?[元块万亿个人名位次件台])",
        security,
    ),
    ("postal code", r"\d(?<=邮编.)\d{5}(?!\d)", spelled),
]
