"""Chinese rules for signs, slashes, dots, Roman numerals and full-width marks."""

from __future__ import annotations

import re

from speech_text.default.chinese.measures import may_be_negative
from speech_text.default.chinese.numbers import MEASURES, cardinal
from speech_text.default.spelling import CHINESE_DIGITS
from speech_text.default.table import Match, Row, after, before, roman

_HAN = "\u4e00-\u9fff"
_NUMERAL = re.compile("[一二三四五六七八九十百千万亿两零]")
_PER = re.compile(f"(?!周[日末])(?:{MEASURES}|[月时日平桌杆款户]|学期|季度|盎司)(?!{_NUMERAL.pattern})")
_QUANTITY = re.compile(rf"(?<![周期拜]){_NUMERAL.pattern} ?[a-zA-Z]?[{_HAN}]{{0,3}} ?$|每[{_HAN}]{{1,3}}$")
# Words of a list that describes a person: 1.75m/65kg/本科.
_OF_A_PERSON = re.compile("本科|硕士|博士|专科|大专|高中|未婚|已婚|离异|[男女]")
# Words before a number that names one of several offers: 套餐2 300元.
_OFFERED = re.compile("(?:套餐|方案|项目|[产样]品|选项|计划|组合|[表图]|例|第|等级|型号|款式?) ?$")
_TITLES = "Mr|Mrs|Ms|Dr|Prof|St|vs|etc|No|Jr|Sr|Inc|Ltd|Co|Vol|Fig"


def grouped(match: Match) -> str:
    """Returns a number without the blanks between its groups of digits: 100 000元 -> 100000元, 1 000 000 ->
    1000000. A number with one blank stays as it is, unless a noun such as 元 or 人 follows
    and no word such as 套餐 stands before it: 套餐2 300元 -> 套餐2，300元."""
    if _OFFERED.search(before(match)):
        return match.group().replace(" ", "，", 1)
    counted = match.group().count(" ") > 1 or re.match(" ?[元块人个美万亿]", after(match))
    return match.group().replace(" ", "") if counted else match.group()


def approximate(match: Match) -> str:
    """Returns two successive digits before a measure word as an approximate number: 3、4分钟 -> 三四分钟. At
    the beginning of a clause the first one numbers a list and stays (1、2个房间漏水)."""
    first, second = match[1], match[2]
    if int(second) != int(first) + 1 or before(match, 1) in ("", *"，。！？；：\n "):
        return match.group()
    return (first + second).replace("2", "两").translate(CHINESE_DIGITS)


def dash(match: Match) -> str:
    """Returns a pause for a hyphen between blanks before a number, unless the words before it tell that it is
    a minus sign."""
    return match.group() if may_be_negative(before(match), after(match)) else "，"


def hanzi_apart(match: Match) -> str:
    """Returns the word for a slash before Hanzi: 每 between a quantity and a measure word (三元/月),
    otherwise a comma for a pause."""
    following = after(match, 4)
    per = _PER.match(following) and not _OF_A_PERSON.match(following)
    return "每" if per and _QUANTITY.search(before(match, 6)) else "，"


SIGNS: list[Row] = [
    ("unit", r"°C|℃", "摄氏度"),
    ("unit", r"°F|℉", "华氏度"),
    ("unit", r"m(?<![A-Za-z].)²", "平方米"),
    ("unit", r"°", "度"),
    ("percent", r"[%％]", "百分号"),
    ("and", r"(?<=[A-Za-z]) ?& ?(?=[A-Za-z])", " and "),
    ("and", r"&", "和"),
    ("at", r"@", "艾特"),
    ("sharp", r"([A-G](?<![A-Za-z].))#", r"\1 sharp "),
    ("slash", rf"/ ?(?=[{_HAN}])", hanzi_apart),
    ("bar", r"\|", "，"),
    ("slash", r"/", " "),
]

_KINGS = (
    "伊丽莎白|亨利|路易|查尔斯|查理|乔治|爱德华|威廉|尼古拉|亚历山大|叶卡捷琳娜"
    "|约翰·保罗|保罗|本笃|腓特烈|拿破仑"
)
ROMAN: list[Row] = [
    ("section", r"§ ?(\d{1,4}(?:\.\d{1,3}){0,3})", r"第\1条"),
    ("monarch", rf"({_KINGS}) ?([IVX]{{1,5}})(?![A-Za-z世])", lambda m: f"{m[1]}{roman(m[2])}世"),
    (
        "roman numeral",
        r"(?<![A-Za-z\d])(?![VX]型|[VX]世代)([IVX]{1,4})(?=[型级期度类世章节部卷]|[A-Ca-c]\d?期)",
        lambda m: cardinal(str(roman(m[1]))),
    ),
    (
        "roman numeral",
        rf"([IVX](?<=[{_HAN}].)(?:(?<=I)I{{1,2}}|(?<=I)[VX]|(?<=[VX])I{{1,3}}|(?<=X)IV))(?<!(?:企业|公司|品牌)VI)(?![A-Za-z]|设计|手册)"
        rf"|([IV](?<=[A-Za-z{_HAN}] .)(?:(?<=I)I{{1,2}}|(?<=I)[VX]|(?<=V)I{{2,3}}))(?![A-Za-z])",
        lambda m: str(roman(m[1] or m[2])),
    ),
]

