"""Words for Chinese signs, formulas, names and bare numbers. Tables tokens_zh.tsv and signs_zh.tsv name these
functions and patterns."""

from __future__ import annotations

import re
from collections.abc import Callable

from speech_text.default.characters import plain_exponent
from speech_text.default.chinese import numbers
from speech_text.default.chinese.numbers import MEASURES, cardinal, dialled, digits
from speech_text.default.data import either, lists
from speech_text.default.number_tagger import by_name
from speech_text.default.spelling import CHINESE_DIGITS, CHINESE_MARKS, EMAIL, URL, spell_address
from speech_text.default.table import Match, after, before, roman
from speech_text.default.tokens import Vocabulary

_HAN = "\u4e00-\u9fff"
_NUMERALS = "零幺一二两三四五六七八九十百千万"
_LISTS = lists("lists_zh.tsv")
_LATITUDES = {"N": "北纬", "S": "南纬", "E": "东经", "W": "西经"}
_DIGIT_NAMES = {chr(code): name for code, name in CHINESE_DIGITS.items()}
_PER = re.compile(
    f"(?!周[日末]|本科|大专|[男女])(?:{MEASURES}|[月时日平桌杆款户]|学期|季度|盎司)(?![{_NUMERALS}亿])"
)
_QUANTITY = re.compile(rf"(?<![周期拜])[{_NUMERALS}亿] ?[a-zA-Z]?[{_HAN}]{{0,3}} ?$|每[{_HAN}]{{1,3}}$")

_PATTERNS = {
    "angle": r"\d{1,3}(?:\.\d{1,9})?°(?: ?\d{1,2}(?:\.\d{1,6})?[′'])?(?: ?\d{1,2}(?:\.\d{1,6})?[″\"])?",
    "code_word": "[单证税牌编账帐会员订卡款货机利]号|快递单号|订单号|车牌号?|序列号|车架号|发动机号"
    r"|(?:CN|ZL)(?=20\d{10})|验证码|激活码|兑换码|邀请码|提取码|SN|密码",
    "counted": MEASURES,
    "email": EMAIL.pattern,
    "end": r"([-+]?[\w√π∞/.]{1,6})",  # of an interval
    "factor": r"(?:(?:sin|cos|tan|ln) ?)?[A-Za-zα-ω]{1,2}\d?(?:[²³]|的[平立]方)?",
    "king": "|".join(_LISTS["king"]),
    "n": _NUMERALS,
    "password_word": "口令|(?:密|激活|兑换|邀请|验证|提取)码|账号|用户名|微信号?|[Vv]x?(?=[:：])",
    "signs": either(_LISTS["sign"].keys() - "△"),
    "term": "(?:(?:π?[xyznabrαβθλ]|π)[²³]?)",
    "url": f"(?i:{URL.pattern})",
}


def masked(match: Match) -> str:
    """Returns 某 for each × of `match`. Behind three digits, in a telephone number, it stays *."""
    return "*某"[not re.search(r"\d{3}$", before(match))] * len(match[0])


def place(match: Match) -> str:
    """Returns a geographic latitude or longitude with its direction in front: 39°54′N -> 北纬39°54′. If a
    word such as 北纬 stands before it already, the letter is dropped."""
    letter, angle = match[1] or match[4], match[2] or match[3]
    named = before(match, 3).rstrip(" 为是：:").endswith(("纬", "经"))
    return angle if named else _LATITUDES[letter] + angle


def hanzi_apart(match: Match) -> str:
    """Returns the word for a slash before Hanzi: 每 between a quantity and a measure word (三元/月),
    otherwise a comma for a pause."""
    return "每" if _PER.match(after(match, 4)) and _QUANTITY.search(before(match, 6)) else "，"


