"""Chinese: two numbers and what is between them (scores, ratios, spans, differences), minus signs, sums."""

from __future__ import annotations

import re

from glm_tts_api.text.default.characters import plain_exponent
from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.chinese.teams import TEAM_BEFORE, TEAM_BEHIND
from glm_tts_api.text.default.chinese.times import MEDIA, SCORE, lead, trail
from glm_tts_api.text.default.chinese.units import PER, PER_PATTERN, UNITS, per_name, unit_name
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

_HAN = "\u4e00-\u9fff"
_DIFFERENCE = re.compile(r"\s*(?:等于|是多少|得多少|得几|等于几|的差|的结果|=|≠|≈|[<>])")
_NAME_BEFORE = re.compile(r"(?:房间|门牌|编号|型号|[栋座幢])\s*$")
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
    if _DIFFERENCE.match(rest) or re.search(r"(?:[=+*×÷]|考我|口算|计算|算一?算|算式|速算|(?<!要)求)[：: ]*$", near):
        return f"{first}减{second}"
    if (_NAME_AFTER.match(rest) and not re.match(" ?号(?:[到至前]|$)", rest)) or _NAME_BEFORE.search(near):
        return f"{first}杠{second}"
    if first == "0" and re.match("[，。！？；、]|$", rest):
        return f"零比{second}"
    if float(first) >= float(second):
        named = _NAME_BESIDE.search(near) or re.match(r" ?[型款号版A-Za-z]", rest) or "." in first + second
        return f"{first}{'杠' if named else '比'}{second}"
    return f"{first if near.endswith('第') else _of(first, rest)}{'%' if rest.startswith(('%', '％')) else ''}到{second}"


_PAIR = r"\d{1,3}-\d{1,3}"
_LIST = re.compile(rf"(?:{_PAIR}[、，, ]{{1,2}}){{1,9}}$")
_REST = re.compile(rf"(?:[、，, ]{{1,2}}{_PAIR}(?![\d-])){{1,9}}")


def _falls(match: Match) -> bool:
    """Whether `match` stands in a list of pairs one of which falls, so that they are no spans: 11-8、11-13."""
    listed = [found.group() for found in (_LIST.search(before(match, 60)), _REST.match(after(match, 60))) if found]
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


def exponent(match: Match) -> str:
    """10²⁰, x^-2: the base, then its power."""
    base, power = match[1], plain_exponent(match[2].strip("^{}( )"))
    if power in ("2", "3") and not base.isdigit():
        return f"{base}的{'平方' if power == '2' else '立方'}"
    if power in ("2", "3"):
        return f"{base}的{'平方' if power == '2' else '立方'}"
    sign = "负" if power.startswith("-") else ""
    body = power.lstrip("+-")
    return f"{base}的{sign}{numbers.cardinal(body) if body.isdigit() else body}次方"


def ion(match: Match) -> str:
    """Fe³⁺."""
    return f"{match[1]}{plain_exponent(match[2])}{'加' if match[3] == '⁺' else '负'}"


def inverse(match: Match) -> str:
    """m·s⁻¹: m/s."""
    return f"/{match[1]}{match[2].strip('¹')}" if match[1] in PER else match.group()


def power_of_unit(match: Match) -> str:
    """10³kg/m³: the power, then its unit."""
    unit = f"{unit_name(match[3])}{'每' + per_name(match[4]) if match[4] else ''}" if match[3] else ""
    return exponent(match) + unit


def unit_of_power(match: Match) -> str:
    """次方 m/s: the unit behind a power in words."""
    unit = unit_name(match[1]) if match[1] else ""
    return match.group() if unit is None else f"方{unit}{'每' + per_name(match[2]) if match[2] else ''}"


_NUMBER = r"\d{1,30}+(?:\.\d{1,30}+)?"
_FIRST = r"\d(?<![\w.].)\d{0,29}+(?:\.\d{1,30}+)?"  # no letter, digit or dot before it
_ARROWS = "→➜⇒⟶"
_UNIT = alternatives(UNITS)

