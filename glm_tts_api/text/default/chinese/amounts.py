"""Chinese: money, percentages, fractions, temperatures, measures, and whatever else is counted."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.chinese.money import scaled
from glm_tts_api.text.default.chinese.units import (
    ONLY_BEFORE_SLASH,
    PER_PATTERN,
    UNITS,
    per_name,
    unit_name,
)
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

_HAN = "\u4e00-\u9fff"
_COUNTERS = (
    "小时|分钟|季度|平方米|公里|[次天年月日周人个件只台瓶杯斤吨亩份片粒包盒袋支张本套户间平位晚分秒米升克辆度季堂节课"
    "场轮局组队桌]"
)


def fraction(match: Match) -> str:
    whole, first, second = match[1], match[2], match[3]
    if (
        _APART.search(before(match))
        or (first == second and not after(match).startswith("拍"))
        or (re.match(" ?[层页楼集关题章节]", after(match)) and int(second) > 5)
        or (int(first) > 1 and int(second) > 10 and re.match(" ?(?:个[月小]|[天周年岁月])", after(match)))
        or re.match(" ?(?:号[线楼口门]|[路班]|号(?![^，。]))", after(match))
        or (
            min(int(first), int(second)) >= 20
            and not _SHARE.search(before(match))
            and not _SHARE_BEHIND.match(after(match))
        )
        or (int(first) > int(second) and int(first) > 20)
        or re.match(" ?mmHg| ?毫米汞柱| ?[A-Z][a-z]", after(match))
    ):
        return f"{first}，{second}"
    if re.match(r" ?(?:法则|定律|原则|分成|开局?|分账|分(?!之))", after(match)):
        return numbers.cardinal(first) + numbers.cardinal(second)
    lead = f"{numbers.cardinal(whole)}又" if whole else ""
    return f"{lead}{numbers.cardinal(second)}分之{numbers.cardinal(first)}{'秒' if match[4] else ''}"


_APART = re.compile("(?:血压|高低压|收缩压|视力|值)[^，。]{0,6}$|第$|[A-Za-z]$|[A-Za-z]{2} $")
_SHARE_BEHIND = re.compile(" ?(?:[=+×÷*<>≤≥-]|的|以[上下])")
_SHARE = re.compile("[=+×÷*<>≤≥-] ?$|概率|等于|约分|化简|分数|[占约近超达的]$")


def percent(match: Match) -> str:
    names = {"%": "百分之", "％": "百分之", "‰": "千分之"}
    return f"{names[match[2]]}{numbers.cardinal(match[1])}"


def without_commas(match: Match) -> str:
    """In words where the bare digits would be taken for a name."""
    number = match.group().replace(",", "")
    return numbers.cardinal(number) if len(number) > 11 else number


_SEAT = re.compile("座|排|登机|舱|车厢|票|位|号")


def measured(match: Match) -> str:
    """A number with a unit in Latin letters, and what it is measured by: 35μg/m³, 60km/h."""
    first, number, scale, unit, per = match.groups()
    scale, spoken = scale or "", unit_name(unit)
    seat = unit == "A" and _SEAT.search(before(match))
    if spoken is None or seat or (unit in ONLY_BEFORE_SLASH and not per):
        return match.group()
    amount = (
        (f"{numbers.counted(first, spoken)}到" if first else "")
        + numbers.counted(number, scale or spoken)
        + scale
        + spoken
    )
    if not per:
        return amount
    if per in ("/s²", "/s"):
        return f"{amount}每{per_name(per)}"
    return f"每{per_name(per)}{amount}"


def per_counter(match: Match) -> str:
    """100元/月: 每月一百元; 50元/天/人: 每天每人五十元."""
    first, scale, number, unit, units = match.groups()
    span = f"{numbers.counted(first, scale or unit)}{scale or ''}到" if first else ""
    amount = span + numbers.counted(number, unit) + unit
    pers = [UNITS.get(per.strip(), per.strip()) for per in units.split("/")[1:]]
    return f"{amount}一{pers[0]}" if before(match).endswith("每") else f"每{'每'.join(pers)}{amount}"


def bare_per(match: Match) -> str:
    """4000到10000/μL, 20/天: so many in each."""
    first, scale, number, scale_2, per = match.groups()
    span = f"{numbers.counted(first, scale or '个')}{scale or ''}到" if first else ""
    return f"每{per_name(per)}{span}{numbers.counted(number, scale_2 or '个')}{scale_2 or ''}"


def inches(match: Match) -> str:
    """27": inches, unless a quotation ends there."""
    opened = before(match, 60).count('"') % 2
    return match.group() if opened else f"{numbers.cardinal(match[1])}英寸"


