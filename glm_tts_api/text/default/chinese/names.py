"""Chinese: figures that are names, and are read digit by digit: days, models, versions, addresses."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.chinese.units import CODES
from glm_tts_api.text.default.spelling import CHINESE_DIGITS, CHINESE_MARKS, EMAIL, URL, spell_address
from glm_tts_api.text.default.table import Match, Row, after, before

_HAN = "\u4e00-\u9fff"
_DIGITS = "零幺一二三四五六七八九"
_DIGIT_NAMES = {chr(code): name for code, name in CHINESE_DIGITS.items()}
_MAKERS = (
    "波音|空客|空中客车|麦道|[图歼运轰直苏]|米(?=-)|伊尔|猎鹰|标致|宝马|奔驰|保时捷|法拉利|诺基亚|"
    "新百伦|椰子|迪奥|阿玛尼|骁龙|天玑|麒麟|酷睿|锐龙"
)
_SERIES = (
    "BMW|Benz|Porsche|Peugeot|Ferrari|Levi's|New Balance|NB|Yeezy|YSL|RTX|GTX|RX|Core|Ryzen|"
    "Snapdragon|Radeon|GeForce|Xeon|EPYC|Boeing|Airbus|Nokia|Exynos|MX"
)
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


def address(match: Match) -> str:
    return spell_address(match.group(), CHINESE_MARKS, _DIGIT_NAMES)


def host_address(match: Match) -> str:
    host, _, port = match.group().partition(":")
    return numbers.digits(host).replace(".", "点") + (f"冒号{numbers.digits(port)}" if port else "")


def model(match: Match) -> str:
    """The name of the maker or series, then its number; an amount or a count is none."""
    if match[1] in CODES or numbers.takes_liang(after(match)) or after(match)[:1] in ("多", "余"):
        return match.group()
    return f"{match[1]}{numbers.named(match[2])}"


def series(match: Match) -> str:
    """Xbox 360, unless so many are counted."""
    return match.group() if numbers.takes_liang(after(match).lstrip()) else model(match)


def hyphened_name(match: Match) -> str:
    """神舟-15, F-16, GPT-4: a hyphen that ties a number to a name is not said."""
    return (
        f"{match[1]}{numbers.named(match[2])}"
        if len(match[2]) < 6
        else f"{match[1]}{numbers.digits(match[2])}"
    )


def like_the_last(match: Match) -> str:
    """625与626, 4070比3080: digit by digit as the name before it, which is as long and is read already."""
    number = match.group()
    told = re.search(
        rf"(?<![{_DIGITS}十百千万])[{_DIGITS}]{{{len(number)}}}(?![{_DIGITS}十百千万亿])", before(match, 20)
    )
    if not told or numbers.takes_liang(after(match).lstrip()) or re.match("[多余万亿元块倍]", after(match)):
        return number
    return numbers.digits(number)


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


def day(match: Match) -> str:
    """3·15: a day that gave an event its name."""
    month, date = match.groups()
    return numbers.digits(month + date) if int(month) <= 12 and int(date) <= 31 else match.group()


def spelled(match: Match) -> str:
    return numbers.digits(match.group())


def version(match: Match) -> str:
    return "点".join(
        numbers.digits(part) if part[0] == "0" else numbers.cardinal(part)
        for part in match.group().split(".")
    )


ADDRESSES: list[Row] = [
    ("e-mail address", EMAIL, address),
    ("web address", URL, address),
    ("path", r"(?<![\w/.~])~?(?:/[A-Za-z][\w.-]{0,40}){2,9}/?(?!\w)", address),
    ("network address", r"\d(?<![\d.].)\d{0,2}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\d.]*\d)", host_address),
]
NAMES: list[Row] = [
    ("blood", r"R(?<![A-Za-z].)h ?[（(]?-[)）]?(?!\d)", "Rh阴性"),
    ("binary", r"[01](?<=二进制.)[01]{1,29}(?!\d)", spelled),
    *(("day with a name", rf"{pattern[0]}(?<![\d.].){pattern[1:]}", name) for name, pattern in _DAYS.items()),
    ("day with a name", r"(\d(?<![\d.].)\d?)·(\d{1,2})(?![\d·])", day),
    (
        "day with a name",
        r"(\d(?<![\d.].)\d?)\.(\d{1,2})(?=晚会|大促|建军节|建党节|购物节|消费者|阅兵"
        r"|表白|白色情人节|地震|事变|惨案|运动|特大|暴雨|专案|案)",
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
    ("university", r"[92](?<![\d.].)(?:85|11)(?![\d.元块万亿个人名分所年天条件次米])", university),
    ("fool", r"2(?<=[别个是你].)50(?=[了吗呢啊吧，。！？]|$)", "二百五"),
    ("title", r"\d(?<=《.)\d{2,3}(?=》)|[12](?<![\d.].)\d{3}(?=》)", spelled),
    ("day with a name", r"1(?<=双.)[12](?!\d)", lambda m: numbers.cardinal(m.group())),
    ("model", rf"({_MAKERS})[- ]?(\d{{2,4}})(?![\d.]|[ ]?[万亿元米年月日人个架艘台吨公号])", model),
    ("model", rf"((?<![A-Za-z])(?:{_SERIES})(?: [A-Za-z]{{1,3}})? ?)(\d{{3,5}})(?![\d.])", model),
    (
        "model",
        r"([A-Z](?<![A-Za-z\d].)(?!(?<=N)[Oo]\.)[A-Z]{0,2})\.(\d{1,4})(?![\d.])",
        lambda m: f"{m[1]}点{numbers.named(m[2])}",
    ),
    ("model", r"([A-Z](?<![A-Za-z\d].)[A-Z]{0,2})(\d{3,4}|\d{6,20})(?![\d.])", model),
    (
        "model",
        r"((?:[A-Z](?<![A-Za-z].)(?!otal|core|rice|evel|age|op|ay|ver|nly|bout|ax|in|um|ount"
        r"|olume)[a-z]{2,14}) )"
        r"([1-9]\d{2,3})(?![\d.:%/~-]|,\d| ?[A-Za-z一起块元])",
        series,
    ),
    ("model", r"[1-9](?<![\dA-Za-z.].)\d\d(?=(?:Li|Le|i|e|d|TSI|TFSI)(?![A-Za-z]))", spelled),
    (
        "lines",
        r"[1-9](?<![\d.].)(?:(?<=4)80|(?<=5)40|(?<=7)20|(?<=1)080|(?<=1)440|(?<=2)160)(?=[pPi](?![A-Za-z]))",
        spelled,
    ),
    ("model", r"7(?<!\d.)[0-8]7(?=MAX|-\d{3}|客机|飞机|机型)", spelled),
    ("model", r"([5-9](?<![\d第].)\d)(?=式(?:[步坦冲枪自手军服]|[，。]))", spelled),
    (
        "name with a hyphen",
        rf"([{_HAN}][-–])(\d{{1,4}})(?=号|型|载人|甲|乙|[A-Z])",
        lambda m: m[1][0] + numbers.named(m[2]),
    ),
    (
        "model",
        r"([A-Za-z](?<![A-Za-z\d].)[A-Za-z]{0,8}\d{1,2})-(\d{3,5})(?!\d)",
        lambda m: f"{m[1]} {numbers.digits(m[2])}",
    ),
    (
        "name with a hyphen",
        r"([A-Za-z](?<![A-Za-z\d].)(?:(?<=[A-Z])[A-Za-z]{0,19}|[a-z]{1,19}))-(\d{1,6})(?![\d.-]|[年月日]"
        r"|%| ?[=<>])",
        hyphened_name,
    ),
    (
        "chapter",
        r"\d(?<=[图表式例].)\d{0,2}-\d{1,3}(?:-\d{1,3})?(?![\d.-])",
        lambda m: "杠".join(map(numbers.cardinal, m.group().split("-"))),
    ),
    (
        "version",
        r"\d(?<![\d.].)(?!(?:(?<=1)9|(?<=2)0)\d\d\.\d{1,2}\.\d{1,2}(?![\d.]))\d{0,5}(?:\.\d{1,6}){2"
        r",}(?![\d.]*\d)",
        version,
    ),
    ("version", r"2(?<![\d.].)\d(?=H[12](?![\dA-Za-z]))", spelled),
    (
        "model",
        r"\d(?:(?<=[A-Za-z]是.)|(?<=[比和与跟及或、/而至到有成用].)"
        r"|(?<=[比和与跟及或而到成用] .))\d{2,3}(?![\d.:/~%-]|,\d)",
        like_the_last,
    ),
    (
        "model",
        r"(?<=HTTP )[1-5]\d\d(?!\d)|[1-5](?:(?<=[Ee]rror .)|(?<=[Ss]tatus .)|(?<=[Cc]ode .))\d\d(?!\d)",
        spelled,
    ),
    (
        "standard",
        r"([A-Z](?<![A-Za-z].)[A-Z]{1,3}(?:/[A-Z]{1,3})?) ?(\d{2,6}(?:\.\d{1,2})?)[-—]((?:19|20)\d\d)(?!\d)",
        lambda m: f"{m[1]} {numbers.digits(m[2]).replace('.', '点')}杠{numbers.digits(m[3])}",
    ),
    (
        "model",
        r"[1-9](?<![\dA-Za-z.].)\d{3,4}(?=(?:X3D|XTX?|X|KF|KS|HX|HS|Ti|S|U|F)(?![A-Za-z]))",
        spelled,
    ),
    ("mode", r"(?<=chmod )[0-7]{3,4}(?!\d)", spelled),
    (
        "model",
        r"([a-z](?<![A-Za-z\d].)[A-Za-z]{1,19}|[A-Z](?<![A-Za-z\d].)[A-Za-z]{3,19})(\d{3,6})(?![\d.:%/-]"
        r"|[A-Za-z])",
        model,
    ),
    (
        "serial number",
        r"(N(?<![A-Za-z].)[Oo])[.：: ]{0,2}(\d{5,20}(?:-\d{1,8}){0,3})(?!\d)",
        lambda m: f"{m[1]} {numbers.digits(m[2]).replace('-', '杠')}",
    ),
    ("standard", r"((?:ISO|IEC|IEEE|RFC|GB|DB|ASTM)(?:/[A-Z]{1,2})? ?)(\d{3,6})(?![\d.])", model),
    ("standard", r"8(?<![\d.].)02\.11(?!\d)", "八零二点一一"),
    ("port", r"[1-9](?<![\d.].)\d{2,4}(?=端口)", spelled),
    ("letters", r"(\d(?<![\dA-Za-z.].)[WHSCPTBRO])(?=\d[A-Z](?![A-Za-z]))", lambda m: numbers.digits(m[1])),
    (
        "size",
        r"(1[4-9](?<![\d.].\d)\d)/(\d{2,3}[A-CY])(?![A-Za-z])",
        lambda m: numbers.digits(f"{m[1]}，{m[2]}"),
    ),
    ("contract", r"[12](?<![\d.].)\d{3}(?=合约)", spelled),
    ("issue", r"\d(?<=第.)\d{4,8}[1-9](?=[期号])", spelled),
    (
        "model",
        r"[1-9](?<![\d.].)\d{2,3}(?= (?:EVO|QVO|PRO|Pro|Plus|Ultra|Max|Ti|XT|GT|SE)(?![A-Za-z]))",
        spelled,
    ),
    (
        "version",
        rf"-(?<=[{_DIGITS}十百千]-)(\d{{6,14}})(?![\d.])",
        lambda m: f"杠{numbers.digits(m[1])}",
    ),
    ("port", r":(?<=[a-z]:)(\d{2,5})(?![\d:.])", lambda m: f"冒号{numbers.digits(m[1])}"),
    (
        "port",
        r"([1-9](?<![\d.:].)\d{3,4}):(\d{2,5})(?![\d:.])",
        lambda m: f"{numbers.digits(m[1])}冒号{numbers.digits(m[2])}",
    ),
    (
        "oil",
        r"(\d(?<![\dA-Za-z.].)\d?)W-(\d\d)(?!\d)",
        lambda m: f"{numbers.cardinal(m[1])}W{numbers.cardinal(m[2])}",
    ),
    ("shop", r"7(?<!\d.)-11(?=便利店|店|买|门店|[，。]|$)", "七幺幺"),
    (
        "chat",
        r"(?<![\d.¥￥$,])(?:(\d)\1{2,5}|233+|886?|520|1314|996)(?=[，。！？~～!,、 ]|[了啊呀哈吧]"
        r"|那[条个]|$)",
        chat,
    ),
]
