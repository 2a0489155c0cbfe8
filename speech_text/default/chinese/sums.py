"""Chinese rules for powers, for sums, and for the signs in them."""

from __future__ import annotations

import re

from speech_text.default.characters import plain_exponent
from speech_text.default.chinese import numbers
from speech_text.default.chinese.units import PER, UNIT, product_name
from speech_text.default.table import Match, Row, after, before


def exponent(match: Match) -> str:
    """Returns a power in Chinese words: 10²⁰ -> 10的二十次方, x^-2 -> x的负二次方, x^2 -> x的平方. The base
    stays."""
    base, power = match[1], plain_exponent(match[2].strip("^{}( )"))
    if power in ("2", "3") and base != "10":
        return f"{base}的{'平方' if power == '2' else '立方'}"
    sign = "负" if power.startswith("-") else ""
    body = power.lstrip("+-")
    return f"{base}的{sign}{numbers.cardinal(body) if body.isdigit() else body}次方"


def ion(match: Match) -> str:
    """Returns an ion with its charge in Chinese: Fe³⁺ -> Fe3加."""
    return f"{match[1]}{plain_exponent(match[2])}{'加' if match[3] == '⁺' else '负'}"


def unit_of_power(match: Match) -> str:
    """Returns 方, the end of a power in Chinese words, and the name of the unit that follows: the 方 m/s of
    二次方 m/s -> 方米每秒. Earlier rules have written the power."""
    return "方" + "每".join(product_name(product) if product else "" for product in match[1].split("/"))


def difference(match: Match) -> str:
    """Returns the word for a hyphen between a digit and letters: 减 in a formula, as in pOH=14-pH. In a name
    such as 2,4-D, where a capital follows, the hyphen is dropped. Otherwise it stays."""
    if "=" in before(match):
        return "减"
    return "" if after(match, 1).isupper() else match.group()


_HAN = "\u4e00-\u9fff"
_NUMERALS = "零一二两三四五六七八九十百"
_PARTICLES = "哒谢啦呀啊哦吧呢嘛哈嗯噢哟呐哇滴"  # after these at the end of a sentence ~ is no "about"
_SHAPES = {"∠": "角", "△": "三角形", "⊙": "圆"}

_FACTORS = "(?:(?:sin|cos|tan|ln) ?)?[A-Za-zα-ω]{1,2}\\d?(?:[²³]|的[平立]方)?"


def over(match: Match) -> str:
    """Returns a quotient of letters in Chinese next to another sign of a formula: a/b= -> b分之a=."""
    if match[0] == "m/s":
        return match[0]
    told = re.match(" ?[<>=≥≤≠+*×]|的[值极]", after(match)) or re.search("=$|[A-Za-z)][<>+×]$", before(match))
    return f"{match[2]}分之{match[1]}" if told else match[0]