def power_of_ten(match: Match) -> str:
    factor, base, exponent = match.groups()
    return f"{numbers.cardinal(factor)}乘以{numbers.cardinal(base)}的{numbers.cardinal(exponent)}次方"


def spelled(match: Match) -> str:
    return numbers.digits(match.group())


def scientific(match: Match) -> str:
    return f"{numbers.cardinal(match[1])}乘以十的{numbers.cardinal(match[2])}次方"


def counted(match: Match) -> str:
    """A pause keeps apart what would be one number: 90/120六挡."""
    rest = after(match).lstrip()
    pause = "，" if len(match.group()) > 1 and rest[:1] in _NUMERALS and rest else ""
    return numbers.counted(match.group(), rest, before(match)) + pause


_NUMERALS = frozenset("一二三四五六七八九十")


def tens_of_thousands(match: Match) -> str:
    """10w, 3.5W粉丝: 万 in chats."""
    return f"{numbers.counted(match[1], '万')}万"


_PAID = re.compile("薪|工资|[价资]|预算|收入|到手|base|package|[了达近约过花] ?$")


def thousands(match: Match) -> str:
    """5k, 1.5k: thousands in chats; 12K where it is paid."""
    if match.group().endswith("K") and not (_PAID.search(before(match)) or re.match("·\\d", after(match))):
        return match.group()
    return "到".join(numbers.counted(scaled(part, 1000), "块") for part in match.groups() if part)


_FOLLOWING = re.compile(
    "(?:[DMW]AU|GMV|[UP]V|粉丝|播放量?|用户|阅读量?|日活|月活|下载量|营收|销量|参数量?)"
    "[为是达到约近超：: ]{0,3}$"
)


def mega(match: Match) -> str:
    """100M宽带, 16G内存; 日活1.2M."""
    if match[2] == "M" and _FOLLOWING.search(before(match)):
        return f"{scaled(match[1], 100)}万"
    return f"{numbers.counted(match[1], '兆')}{'兆' if match[2] == 'M' else match[2].lower()}"