POWERS: list[Row] = [
    ("dot", r"\.(?<=[A-Za-z].)(?=\d)", "点"),
    ("difference", r"-(?<=(?<![A-Za-z\d])[a-z].)(?=\d)", "减"),
    ("per", r"/(?<=[A-Za-z]/)100 ?km(?![A-Za-z/])", "每百公里"),
    ("per", rf"/(?<=[A-Za-z].)(?=10{{1,3}} ?(?:{alternatives(UNITS)})(?![A-Za-z]))", "每"),
    ("factorial", r"[!！](?<=[\dn].)(?=\s?[=*×+÷/的])", "的阶乘"),
    ("per", r"(?<=[A-Za-z])[·. ]?([A-Za-zμµΩ]{1,4})⁻([¹²³])", inverse),
    (
        "power",
        rf"(\d(?<![A-Za-z\d].)\d{{0,29}})([⁰¹²³⁴-⁹⁺⁻]{{1,9}})"
        rf"(?: ?((?:{_UNIT})(?:·(?:{_UNIT})){{0,3}})((?:{PER_PATTERN})*)(?![A-Za-z²³/]))?",
        power_of_unit,
    ),
    (
        "logarithm",
        r"(l(?<![A-Za-z].)(?:og|g))_?\{?(\d{1,9})\}?[ (（]+(\d{1,30}|[a-zA-Z])[)）]?",
        r"\1以\2为底\3的对数",
    ),
    ("power", r"(?<![A-Za-z\d.])(\d{1,30}|[A-Za-z]|\)) ?(\^ ?[({]?[-+]?\w{1,9}[)}]?)", exponent),
    (
        "measure",
        rf"方(?<=次方) ?((?:{_UNIT})(?:·(?:{_UNIT})){{0,3}})?((?:{PER_PATTERN})*)(?![A-Za-z²³/])",
        unit_of_power,
    ),
    (
        "difference",
        r"-(?:(?<=[²³方]-)(?=\d)|(?<=[²³方A-Za-z\d)]-)(?=[A-Za-z\d(][²³]|[a-z]?\d{0,3}(?:[a-z]²)?的?"
        r"(?:平方|立方))|(?<=[²³]-)(?=[A-Za-z\d(]))",
        "减",
    ),
    ("difference", r"-(?<=(?<![A-Za-z])[A-Za-z].)(?=[A-Za-z](?: ?[=+*<>≤≥]))", "减"),
    ("remainder", r"(=\d{1,9}) ?(?:…{1,2}|\.{3,6}) ?(?=\d)", r"\1余"),
    (
        "formation",
        r"\d(?<![\d-].)(?:-\d){2,3}(?![\d-])",
        formation,
    ),
]

SPANS: list[Row] = [
    ("offer", r"(\d(?<=满.)\d{1,4})-(\d{1,5})(?!\d)", r"\1减\2"),
    ("number in brackets", r"[（(](?:(?<=[。；：，！？].)|(?<=^.))(\d{1,2})[)）]", r"\1，"),
    ("bracket", rf"[()（）](?:(?<=[{_HAN}][)）])|(?<=\d[（(]))(?=\d)", "，"),
    ("comparison", r"≤|<=(?![=-])", "小于等于"),
    ("comparison", r"≥|>=(?!=)", "大于等于"),
    ("arrow", rf"(?<=[\w%℃°）){_HAN}]) ?[{_ARROWS}] ?(?=[\w（({_HAN}-])", "到"),
    ("arrow", rf"[-=~]{{0,3}}[{_ARROWS}]|[-=]{{1,3}}>|<[-=]{{1,3}}(?!\d)|[←↑↓↔]", "，"),
    ("ratio", r"([A-Za-z](?<![A-Za-z].)) ?[:：∶] ?([A-Za-z])(?= ?[=＝]|的?比|[:：∶][A-Za-z](?![A-Za-z]))", r"\1比\2"),
    ("ratio", r"\d(?<![\d:.].)\d{0,5}(?::\d{1,6}){2,}(?![\d:])", chain),
    ("ratio", rf"(\d(?<![\d:.].)\d{{0,29}}+(?:\.\d{{1,30}}+)?) ?[:∶] ?({_NUMBER})(?![\d:])", score),
    (
        "versus",
        r"(\d(?<![\dA-Za-z].)\d?) ?(?:[vV][sS]?\.?) ?(\d{1,2})(?![\dA-Za-z.])",
        lambda m: f"{numbers.cardinal(m[1])}v{numbers.cardinal(m[2])}",
    ),
    ("name", rf"(\d(?<![\w.-].)\d{{0,29}}+(?:\.\d{{1,30}}+)?)(?:-{_NUMBER}){{2,}}(?! ?=)", lambda m: m.group().replace("-", "杠")),
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
        r"(?<=[一二三四五六七八九十日号月年初升克米度方吨]) ?(?:[-~～–]|—(?!—)) ?(?=[周星期零一二三四五六七八九十今明次上下])",
        "到",
    ),
    ("span", r"[~～](?<=[\dA-Za-z²³Ω°%].) ?(?=\d|-|负)", "到"),
    ("minus", r"(?<=\d) ?- ?(?=\d{1,30}(?:\.\d{1,30})? ?[=≠≈+*×÷-])|(?<=[=+*×÷] \d) ?- ?(?=\d)", "减"),
    ("name", r"-(?<=\d.)(?=\d)", "杠"),
    ("minus", rf"-(?<=[{_HAN}].) ?(?=\d)", minus),
    ("minus", r"-(?<=[A-Za-z].)(?=\d)", ""),
    ("minus", r"-(?<![\w%°)-].) ?(?=\.?\d)", "负"),
    ("minus", r"(?<=\w) - (?=\d)|(?<=[\d)]) ?- ?(?=[A-Za-z(]\b)", "减"),
    ("dash", rf"(?<=[\w{_HAN}]) ?-+ ?(?=[{_HAN}])|(?<=[{_HAN}]) ?-+ ?(?=\w)", "，"),
    ("dash", r"-(?<=[A-Za-z].)(?=[A-Za-z])", " "),
]