def without_commas(match: Match) -> str:
    """Returns a number without its thousands separators, in digits. A number of more than 11 digits, or with
    another number directly behind it, is written in Chinese words, since later rules would take its digits
    for a name."""
    number = match[0].replace(",", "")
    return cardinal(number) if len(number) > 11 or after(match, 1).isdigit() else number


def counted(match: Match) -> str:
    """Returns a bare number in Chinese words; a 2 before a measure word is 两. If a Chinese numeral follows a
    number of several digits, a comma is added between both: the 120 of 90/120六挡."""
    rest = re.sub(r"^ ?[到至] ?\d[\d.]*(点?)", lambda m: m[1] and "个", after(match)).lstrip()
    pause = "，" if len(match[0]) > 1 and rest[:1] and rest[0] in "一二三四五六七八九十" else ""
    return numbers.counted(match[0], rest, before(match)) + pause


def exponent(match: Match) -> str:
    """Returns a power in Chinese words: 10²⁰ -> 10的二十次方, x^-2 -> x的负二次方, x^2 -> x的平方. The base
    stays."""
    base, power = match[1], plain_exponent(match[2].strip("^{}( )"))
    if power in ("2", "3") and base != "10":
        return f"{base}的{'平方' if power == '2' else '立方'}"
    body = power.lstrip("+-")
    return f"{base}的{'负' * (power[0] == '-')}{cardinal(body) if body.isdigit() else body}次方"


def ion(match: Match) -> str:
    """Returns an ion with its charge in Chinese: Fe³⁺ -> Fe3加."""
    return f"{match[1]}{plain_exponent(match[2])}{'加' if match[3] == '⁺' else '负'}"


def over(match: Match) -> str:
    """Returns a quotient of letters in Chinese next to another sign of a formula: a/b= -> b分之a=."""
    if match[0] == "m/s":
        return match[0]
    told = re.match(" ?[<>=≥≤≠+*×]|的[值极]", after(match)) or re.search("=$|[A-Za-z)][<>+×]$", before(match))
    return f"{match[2]}分之{match[1]}" if told else match[0]


def quotient(match: Match) -> str:
    """Returns a fraction with a letter or a root in Chinese: 4x/3 -> 三分之4x, 1/n² -> n²分之一."""
    minus, above, below, factor = match.groups("")
    above, below = (cardinal(part) if part.isdigit() else part for part in (above, below))
    return f"{'减' * bool(minus)}{below}{factor}分之{above}"


def absolute(match: Match) -> str:
    """Returns an absolute value in Chinese: |x-1| -> x减1的绝对值. In a text about complex numbers or vectors
    |z| is z的模. A minus sign within, before or behind it is said as well."""
    name = "模" if re.search("复数|向量", before(match, 40)) else "绝对值"
    outer = match[1] and ("减" if re.match(r"[A-Za-z\d)]", before(match, 1)) else "负")
    inner = re.sub("^-", "负", re.sub(r"(?<=[\w²³)])-", "减", match[2]))
    return f"{outer}{inner}的{name}{'减' * bool(match[3])}"


_WORDS: dict[str, Callable[[str], str]] = {
    "address": lambda address: spell_address(address, CHINESE_MARKS, _DIGIT_NAMES),
    "cardinal_roman": lambda numeral: cardinal(str(roman(numeral))),
    "code": lambda code: dialled(code.replace("-", "").replace(".", "点")),
    "digits": digits,
    "password": lambda code: dialled(code.replace("-", "杠").replace("_", "下划线")),
    "roman": lambda numeral: str(roman(numeral)),
    "several": lambda pair: pair.replace("、", "").replace("2", "两").translate(CHINESE_DIGITS),
    "sign": _LISTS["sign"].__getitem__,
    "suit": _LISTS["suit"].__getitem__,
    "undotted": lambda letters: letters.replace(".", " "),
}
CHINESE = Vocabulary(
    _PATTERNS,
    by_name(*(masked, place, hanzi_apart, without_commas, counted, exponent, ion, over, quotient, absolute)),
    _WORDS,
)
