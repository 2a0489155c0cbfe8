"""Chinese: two numbers and what is between them (scores, ratios, spans, differences), minus signs, sums."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.chinese.teams import TEAM_BEFORE, TEAM_BEHIND
from glm_tts_api.text.default.chinese.times import MEDIA, SCORE, lead, trail
from glm_tts_api.text.default.table import Match, Row, after, before

_HAN = "\u4e00-\u9fff"
_DIFFERENCE = re.compile(r"\s*(?:等于|是多少|得多少|得几|等于几|的差|的结果|=|≠|≈|[<>])")
_NAME_BEFORE = re.compile(r"(?:房间|门牌|编号|型号|副本|关卡|主线|支线|深渊|秘境|[栋座幢])\s*$")
_NAME_AFTER = re.compile(r"\s*[室号房幢栋]")
_UNITS = (
    f"[%％‰]|°C?|摄氏度|{numbers.MEASURES}|日|号|月份?|年级?|点|楼"
    "|级|环|路|班|[A-Za-z]{1,3}(?:/[A-Za-z]{1,2})?"
)
# Behind these a hyphen before a number is a minus sign.
_MAY_BE_NEGATIVE = re.compile(
    "(?:温[度差]?|低温|高温|即|或|由|从|成|为|是|到|至|于|跌|降|涨跌?幅?|增[长速幅]?"
    "|下降|约|得|等于|在|达|零下|加|减|乘|除以?|值|增长率|同比|环比"
    "|[，、和与（(]"
    "|差|亏损|亏|负债|现金流|净流[入出]|[得评]分|浮[动盈亏]|收益率?|回报率?|敞口|结余|变动|偏差|修正|"
    "基差|[升贴]水|净值|毛利率?|[左右]眼|散光|[球柱]镜|高程|标高"
    "|利润|净额|净利|余额|海拔|系数|指数|电压|分贝|[xyzab]"
    "|比|取|设|输入|输出|返回|数|度数|近视|温度计|[早晚白夜]间?|天"
    "|北京|哈尔滨|漠河|分)[约了超过近]{0,2}[：: ]?$"
)


_HYPHEN_SCORE = re.compile(
    "打出|轰出|攻击波|小高潮|赛点|盘点|半场|上半时|主场|客场|终场|节末|开局|抢七|大比分|系列赛|手握"
)


_ROOM = re.compile(r"[1-9]\d?(?:0[1-9]|[12]\d)")  # 1801: a floor, then the door
_UNIT_BEHIND = re.compile(" ?(?:[%％‰°℃元块万亿]|[A-Za-z])")
_NAME_BESIDE = re.compile("[A-Za-z房室栋座图表章课版式型款号尺码][：: ]?$")
_SCORES_BEFORE = re.compile("比[零一二三四五六七八九十百]{1,6}[、，,和及与 ]{1,2}$")


def number_span(match: Match) -> str:
    """Two numbers with a hyphen: a score, a difference, a span or, failing all, a name such as 3-201."""
    first, unit, mark, second = match[1], match[2] or "", match[3], match[4]
    near, rest = lead(match), after(match)
    clause = re.split("[，。；！？,;]", near)[-1] + " " + re.split("[。；！？;]", trail(match))[0] + " "
    if unit in ("x", "y", "z", "n", "a") and mark == "-":
        return f"{first}{unit}减{second}"
    if mark in "~～" or unit.strip():
        return f"{_of(first, unit or rest)}{unit}到{second}"
    if (
        "." not in first + second
        and len(first) < 4
        and (
            SCORE.search(clause)
            or _HYPHEN_SCORE.search(clause)
            or _SCORES_BEFORE.search(near)
            or _falls(match)
            or re.match("[，(（]\\d{1,2}[)）]", rest)
            or (TEAM_BEFORE.search(near) and TEAM_BEHIND.match(rest))
        )
        and not re.match("[名位个天年人球分]", rest)
    ):
        return f"{numbers.cardinal(first)}比{numbers.cardinal(second)}"
    if _DIFFERENCE.match(rest) or re.search(
        r"(?:[=+*×÷]|考我|口算|计算|算一?算|算式|速算|(?<!要)求)[：: ]*$", near
    ):
        return f"{first}减{second}"
    if (
        _NAME_AFTER.match(rest) and (len(second) > 2 or float(first) >= float(second))
    ) or _NAME_BEFORE.search(near):
        return f"{first}杠{second}"
    if (
        len(first) < 3
        and _ROOM.fullmatch(second)
        and not numbers.MEASURE.match(rest)
        and not _UNIT_BEHIND.match(rest)
    ):
        return f"{numbers.cardinal(first)}杠{numbers.dialled(second)}"
    if first == "0" and re.match("[，。！？；、]|$", rest):
        return f"零比{second}"
    if float(first) >= float(second):
        named = _NAME_BESIDE.search(near) or re.match(r" ?[型款号版A-Za-z]", rest) or "." in first + second
        return f"{first}{'杠' if named else '比'}{second}"
    share = "%" if rest.startswith(("%", "％")) else ""
    return f"{first if near.endswith('第') else _of(first, rest)}{share}到{second}"


_PAIR = r"\d{1,3}-\d{1,3}"
_LIST = re.compile(rf"(?:{_PAIR}[、，, ]{{1,2}}){{1,9}}$")
_REST = re.compile(rf"(?:[、，, ]{{1,2}}{_PAIR}(?![\d-])){{1,9}}")


def _falls(match: Match) -> bool:
    """Whether `match` stands in a list of pairs, one of which falls: 11-8、11-13 are scores."""
    beside = _LIST.search(before(match, 60)), _REST.match(after(match, 60))
    listed = [found.group() for found in beside if found]
    pairs = re.findall(r"(\d+)-(\d+)", " ".join(listed))
    return any(int(first) > int(second) for first, second in pairs)


def _of(number: str, noun: str) -> str:
    """2-3个: 两到三个."""
    return numbers.counted(number, noun.lstrip()) if number == "2" else number


def score(match: Match) -> str:
    if re.fullmatch("[0-5]\\d", match[2]) and "." not in match[1] and MEDIA.search(before(match)):
        return f"{numbers.counted(match[1], '分')}分{numbers.cardinal(match[2])}秒"
    return f"{numbers.cardinal(match[1])}比{numbers.cardinal(match[2])}"


def chain(match: Match) -> str:
    """3:2:1."""
    return "比".join(map(numbers.cardinal, match.group().split(":")))


def minus(match: Match) -> str:
    """A hyphen before a number, behind a Hanzi or a bracket: a minus where the number can be negative."""
    near, rest = before(match), after(match, 24)
    measured = re.match(
        r"\d{1,9}(?:\.\d{1,9})? ?(?:[%％‰℃°度万亿=<>≤≥]|[大小]于|的[平立]方|的.{1,6}次方"
        r"|摄氏度|分贝|dB|V|元|美元)|\d{1,9}\.\d",
        rest,
    )
    if measured or _MAY_BE_NEGATIVE.search(near):
        return "负"
    return ""


def formation(match: Match) -> str:
    """4-3-3: ten players in their lines."""
    lines = match.group().split("-")
    named = re.match("的?(?:阵|打法|站位|战术|体系|踢法|转|变)", after(match))
    return numbers.digits("".join(lines)) if named or sum(map(int, lines)) == 10 else match.group()


_NUMBER = r"\d{1,30}+(?:\.\d{1,30}+)?"
_FIRST = r"\d(?<![\w.].)\d{0,29}+(?:\.\d{1,30}+)?"  # no letter, digit or dot before it
_ARROWS = "→➜⇒⟶"

SPANS: list[Row] = [
    (
        "formation",
        r"\d(?<![\d-].)(?:-\d){2,3}(?![\d-])",
        formation,
    ),
    ("offer", r"(\d(?<=满.)\d{1,4})-(\d{1,5})(?!\d)", r"\1减\2"),
    ("number in brackets", r"[（(](?:(?<=[。；：，！？].)|(?<=^.))(\d{1,2})[)）]", r"\1，"),
    ("bracket", rf"[()（）](?:(?<=[{_HAN}][)）])|(?<=\d[（(]))(?=\d)", "，"),
    ("comparison", r"≤|<=(?![=-])", "小于等于"),
    ("comparison", r"≥|>=(?!=)", "大于等于"),
    ("arrow", rf"(?<=[\w%℃°）){_HAN}]) ?[{_ARROWS}] ?(?=[\w（({_HAN}-])", "到"),
    ("arrow", rf"[-=~]{{0,3}}[{_ARROWS}]|[-=]{{1,3}}>|<[-=]{{1,3}}(?!\d)|[←↑↓↔]", "，"),
    (
        "ratio",
        r"([A-Za-z](?<![A-Za-z].)) ?[:：∶] ?([A-Za-z])(?= ?[=＝]|的?比|[:：∶][A-Za-z](?![A-Za-z]))",
        r"\1比\2",
    ),
    ("ratio", r"[:：](?<=[甲乙丙丁].)(?=[甲乙丙丁])", "比"),
    ("ratio", r"\d(?<![\d.].)(?<!\d:.)\d{0,5}(?::\d{1,6}){2,}(?![\d:])", chain),
    ("ratio", rf"(\d(?<![\d.].)(?<!\d:.)\d{{0,29}}+(?:\.\d{{1,30}}+)?) ?[:∶] ?({_NUMBER})(?![\d:])", score),
    (
        "versus",
        r"(\d(?<![\dA-Za-z].)\d?) ?(?:[vV][sS]?\.?) ?(\d{1,2})(?![\dA-Za-z.])",
        lambda m: f"{numbers.cardinal(m[1])}v{numbers.cardinal(m[2])}",
    ),
    (
        "name",
        rf"(\d(?<![\w.-].)\d{{0,29}}+(?:\.\d{{1,30}}+)?)(?:-{_NUMBER}){{2,}}(?! ?=)",
        lambda m: m.group().replace("-", "杠"),
    ),
    ("option", r"-(?<=[a-z]{2} -)(?=\d{1,4}(?![\d.]))", "杠"),
    ("minus", rf"-(?<![\w%°)）{_HAN}-]-)(?<![\w)%] -)(?=\.?\d)", "负"),
    (
        "minus",
        rf"-(?<=[{_HAN}].)(?=\d{{1,9}}(?:\.\d{{1,9}})? ?(?:[%度]|°C?)? ?[~～] ?[-负]?\d)",
        "负",
    ),
    (
        "span",
        rf"({_FIRST})( ?(?:{_UNITS}))? ?([-~～]|[—–]+) ?({_NUMBER})(?![A-Za-z]*-)",
        number_span,
    ),
    ("span", r"([A-Za-z](?<![A-Za-z\d].))(\d{1,9})[-~～](?=\1\d)", r"\1\2到"),
    ("span", r"(?<=[%％‰℃度元点年月日号米克升斤万亿瓦方]) ?[~～—–-]+ ?(?=负?-?\d)", "到"),
    (
        "span",
        r"(?<=[一二三四五六七八九十日号月年初升克米度方吨]) ?(?:[-~～–]"
        r"|—(?!—)) ?(?=[周星期零一二三四五六七八九十今明次上下])",
        "到",
    ),
    ("tilde", r"~(?<=[A-Z]{2}~)(?=\d)", "波浪号"),
    ("span", r"[~～](?<=[\dA-Za-z²³Ω°%].) ?(?=\d|-|负)", "到"),
    ("minus", r"(?<=\d) ?- ?(?=\d{1,30}(?:\.\d{1,30})? ?[=≠≈+*×÷-])|(?<=[=+*×÷] \d) ?- ?(?=\d)", "减"),
    ("name", r"-(?<=\d.)(?=\d)", "杠"),
    ("minus", rf"-(?<=[{_HAN}].) ?(?=\d)", minus),
    ("minus", r"-(?<=[A-Za-z].)(?=\d)", ""),
    ("minus", r" - (?<=[)）] - )(?=\d)", "减"),
    ("minus", r"-(?<![\w%°)-].) ?(?=\.?\d)", "负"),
    ("minus", r"(?<=\w) - (?=\d)|(?<=[\d)]) ?- ?(?=[A-Za-z(]\b)", "减"),
    ("dash", rf"(?<=[\w{_HAN}]) ?-+ ?(?=[{_HAN}])|(?<=[{_HAN}]) ?-+ ?(?=\w)", "，"),
    ("dash", r"-(?<=[A-Za-z].)(?=[A-Za-z])", " "),
]