SUMS: list[Row] = [
    ("plus or minus", r"±|\+/-", "正负"),
    ("plus or minus", r"(?<=[的为是达：]) ?\+(?=\d)", "正"),
    ("plus", r"\+(?<=[A-Za-z].)\+", "加加"),
    ("plus", r"\+(?<=\d.)(?=[岁年元万亿个人家名种款项条座所次台天位场件城国])", "多"),
    ("plus", r"\+", "加"),
    ("divided", r"/(?<=[\d)A-ZΩ ].) ?(?=\d[\d.]{0,9}[A-ZΩ]? ?(?:[=≈²³^×*÷]|的[平立]方))", "除以"),
    ("quotient", r"/(?<=[)].)(?=[A-Za-z\d(])", "除以"),
    ("quotient", r"([A-Za-z](?<![A-Za-z\d].))/([A-Za-z])(?= ?[<>=≥≤≠+*×]|的值)", r"\2分之\1"),
    ("equals", r"={1,3}", "等于"),
    (
        "times",
        r"(?<=[\w)²³%米元]) ?[*×] ?(?=[\d(])|(?<=[\d)]) ?[*×xX] ?(?=\d)|(?<=[\d)]) ?[*×] ?(?=\w)",
        "乘",
    ),
    ("times", r"[xX](?<=\d.)(?=\d)", "乘"),
    ("times", r"×", "乘"),
    ("divided", r"÷", "除以"),
    ("slash", r"/(?<=\d.)(?=\d)", "，"),
    ("slash", r"/(?<=[A-Za-z].)(?=\d)", " "),
    ("about", r"≈", "约等于"),
    ("root", r"√", "根号"),
    ("angle", r"∠ ?(?=[A-Z1-9])", "角"),
    ("triangle", r"△ ?(?=[A-Z])", "三角形"),
    ("infinity", r"∞", "无穷大"),
    ("about", r"[~～](?<=约.)(?=\d)", ""),
    ("about", r"[~～](?<![\w.].) ?(?=\d)", "约"),
]

LETTERS: list[Row] = [
    ("ion", r"([A-Z][a-z]?)([²³⁴-⁷]?)([⁺⁻])(?![¹²³⁴-⁹])", ion),
    ("power", r"([A-Za-z](?<![A-Za-z].)(?!(?<=m)[²³]))([⁰¹²³⁴-⁹⁺⁻]{1,9})", exponent),
    ("power", r"(\))([⁰¹²³⁴-⁹⁺⁻]{1,9})", exponent),
    ("hyphen", r"-+", " "),
]