_NUMBER = r"\d(?<![\d.].)\d{0,29}+(?:\.\d{1,30}+)?"
_AMOUNT = r"\d(?<![\d.].)\d{0,29}+(?:,\d{3})*+(?:\.\d{1,30}+)?"
# No letter before it, unless it goes on as 2min15s does.
_LONE = r"\d(?:(?<![\d.A-Za-z].)|(?<=\d[hmVAW].)|(?<=\dmin.))\d{0,29}+(?:\.\d{1,30}+)?"
_UNIT = alternatives(UNITS)
THOUSANDS: list[Row] = [
    ("thousands", r"\d(?<![\d.,].)\d{0,2}(?:,\d{3})++(?!\d|,\d)", without_commas),
]
AMOUNTS: list[Row] = [
    ("power", rf"({_NUMBER}) ?[*x×·] ?(\d{{1,3}}) ?\^ ?([-+]?\d{{1,4}})", power_of_ten),
    ("power", r"(\d(?<![\w.].)(?:\.\d{1,30}+)?)[eE]([+-]?\d{1,3})(?![\w.])", scientific),
    (
        "angle",
        r"(\d(?<!\d.)\d{0,2})° ?(\d{1,2})['′] ?(?:(\d{1,2}(?:\.\d{1,9})?)[\"″])?",
        lambda m: f"{m[1]}度{m[2]}分" + (f"{m[3]}秒" if m[3] else ""),
    ),
    ("inches", rf"({_NUMBER}) ?[\"″](?![\d])", inches),
    ("discount", r"(\d(?<![\d.].))(\d)(?=折)", lambda m: numbers.digits(m.group())),
    ("share", r"(?:55|46|64|37|73|28|82|19|91)(?<![\d.]..)(?=开(?![始头门机车会店课播奖放发业]))", spelled),
    ("retirement plan", r"4(?<!\d.)0[13]\(?k\)?(?![A-Za-z])", lambda m: numbers.digits(m.group()[:3]) + "k"),
    ("ordinal", r"(\d(?<!\d.)\d{0,8})(?:st|nd|rd|th)(?![A-Za-z])", r"第\1"),
    ("ordinal", r"[Nn](?<![A-Za-z].)[Oo]\.? ?(?=\d)", "第"),
    ("all day", r"(?<=[“\"])24/7(?=[”\"])", "twenty four seven"),
    ("all day", r"2(?<!\d.)4/7(?!\d)", "二十四小时七天"),
    ("all day", r"(\d(?<![\d.].))[*×x/](24)(?=小时)", lambda m: f"{numbers.cardinal(m[1])}乘二十四"),
    (
        "per",
        rf"(?:({_NUMBER})([十百千]?[万亿])? ?[-~～—–] ?)?({_AMOUNT})([{_HAN}]{{1,3}})"
        rf"((?: ?/ ?(?:{_COUNTERS}|{alternatives(UNITS)})(?![A-Za-z²³])){{1,3}})(?![{_HAN}]?/)",
        per_counter,
    ),
    (
        "fraction",
        r"(?<![\d/.])(?:([1-9]\d?) )?([1-9]\d{0,3})/([1-9]\d{0,3})(?![\d/.]) ?(s(?![A-Za-z]))?",
        fraction,
    ),
]
COUNTS: list[Row] = [
    (
        "leading zero, or very long",
        r"\d(?<![\d.,].)(?:(?<=0)\d++|\d{11,}+)(?!\.?\d|,\d{3})",
        lambda m: numbers.digits(m.group()),
    ),
    (
        "length",
        r"(\d(?<![\d.].)\d{0,2})米(\d{1,2})(?![\d.]|[米厘公分]|[xX×*])",
        lambda m: f"{numbers.counted(m[1], '米')}米{numbers.digits(m[2])}",
    ),
    (
        "charger",
        r"(\d(?<![A-Za-z\d.].)\d{0,3}(?:\.\d{1,3})?)V ?[/*×⎓—-]? ?(\d{1,4}(?:\.\d{1,3})?)A(?![A-Za-z])",
        lambda m: f"{numbers.counted(m[1], '伏')}伏{numbers.counted(m[2], '安')}安",
    ),
    ("percentage", rf"({_NUMBER}) ?([%％‰])", percent),
    (
        "chat count",
        r"(\d(?<![\d.A-Za-z].)\d{0,2})[kK](\d)(?![A-Za-z\d])",
        lambda m: f"{numbers.counted(m[1], '千')}千{numbers.digits(m[2])}",
    ),
    (
        "chat count",
        r"(\d(?<![\d.].)\d{0,3})w(\d)(?![A-Za-z\d])",
        lambda m: f"{numbers.counted(m[1], '万')}万{numbers.digits(m[2])}",
    ),
    ("chat count", rf"({_LONE})(?:w|W(?=[+多粉人元播阅赞用块像]))(?![A-Za-z\d])", tens_of_thousands),
    (
        "chat count",
        rf"(?:({_LONE})到)?({_LONE})[kK](?![A-Za-z\d/²Ω金]| ?(?:屏|分辨|画质|视频|电视|投影|显示|超清|高清))",
        thousands,
    ),
    ("data", rf"({_LONE}) ?([KMGT])/s(?![A-Za-z])", lambda m: f"每秒{mega(m)}"),
    ("data", rf"({_LONE}) ?([MGT])(?![A-Za-z\d/])(?=宽带|内存|流量|带宽|硬盘|[^\dA-Za-z网]|$)", mega),
    (
        "measure",
        rf"(?:({_LONE})到)?({_LONE})([十百千]?[万亿]|[百千])? ?"
        rf"(?!in\d|A(?!h|$|[，。、！？；）) ]|电|充|插|快|以|的|等于|乘|除"
        rf"|加))((?:{_UNIT})(?:·(?:{_UNIT})){{0,3}})"
        rf"(?:((?:{PER_PATTERN}|/(?:{_COUNTERS})(?![\u4e00-\u9fff]/))+)(?![A-Za-z]))?"
        rf"(?![A-Za-z²³])",
        measured,
    ),
    (
        "per",
        rf"(?:({_LONE})([十百千]?[万亿])?到)?({_LONE})([十百千]?[万亿])?/"
        r"([μµmdc]?[Ll]|[kmμµn]?g|min|[sh]|[kcm]?m[²³]|[天日周月年次人晚])(?![A-Za-z²³/一-鿿])",
        bare_per,
    ),
    ("number", _NUMBER, counted),
    ("number", r"\d++", lambda m: numbers.cardinal(m.group())),
]
