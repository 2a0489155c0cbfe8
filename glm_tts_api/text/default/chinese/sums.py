"""Chinese: powers, sums and the signs between them."""

from __future__ import annotations

import re

from glm_tts_api.text.default.characters import plain_exponent
from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.chinese.units import PER, PER_PATTERN, UNITS, per_name, unit_name
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before


def exponent(match: Match) -> str:
    """10²⁰, x^-2: the base, then its power."""
    base, power = match[1], plain_exponent(match[2].strip("^{}( )"))
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


def unit_of_power(match: Match) -> str:
    """次方 m/s: the unit behind a power in words."""
    unit = unit_name(match[1]) if match[1] else ""
    return match.group() if unit is None else f"方{unit}{'每' + per_name(match[2]) if match[2] else ''}"


def power_of_unit(match: Match) -> str:
    """10³kg/m³: the power, then its unit."""
    unit = f"{unit_name(match[3])}{'每' + per_name(match[4]) if match[4] else ''}" if match[3] else ""
    return exponent(match) + unit


def difference(match: Match) -> str:
    """pOH=14-pH; 2,4-D is a name."""
    if "=" in before(match):
        return "减"
    return "" if after(match, 1).isupper() else match.group()


def quotient(match: Match) -> str:
    """频率×位宽/8."""
    return "除以" if re.search("[=×*÷][^，。]{1,10}$", before(match)) else match.group()


_HAN = "\u4e00-\u9fff"
_UNIT = alternatives(UNITS)

POWERS: list[Row] = [
    (
        "abbreviation",
        r"\.(?:(?<=[Ll][Vv].)|(?<=[Ee][Pp].)|(?<=[CcSs][HhTt].)|(?<=[Vv]ol.)|(?<=[Ff]ig.)"
        r"|(?<=[Vv]er.)|(?<=Op.)|(?<=No.))(?=\d)",
        " ",
    ),
    ("dot", r"\.(?<=[A-Za-z].)(?=\d)", "点"),
    ("difference", r"-(?<=(?<![A-Za-z\d])[a-z].)(?=\d)", "减"),
    ("per", r"/(?<=[A-Za-z]/)100 ?km(?![A-Za-z/])", "每百公里"),
    ("per", rf"/(?<=[A-Za-z].)(?=10{{1,3}} ?(?:{alternatives(UNITS)})(?![A-Za-z]))", "每"),
    ("factorial", r"[!！](?<=[\dn].)(?=\s?[=*×+÷/的)]|\d{1,3}[!！])", "的阶乘"),
    ("per", r"(?<=[A-Za-z¹²³])[·. ]?([A-Za-zμµΩ]{1,4})⁻([¹²³])", inverse),
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
    ("difference", r"-(?<=\d-)(?=[A-Za-z]{1,3}(?![A-Za-z\d]))", difference),
    ("difference", r"-(?<=\([a-z]-)(?=[a-z]\))", "减"),
    ("plus", r"\+ ?(?:…{1,2}|\.{3,6}) ?\+", "加到"),
    ("difference", r"-(?<=求[A-Za-z]-)(?=[A-Za-z](?![A-Za-z]))", "减"),
    ("difference", r"-(?<=(?<![A-Za-z])[A-Za-z].)(?=[A-Za-z](?: ?[=+*<>≤≥]))", "减"),
    ("remainder", r"(=\d{1,9}) ?(?:…{1,2}|\.{3,6}) ?(?=\d)", r"\1余"),
]

SUMS: list[Row] = [
    ("plus or minus", r"±|\+/-", "正负"),
    ("plus or minus", r"(?<=[的为是达：]) ?\+(?=\d)", "正"),
    ("plus", r"\+(?<=[A-Za-z].)\+", "加加"),
    ("plus", r"\+(?<=\d.)(?=[岁年元万亿个人家名种款项条座所次台天位场件城国])", "多"),
    ("plus", r"\+", "加"),
    ("divided", r"/(?<=[\d)A-ZΩ ].) ?(?=\d[\d.]{0,9}[A-ZΩ]? ?(?:[=≈²³^×*÷]|的[平立]方))", "除以"),
    (
        "quotient",
        r"(\d(?<![\dA-Za-z./].)\d{0,2})/([xyznab](?:[²³]|的[平立]方)?)(?![A-Za-z\d])",
        lambda m: f"{m[2]}分之{numbers.cardinal(m[1])}",
    ),
    ("quotient", rf"/(?<=[{_HAN}].)(?=\d)", quotient),
    ("quotient", r"/(?<=[)乘].)(?=[A-Za-z\d(])", "除以"),
    ("quotient", r"([A-Za-z](?<![A-Za-z\d].))/([A-Za-z])(?= ?[<>=≥≤≠+*×]|的值)", r"\2分之\1"),
    ("equals", r"={1,3}", "等于"),
    (
        "times",
        r"(?<=[\w)²³%米元]) ?[*×] ?(?=[\d(])"
        r"|(?<=[\d)])(?<![A-Za-z]\d) ?[*×xX] ?(?=\d)|(?<=[\d)]) ?[*×] ?(?=\w)",
        "乘",
    ),
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
