"""Chinese: figures that are names, and are read digit by digit: telephones, rooms, flights, models, days."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.spelling import CHINESE_DIGITS, CHINESE_MARKS, EMAIL, URL, spell_address
from glm_tts_api.text.default.table import Match, Row, after, before

_HAN = "\u4e00-\u9fff"
_DIGIT_NAMES = {chr(code): name for code, name in CHINESE_DIGITS.items()}
_SERVICES = (
    "查号|客服|热线|电话|专线|平台|报警|急救|火警|短信|投诉|举报|服务"
    "|官网|查询|咨询|求助|救援|APP|中心|指挥|接线|来电|坐席"
)
_DIAL = "打|拨|拨通|拨打|致电|来电|呼叫|报警|电话|热线|客服|急救|火警|联系|回拨|发送到|发送至|短信|拨号"
_ID_WORDS = (
    "电话|手机号?|号码|拨打|致电|热线|客服|传真|座机|分机|QQ群?|微信号?"
    "|群号|[账帐][号户]|[卡单编学工证房座票批柜箱]号"
    "|身份证号?码?|工单|订单号?|运单号?|快递单?号?|单据|流水号|邮编"
    "|邮政编码|密码|口令|验证码|校验码|取件码|兑换码|邀请码"
    "|提货码|动态码|代码|车牌号?|牌照|尾号为?|末四位|后四位|序列号"
    "|编码|条码|航班号?|车次|会议号|会议ID|房间|教室|病房|包间|包厢"
    "|门牌号?|警号|户号|代号|桌号|台号|车号|ISBN|ID|PIN|VIN|SN|Tel|TEL|UID|IMEI"
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
_MAKERS = "波音|空客|空中客车|麦道|[图歼运轰直苏]|米(?=-)|伊尔|猎鹰|标致|宝马|奔驰|骁龙|天玑|麒麟|酷睿|锐龙"
_SERIES = "RTX|GTX|RX|Core|Ryzen|Snapdragon|Radeon|GeForce|Xeon|EPYC|Boeing|Airbus|Nokia|Exynos|MX"
_DAYS = {
    "五一": r"5[.·]1(?=劳动节|假期|长假|小长假|期间|黄金周|节)",
    "五四": r"5[.·]4(?=运动|青年节|精神)",
    "六一": r"6[.·]1(?=儿童节|节)",
    "十一": r"10[.·]1(?=国庆|假期|长假|期间|黄金周)",
    "九一一": r"9[./]11(?=事件|恐怖|袭击|恐袭)",
    "三八": r"3[.·]8(?=妇女节|节|国际)",
    "七七": r"7[.·]7(?=事变)",
    "九一八": r"9[.·]18(?=事变|纪念)",
    "一二九": r"12[.·]9(?=运动)",
}


def telephone(match: Match) -> str:
    """Digits as a number to dial, a pause between its groups."""
    number = match.group()
    groups = []
    for group in re.findall(r"\d+", number):
        if re.fullmatch(r"1[3-9]\d{9}", group):
            groups += [group[:3], group[3:7], group[7:]]
        elif re.fullmatch(r"[48]00\d{7}", group):
            groups += [group[:3], group[3:6], group[6:]]
        else:
            groups.append(group)
    plus = "加" if number.startswith("+") else ""
    return plus + "，".join(numbers.dialled(group) for group in groups)


def short_number(match: Match) -> str:
    """110, 10086: where someone calls it or is reached there."""
    calls = re.search(rf"(?:{_DIAL})[了过个：: “\"]{{0,2}}$", before(match)) and not _NUMBER_NOUNS.match(
        after(match)
    )
    answers = re.match(rf"[”\"]? ?(?:{_SERVICES})", after(match))
    return numbers.dialled(match.group()) if calls or answers else match.group()


def identifier(match: Match) -> str:
    """The words before it, then the digits one by one, a pause where they are grouped."""
    lead, between, number = match.groups()
    if len(number) < 5 and _NUMBER_NOUNS.match(after(match)):
        return match.group()
    if between == "-":
        between = ""
    joint = "，" if _PHONE.match(lead) else "杠"
    return lead + between + numbers.dialled(number).replace("-", joint).replace(" ", "，")


def address(match: Match) -> str:
    return spell_address(match.group(), CHINESE_MARKS, _DIGIT_NAMES)


def host_address(match: Match) -> str:
    host, _, port = match.group().partition(":")
    return numbers.digits(host).replace(".", "点") + (f"冒号{numbers.digits(port)}" if port else "")


def lettered(match: Match) -> str:
    """G1234, CA 981: the letters, then the digits as they are dialled."""
    return f"{match[1]}{numbers.dialled(match[2])}"


def model(match: Match) -> str:
    """The name of the maker or series, then its number."""
    return f"{match[1]}{numbers.named(match[2])}"


def hyphened_name(match: Match) -> str:
    """神舟-15, F-16, GPT-4: a hyphen that ties a number to a name is not said."""
    return (
        f"{match[1]}{numbers.named(match[2])}"
        if len(match[2]) < 6
        else f"{match[1]}{numbers.digits(match[2])}"
    )


def university(match: Match) -> str:
    """985, 211: where one is beside the other or a word of schools."""
    near = before(match, 16) + "_" + after(match, 16)
    other = "211" if match.group() == "985" else "985"
    school = re.search("高校|大学|院校|工程|名校|毕业|学历|本科|硕士|学校|考上|重点", near)
    return (
        numbers.digits(match.group())
        if school or other in near or numbers.digits(other) in near
        else match.group()
    )


def chat(match: Match) -> str:
    """666, 88, 5555: what is typed for its sound, alone in its clause."""
    lead = before(match)
    alone = not lead.strip() or lead[-1] in "，。！？~～!, 、"
    if match[1] or match.group().startswith("233") or alone:
        counted = re.search("[第共约了有超近达到为是价号计比]$", lead)
        return match.group() if counted else numbers.digits(match.group())
    return match.group()


def code(match: Match) -> str:
    return numbers.dialled(match.group().replace("-", ""))


def day(match: Match) -> str:
    """3·15: a day that gave an event its name."""
    month, date = match.groups()
    return numbers.digits(month + date) if int(month) <= 12 and int(date) <= 31 else match.group()


def spelled(match: Match) -> str:
    return numbers.digits(match.group())


def dialled(match: Match) -> str:
    return numbers.dialled(match.group())


def rooms(match: Match) -> str:
    """3-1-1202: building, unit and room."""
    parts = match.group().split("-")
    return "杠".join(numbers.dialled(part) if len(part) > 2 else numbers.cardinal(part) for part in parts)


def version(match: Match) -> str:
    return "点".join(
        numbers.digits(part) if part[0] == "0" else numbers.cardinal(part)
        for part in match.group().split(".")
    )


_B, _E = r"(?<![\d.])", r"(?![\d]|\.\d)"  # a number begins and ends here

ADDRESSES: list[Row] = [
    ("e-mail address", EMAIL, address),
    ("web address", URL, address),
    ("path", r"(?<![\w/.~])~?(?:/[A-Za-z][\w.-]{0,40}){2,9}/?(?!\w)", address),
    ("network address", rf"{_B}\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?::\d{{1,5}})?(?![\d.]*\d)", host_address),
]

NAMES: list[Row] = [
    *(("day with a name", rf"{_B}{pattern}", name) for name, pattern in _DAYS.items()),
    ("day with a name", rf"{_B}(\d{{1,2}})·(\d{{1,2}})(?![\d·])", day),
    (
        "day with a name",
        rf"{_B}(\d{{1,2}})\.(\d{{1,2}})(?=晚会|大促|购物节|消费者|阅兵"
        rf"|表白|白色情人节|地震|事变|惨案|运动|特大|暴雨|专案|案)",
        day,
    ),
    (
        "day with a name",
        r"(?<![\d.月年])(?:315|618|818|520|521|1024|911|918|1111|1212"
        r"|211|985|996|007|404|502|360|798|1314)"
        r"(?=晚会|投诉|艺术|曝光|大促|活动|购物节|年中|期间|表白|情人节"
        r"|程序员|事件|恐怖|袭击|事变|高校|大学|院校|工程|毕业|学校|工作制"
        r"|福利|加班|错误|页面|胶水|安全|浏览器|/\d|、211|和211|、985|以及211|或211|与211)",
        spelled,
    ),
    ("university", r"(?<![\d.])(?:985|211)(?![\d.元块万亿个人名])", university),
    ("fool", r"(?<=[别个是你])250(?=[了吗呢啊吧，。！？]|$)", "二百五"),
    ("title", r"(?<=《)\d{3,4}(?=》)", spelled),
    (
        "plate",
        r"(?<=[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼])"
        r"([A-Z])([·• ]?)([A-Z\d]{5,6})(?![A-Za-z\d])",
        lambda m: m[1] + numbers.digits(m[3]),
    ),
    ("code", rf"(?:{_CODE_WORDS})[：:为是 ]{{0,2}}[A-Z\d-]{{5,24}}(?![A-Za-z\d])", code),
    ("code", rf"(?<=[{_HAN}]号)[：:为是 ]{{0,2}}\d{{5,20}}(?![\d.])", dialled),
    ("day with a name", r"(?<=双)(?:11|12)(?!\d)", lambda m: numbers.cardinal(m.group())),
    ("telephone", rf"{_B}\+\d{{1,3}}[ -]?\(?\d{{1,4}}\)?(?:[ -]?\d{{2,4}}){{1,4}}(?!\d)", telephone),
    ("telephone", r"(?<![\d.-])(?<![A-Za-z])1[3-9]\d([ -]?)\d{4}\1\d{4}(?![\d-])", telephone),
    (
        "telephone",
        r"(?<![\d.-])(?:0\d{2,3}[ -]|\(0\d{2,3}\)[ -]?)\d{3,4}[ -]?\d{4}(?:(?:-|转)\d{1,5})?(?![\d-])",
        telephone,
    ),
    ("telephone", r"(?<![\d.-])[48]00([ -]?)\d{3,4}\1\d{3,4}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])\d{3,4}-\d{3,4}-\d{4}(?![\d-])", telephone),
    (
        "extension",
        rf"(?<=[转拨按])(?:分机|接)?\d{{3,4}}{_E}(?! ?[元块万亿个人名位次美%％])(?=[^A-Za-z]|$)",
        dialled,
    ),
    ("extension", r"(?<=转)(?:\d(?!\d))(?= ?号?键|[。，]|$)", spelled),
    (
        "short telephone number",
        r"(?<![\d.,¥￥$-])(?:100(?:86|10)|123(?:06|15|45|66|33|20|69|88)"
        r"|955(?:33|55|66|77|88|99))(?![\d.]|,\d"
        r"| ?[元块万亿个人名位次条米吨件台])",
        dialled,
    ),
    (
        "short telephone number",
        rf"(?<![\d.,-])(?:1[0-2]\d|999|911|1[02]\d{{3}}|9[56]\d{{3,4}}|1[06]\d{{6}})"
        rf"{_E}",
        short_number,
    ),
    (
        "identifier",
        rf"(?i)({_ID_WORDS})([^\d\n{_HAN}a-z]{{0,3}}|[是为][：: ]?|（[^）\d]{{0,6}}）[：:]?"
        rf"|[a-z]{{1,3}}[- ]?|号[：:是为]?)"
        r"(?<![\d.-])(\d{3,}+(?:[- ]\d{2,}+)*+)(?![.,]\d)",
        identifier,
    ),
    (
        "grouped digits",
        r"(?<![\d.,-])\d{4}(?: \d{4}){2,4}(?: \d{1,3})?(?![\d-])",
        lambda m: numbers.dialled(m.group()).replace(" ", "，"),
    ),
    (
        "room",
        r"(?<![\d.,~～-])\d{3,4}(?=号?(?:室|房间|房(?![贷价租款])|包间"
        r"|包厢|会议室|教室|病房|寝室|宿舍|办公室|实验室|考场|诊室|铺"
        r"|门))",
        dialled,
    ),
    ("room", r"(?<![\d.,-])\d{1,3}-\d{1,2}-\d{3,4}(?![\d-])", rooms),
    (
        "room",
        r"(?:(?<=房间)|(?<=门牌)|(?<=[栋座幢楼])|(?<=单元)) ?(?:\d{1,3}-)?\d{3,4}"
        r"(?![\d.-]|[元块万平米个人名])|(?<![\d.,-])\d{1,2}-\d{3,4}(?=室"
        r"|房)",
        rooms,
    ),
    ("flight", rf"(?<![A-Za-z\d])({_AIRLINES})[ -]?(\d{{3,4}})(?![\dA-Za-z.])", lettered),
    ("flight", r"(?<![A-Za-z\d])([A-Z]{1,2}) ?(\d{3,4})(?= ?(?:次|航班|号航班|列车|高铁|动车))", lettered),
    ("train", r"(?<![A-Za-z\d])([GDKS])(\d{3,4})(?![\dA-Za-z.%])", lettered),
    ("road", rf"{_B}\d{{3}}(?=国道|省道|县道|路公交|路车|路公共|线公交|路电车)", dialled),
    ("road", r"(?<=[坐乘等换搭])\d{3}(?=路)", dialled),
    ("model", rf"({_MAKERS})[- ]?(\d{{2,4}})(?![\d.]|[ ]?[万亿元米年月日人个架艘台吨公号])", model),
    ("model", rf"((?<![A-Za-z])(?:{_SERIES})(?: [A-Za-z]{{1,3}})? ?)(\d{{3,5}})(?![\d.])", model),
    ("model", r"(?<![A-Za-z\d])([A-Z]{1,3})\.(\d{1,4})(?![\d.])", lambda m: f"{m[1]}点{numbers.named(m[2])}"),
    ("model", r"(?<![A-Za-z\d])([A-Z]{1,3})(\d{3,4})(?![\d.])", model),
    ("model", r"(?<!\d)7[0-8]7(?=MAX|-\d{3}|客机|飞机|机型)", spelled),
    ("model", r"(?<![\d第])([5-9]\d)(?=式(?:[步坦冲枪自手军服]|[，。]))", spelled),
    (
        "name with a hyphen",
        rf"([{_HAN}][-–])(\d{{1,4}})(?=号|型|载人|甲|乙|[A-Z])",
        lambda m: m[1][0] + numbers.named(m[2]),
    ),
    (
        "model",
        r"(?<![A-Za-z\d])([A-Za-z]{1,9}\d{1,2})-(\d{3,5})(?!\d)",
        lambda m: f"{m[1]} {numbers.digits(m[2])}",
    ),
    (
        "name with a hyphen",
        r"(?<![A-Za-z\d])([A-Za-z]{1,20})-(\d{1,6})(?![\d.-]|[年月日]|%)",
        hyphened_name,
    ),
    (
        "chapter",
        r"(?<=[图表式例])\d{1,3}-\d{1,3}(?:-\d{1,3})?(?![\d.-])",
        lambda m: "杠".join(map(numbers.cardinal, m.group().split("-"))),
    ),
    (
        "version",
        rf"{_B}(?!(?:19|20)\d\d\.\d{{1,2}}\.\d{{1,2}}(?![\d.]))\d{{1,6}}(?:\.\d{{1,6}}){{2"
        rf",}}(?![\d.]*\d)",
        version,
    ),
    (
        "security code",
        r"(?<![\d.])[036]0\d{4}(?=[.．](?:SH|SZ|HK)\b)|(?<=[（(])[0368]0?\d{4,5}(?=[)）])",
        spelled,
    ),
    ("postal code", r"(?<=邮编)\d{6}(?!\d)", spelled),
    ("shop", r"(?<!\d)7-11(?=便利店|店|买|门店|[，。]|$)", "七幺幺"),
    (
        "chat",
        r"(?<![\d.¥￥$,])(?:(\d)\1{2,5}|233+|886?|520|1314|996)(?=[，。！？~～!,、 ]|[了啊呀哈吧]|$)",
        chat,
    ),
]