POWERS: list[Row] = [
    (
        "abbreviation",
        r"\.(?:(?<=[Ll][Vv].)|(?<=[Ee][Pp].)|(?<=[CcSs][HhTt].)|(?<=[Vv]ol.)|(?<=[Ff]ig.)"
        r"|(?<=[Vv]er.)|(?<=Op.)|(?<=No.))(?=\d)",
        " ",
    ),
    ("dot", r"\.(?<=[A-Za-z].)(?=\d)", "点"),
    ("factorial", r"[!！](?<=[\dn].)(?=\s?[=*×+÷/的)]|\d{1,3}[!！])", "的阶乘"),
    (
        "power",
        r"(\d(?<![A-Za-z\d].)\d{0,29})([⁰¹²³⁴-⁹⁺⁻]{1,9})",
        exponent,
    ),
    (
        "logarithm",
        r"(l(?<![A-Za-z].)(?:og|g))_?\{?(\d{1,9})\}?[ (（]+(\d{1,30}|[a-zA-Z])[)）]?",
        r"\1以\2为底\3的对数",
    ),
    ("power", r"((?<![A-Za-z\d.])(?:\d{1,30}|[A-Za-z])|\)) ?(\^ ?[({]?[-+]?\w{1,9}[)}]?)", exponent),
    (
        "measure",
        rf"方(?<=次方) ?((?:{UNIT})?{PER})(?![A-Za-z²³/])",
        unit_of_power,
    ),
    (
        "difference",
        r"-(?:(?<=[²³方]-)(?=\d)|(?<=[²³方A-Za-z\d)]-)(?=[A-Za-z\d(][²³]|[a-z]?\d{0,3}(?:[a-z]²)?的?"
        r"(?:平方|立方))|(?<=[²³]-)(?=[A-Za-z\d(]))",
        "减",
    ),
    ("difference", r"-(?<=\d-)(?=[A-Za-z]{1,3}(?![A-Za-z\d]))", difference),
    ("and so on", r"([+×]) ?(?:…{1,2}|\.{3,6}) ?\1", r"\1到"),
    (
        "difference",
        r"-(?:(?<=(?<![A-Za-z])[A-Za-z].)|(?<=(?<![A-Za-z])[A-Za-z]{2}.))"
        r"(?=[A-Za-z]{1,2}(?: ?[=+*<>≤≥]|的[最值差]))",
        "减",
    ),
    ("remainder", r"(=\d{1,9}) ?(?:…{1,2}|\.{3,6}) ?(?=\d)", r"\1余"),
]

SUMS: list[Row] = [
    ("plus or minus", r"±|\+/-", "正负"),
    ("plus", r"\+", "加"),
    ("divided", r"/(?<=[\d)A-ZΩ ].) ?(?=\d[\d.]{0,9}[A-ZΩ]? ?(?:[=≈²³^×*÷]|的[平立]方))", "除以"),
    ("divided", rf"/(?=[{_NUMERALS}千万点]{{1,12}}[{_HAN}Ω]{{0,3}} ?[=≈])", "除以"),
    ("quotient", r"/(?<=[)乘].)(?=[A-Za-z\d(])", "除以"),
    ("quotient", rf"(?<![A-Za-z\d方])({_FACTORS})/({_FACTORS})(?![A-Za-z\d])", over),
    ("equals", r"={1,3}", "等于"),
    (
        "times",
        rf"(?<=[\w)²³%{_HAN}]) ?[*×] ?(?=[\d({_NUMERALS}])"
        rf"|(?<=[\d)])(?<![A-Za-z]\d)(?: ?[*×] ?|[xX]| [xX] )(?=[\d{_NUMERALS}])|(?<=[\d)]) ?[*×] ?(?=\w)",
        "乘",
    ),
    ("times", r"×", "乘"),
    ("divided", r"÷", "除以"),
    ("slash", r"/(?<=\d.)(?=\d)", "，"),
    ("slash", r"/(?<=[A-Za-z].)(?=\d)", " "),
    ("about", r"≈", "约等于"),
    ("root", r"√", "根号"),
    ("figure", r"∠ ?(?=[A-Z1-9])|[△⊙] ?(?=[A-Z])", lambda m: _SHAPES[m[0][0]]),
    ("infinity", r"∞", "无穷大"),
    ("tilde", rf"[~～](?<=[{_PARTICLES}].) ?(?=[\d{_NUMERALS}])", "，"),
    ("about", rf"[~～](?<![\w.].) ?(?=[\d{_NUMERALS}])", "约"),
]

LETTERS: list[Row] = [
    ("ion", r"([A-Z][a-z二三四]?|[)\]])([²³⁴-⁷]?)([⁺⁻])(?![¹²³⁴-⁹])", ion),
    ("power", r"([A-Za-z](?<![A-Za-z].)(?!(?<=m)[²³]))([⁰¹²³⁴-⁹⁺⁻]{1,9})", exponent),
    ("power", r"(\))([⁰¹²³⁴-⁹⁺⁻]{1,9})", exponent),
]