DOTS: list[Row] = [
    ("initials", r"([A-Za-z](?<![A-Za-z].)\.(?: ?[A-Za-z]\.)+)", lambda m: m[1].replace(".", " ")),
    ("initial", r"\.(?<=[A-Z].)(?<![A-Za-z]{2}.)(?=[A-Z][a-z])", " "),
    ("title", rf"(?<![A-Za-z])({_TITLES})\.(?= ?[A-Za-z{_HAN}])", r"\1 "),
    ("dot", r"\.(?:(?<=[A-Za-z].)(?=[A-Za-z0-9])|(?<=\d.)(?=[A-Za-z]))", "点"),
    ("dot", r"\.(?<![\w.].)(?=\d)", "0."),
    ("dot", r"\.(?<![\w.].)(?=[A-Za-z])", "点"),
    ("underscore", r"_", " "),
]

_LATITUDES = {"N": "北纬", "S": "南纬", "E": "东经", "W": "西经"}
_ANGLE = r"\d{1,3}(?:\.\d{1,9})?°(?: ?\d{1,2}(?:\.\d{1,6})?[′'])?(?: ?\d{1,2}(?:\.\d{1,6})?[″\"])?"


def place(match: Match) -> str:
    """Returns a geographic latitude or longitude with its direction in front: 39°54′N -> 北纬39°54′. If a
    word such as 北纬 stands before it already, the letter is dropped."""
    letter, angle = match[1] or match[4], match[2] or match[3]
    named = before(match, 3).rstrip(" 为是：:").endswith(("纬", "经"))
    return angle if named else _LATITUDES[letter] + angle


WIDE: list[Row] = [
    ("comma", rf",(?:(?<=[{_HAN}],)|(?<=[^A-Za-z][A-Za-z]\d,)|(?<!\d,)|(?!\d{{3}}))", "，"),
    ("dash", rf" - (?<=[{_HAN}] - )(?=\d)", dash),
    (
        "approximate",
        "(?<![\\d第、.])([1-8])、([2-9])"
        "(?=分钟|小时|[百千万十]|[个天次位本岁块元斤米人家倍](?!月份|级|楼)|公里|年(?!级))",
        approximate,
    ),
    ("place", rf"([NSEW])(?<![A-Za-z].) ?({_ANGLE})|({_ANGLE}) ?([NSEW])(?![A-Za-z])", place),
    (
        "era",
        r"(?<=[（(])(约?)(?:公元)?前(\d{2,4})年? ?[-~～—–]+ ?(约?)(?:公元)?前(\d{2,4})年?[？?]?(?=[）)])",
        r"\1公元前\2年到\3公元前\4年",
    ),
    (
        "pages",
        r"(?<![A-Za-z\d.])(P(?=\d{1,4} ?[-~～—–])|pp?\.) ?(\d{1,4})( ?[-~～—–] ?(?=P?\d{1,4}(?![\d.])))?",
        lambda m: f"{m[1].replace('.', ' ')}{m[2]}{'到' * bool(m[3])}",
    ),
    ("short form", r"\.(?<=[a-z].)(?<!\.[a-z].)(?: ?(?=[(（])| (?=\d))", " "),
    ("era", r"(公元)?(前[零\d]{1,4}(?:年|世纪)[初中末]?) ?[-~～—–] ?(?=(?:公元)?前?\d)", r"\1\2到"),
    (
        "opus",
        r"[Oo](?<![A-Za-z].)p\. ?(\d{1,3})(?:(?:[,，]? ?[Nn]o\. ?|-)(\d{1,2}))?",
        lambda m: f"作品{m[1]}{'第' + m[2] + '首' if m[2] else ''}",
    ),
    (
        "year",
        r"(?<=[社局馆店司学院])([，,] ?)((?:1[89]|20)\d\d)(?:[:：] ?(?=\d)|(?=[.。]?$))",
        lambda m: f"，{m[2].translate(CHINESE_DIGITS)}，",
    ),
    ("note", r"♩ ?(?=[=＝])", "四分音符"),
    ("number sign", rf"#(?<=\d.)(?=[{_HAN}])", "号"),
    ("leading zero", r"0(?<=[年月]0)(?=[1-9][月日号])", ""),
    ("money", r"\.00(?<=\d.00)(?= ?元)", ""),
    ("full-width mark", r"[：∶](?<=\d.)(?=\d)", ":"),
    ("span", rf"[-–—~～](?:(?<=^.)|(?<=[（( ].))(?=[12]\d{{3}}年)|(?<=\d)-(?=(?:{MEASURES}|月))", "到"),
    ("minus", r"-(?<![\w%)）].)(?=百分之|\d[\d.]{0,9}的(?:绝对值|相反数|倒数|平方|立方))", "负"),
    ("decimal", rf"\.(?<=[{_HAN}].)(?=\d{{1,3}} ?(?:口径|[%％倍米克秒]))", "0."),
    ("decimal", r"\.(?:(?<=^.)|(?<=[\s(（=<>≥≤约为是].))(?=\d)", "0."),
    (
        "thousands",
        r"[1-9](?<![\d.,-].)(?<!\d .)\d{0,2}(?: \d{3}){1,4}(?= ?[元块人个美万亿]|[，。]?$)(?<= \d{3})",
        grouped,
    ),
]
