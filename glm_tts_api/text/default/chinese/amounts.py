"""Chinese: money, percentages, fractions, temperatures, measures, and whatever else is counted."""

from __future__ import annotations

import re
from decimal import Decimal

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

_HAN = "\u4e00-\u9fff"
CURRENCIES = {
    **{"US$": "美元", "HK$": "港元", "NT$": "新台币", "A$": "澳元", "C$": "加元", "S$": "新加坡元", "$": "美元"},
    **{"R$": "巴西雷亚尔", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元", "₩": "韩元", "₹": "印度卢比"},
    **{"₽": "卢布", "฿": "泰铢", "₫": "越南盾"},
}
_CODES = {
    **{"USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元", "RMB": "元", "CNY": "元"},
    **{"AUD": "澳元", "CAD": "加元", "SGD": "新加坡元", "KRW": "韩元", "TWD": "新台币", "CHF": "瑞士法郎"},
}
_SCALES = {
    **{"k": (1000, ""), "thousand": (1000, ""), "m": (100, "万"), "mn": (100, "万"), "million": (100, "万")},
    **{"b": (10, "亿"), "bn": (10, "亿"), "billion": (10, "亿"), "t": (1, "万亿"), "trillion": (1, "万亿")},
}
# As they are written; what is not here is looked up in lower case, too.
UNITS = {
    **{"km": "公里", "m": "米", "dm": "分米", "cm": "厘米", "mm": "毫米", "μm": "微米", "µm": "微米", "um": "微米"},
    **{"nm": "纳米", "kg": "千克", "g": "克", "mg": "毫克", "μg": "微克", "µg": "微克", "ug": "微克", "ng": "纳克"},
    **{"L": "升", "l": "升", "dL": "分升", "mL": "毫升", "ml": "毫升", "cc": "毫升", "μL": "微升", "µL": "微升"},
    **{"h": "小时", "hr": "小时", "hrs": "小时", "min": "分钟", "mins": "分钟", "s": "秒", "sec": "秒", "ms": "毫秒"},
    **{"μs": "微秒", "µs": "微秒", "ns": "纳秒", "km²": "平方公里", "m²": "平方米", "cm²": "平方厘米"},
    **{"mm²": "平方毫米", "m³": "立方米", "cm³": "立方厘米", "mm³": "立方毫米", "km2": "平方公里", "m2": "平方米"},
    **{"m3": "立方米", "cm2": "平方厘米", "cm3": "立方厘米", "ha": "公顷", "hm²": "公顷", "in": "英寸", "ft": "英尺"},
    **{"lb": "磅", "lbs": "磅", "oz": "盎司", "mi": "英里", "mph": "英里每小时", "W": "瓦", "kW": "千瓦", "MW": "兆瓦"},
    **{"GW": "吉瓦", "Wh": "瓦时", "kWh": "千瓦时", "MWh": "兆瓦时", "GWh": "吉瓦时", "V": "伏", "kV": "千伏"},
    **{"mV": "毫伏", "A": "安", "mA": "毫安", "mAh": "毫安时", "Ah": "安时", "Hz": "赫兹", "kHz": "千赫兹"},
    **{"MHz": "兆赫兹", "GHz": "吉赫兹", "Pa": "帕", "kPa": "千帕", "MPa": "兆帕", "hPa": "百帕", "mmHg": "毫米汞柱"},
    **{"J": "焦耳", "kJ": "千焦", "MJ": "兆焦", "cal": "卡", "kcal": "千卡", "N": "牛", "kN": "千牛", "N·m": "牛米"},
    **{"Nm": "牛米", "mol": "摩尔", "mmol": "毫摩尔", "μmol": "微摩尔", "µmol": "微摩尔", "dB": "分贝", "Ω": "欧姆"},
    **{"kΩ": "千欧", "MΩ": "兆欧", "IU": "国际单位", "U": "单位", "lm": "流明", "lx": "勒克斯", "rpm": "转每分钟"},
    **{"bps": "比特每秒", "kbps": "千比特每秒", "Kbps": "千比特每秒", "Mbps": "兆比特每秒", "Gbps": "吉比特每秒"},
    **{"KB": "千字节", "kB": "千字节", "MB": "兆字节", "GB": "吉字节", "TB": "太字节", "PB": "拍字节"},
    **{"fps": "帧每秒", "ppm": "ppm", "cd": "坎德拉", "sr": "球面度", "t": "吨", "a": "年", "d": "天", "yr": "年"},
    **{"°C": "摄氏度", "℃": "摄氏度", "°F": "华氏度", "℉": "华氏度", "°": "度", "yd": "码", "gal": "加仑", "pt": "磅"},
    **{"T": "t", "kt": "千吨", "Mt": "百万吨", "cmH2O": "厘米水柱", "mEq": "毫当量", "mm/Hg": "毫米汞柱"},
}
_ONLY_AFTER_SLASH = {"a", "d", "yr", "in", "pt", "cd", "sr", "U", "T", "cc", "um", "ug", "A", "N", "J", "mi", "hr"}
_PER = {**UNITS, "day": "天", "week": "周", "month": "月", "year": "年", "person": "人", "人": "人", "kg": "千克", "s²": "二次方秒", "h": "小时", "min": "分钟", "HP": "hp"}
_LOWER = {name.lower(): spoken for name, spoken in UNITS.items() if len(name) > 1}
_COUNTERS = "[次天年月日周人个件只台瓶杯斤吨亩份片粒包盒袋支张本套户间平位晚小时分秒米升克辆度平方公里季堂节课场轮局]"
_MONEY_NOUN = "美元|美金|欧元|英镑|日元|日币|港元|港币|台币|新台币|澳元|加元|元|块钱?|人民币|RMB|USD|EUR"


def money(match: Match) -> str:
    first, second = match[2], match[3]
    noun: str = match[5] or CURRENCIES[match[1].upper()]
    noun = _CODES.get(noun, noun)
    return _amount(first, second, match[4] or "", noun)


def money_behind(match: Match) -> str:
    """100$, 50€, 1.5万USD."""
    sign = match[4]
    noun = CURRENCIES.get(sign) or _CODES[sign.upper()]
    return _amount(match[1], match[2], match[3] or "", noun)


def coded_money(match: Match) -> str:
    """USD 100."""
    return _amount(match[2], None, match[3] or "", _CODES[match[1]])


def _amount(first: str, second: str | None, scale: str, noun: str) -> str:
    factor, unit = _SCALES.get(scale.lower(), (1, scale))
    amounts = [_scaled(amount.replace(",", ""), factor) for amount in (first, second) if amount]
    return "到".join(numbers.counted(amount, unit + noun) for amount in amounts) + unit + noun


def _scaled(amount: str, factor: int) -> str:
    text = amount if factor == 1 else f"{Decimal(amount) * factor:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def fraction(match: Match) -> str:
    whole, first, second = match[1], match[2], match[3]
    if _APART.search(before(match)) or (int(first) > int(second) and int(first) > 20) or re.match(" ?mmHg| ?毫米汞柱", after(match)):
        return f"{first}，{second}"
    if re.match(r" ?(?:法则|定律|原则|分成|开局?|分账|分(?!之))", after(match)):
        return numbers.cardinal(first) + numbers.cardinal(second)
    lead = f"{numbers.cardinal(whole)}又" if whole else ""
    return f"{lead}{numbers.cardinal(second)}分之{numbers.cardinal(first)}"


_APART = re.compile("(?:血压|高低压|收缩压|视力|值)[^，。]{0,6}$")


def percent(match: Match) -> str:
    names = {"%": "百分之", "％": "百分之", "‰": "千分之"}
    return f"{names[match[2]]}{numbers.cardinal(match[1])}"


def below_zero(match: Match) -> str:
    return f"零下{numbers.counted(match[1], '度')}{match[2]}"


def measured(match: Match) -> str:
    """A number with a unit in Latin letters, and what it is measured by: 35μg/m³, 60km/h."""
    number, unit, per = match[1], match[2], match[3]
    spoken = _unit(unit)
    if spoken is None or (unit in _ONLY_AFTER_SLASH and not per and unit not in ("A", "N", "J", "T", "cc", "in", "U")):
        return match.group()
    if unit in ("A", "N", "J", "T", "U", "in") and not per and re.match(rf"[A-Za-z\d]", after(match)):
        return match.group()
    amount = numbers.counted(number, spoken) + spoken
    if not per:
        return amount
    return f"每{_per(per)}{amount}"


def _per(per: str) -> str:
    names = [name for name in per.strip("/ ").split("/")]
    return "每".join(_PER.get(name) or _LOWER.get(name.lower()) or name for name in names)


def _unit(unit: str) -> str | None:
    return UNITS.get(unit) or _LOWER.get(unit.lower())


def per_counter(match: Match) -> str:
    """100元/月: 每月一百元."""
    number, unit, per = match.groups()
    return f"每{UNITS.get(per, per)}{numbers.counted(number, unit)}{unit}"


def inches(match: Match) -> str:
    """27": inches, unless a quotation ends there."""
    opened = before(match, 60).count('"') % 2
    return match.group() if opened else f"{numbers.cardinal(match[1])}英寸"


def power_of_ten(match: Match) -> str:
    factor, base, exponent = match.groups()
    return f"{numbers.cardinal(factor)}乘以{numbers.cardinal(base)}的{numbers.cardinal(exponent)}次方"


def scientific(match: Match) -> str:
    return f"{numbers.cardinal(match[1])}乘以十的{numbers.cardinal(match[2])}次方"


def counted(match: Match) -> str:
    return numbers.counted(match.group(), after(match).lstrip(), before(match))


def tens_of_thousands(match: Match) -> str:
    """10w, 3.5W粉丝: 万 in chats."""
    return f"{numbers.counted(match[1], '万')}万"


def mega(match: Match) -> str:
    """100M宽带, 16G内存."""
    return f"{numbers.counted(match[1], '兆')}{'兆' if match[2] == 'M' else match[2].lower()}"


_B = r"(?<![\d.])"
_NUMBER = r"\d{1,30}+(?:\.\d{1,30}+)?"
_AMOUNT = r"\d{1,30}+(?:,\d{3})*+(?:\.\d{1,30}+)?"
_SIGNS = alternatives(CURRENCIES)
_SCALE = r"(?:[kmbt]|mn|bn|thousand|million|billion|trillion)(?![A-Za-z])|万亿|[十百千]?[万亿]|千"
_UNIT = alternatives(UNITS)
_UNIT_PER = alternatives([*_PER, *UNITS])

AMOUNTS: list[Row] = [
    ("money", rf"(?i)({_SIGNS}) ?({_AMOUNT})(?: ?[-~～—–]+ ?(?:{_SIGNS})? ?({_AMOUNT}))?(?: ?({_SCALE}))?"
     rf"(?: ?({_MONEY_NOUN}))?", money),
    ("money", rf"{_B}({_AMOUNT})(?: ?[-~～—–]+ ?({_AMOUNT}))? ?({_SCALE})?(?: ?({_SIGNS}|(?:{alternatives(_CODES)})(?![A-Za-z])))", money_behind),
    ("money", rf"(?<![A-Za-z])({alternatives(_CODES)}) ?({_AMOUNT})(?: ?({_SCALE}))?", coded_money),
    ("thousands", r"(?<![\d.,])\d{1,3}(?:,\d{3})++(?![\d,])", lambda m: m.group().replace(",", "")),
    ("power", rf"{_B}({_NUMBER}) ?[*x×·] ?(\d{{1,3}}) ?\^ ?([-+]?\d{{1,4}})", power_of_ten),
    ("power", rf"(?<![\w.])(\d(?:\.\d{{1,30}}+)?)[eE]([+-]?\d{{1,3}})(?![\w.])", scientific),
    ("angle", r"(?<!\d)(\d{1,3})° ?(\d{1,2})['′] ?(?:(\d{1,2}(?:\.\d{1,9})?)[\"″])?",
     lambda m: f"{m[1]}度{m[2]}分" + (f"{m[3]}秒" if m[3] else "")),
    ("inches", rf"{_B}({_NUMBER}) ?[\"″](?![\d])", inches),
    ("ordinal", r"(?<!\d)(\d{1,9})(?:st|nd|rd|th)(?![A-Za-z])", r"第\1"),
    ("ordinal", r"(?<![A-Za-z])[Nn][Oo]\.? ?(?=\d)", "第"),
    ("all day", r"(?<!\d)24/7(?!\d)", "二十四小时七天"),
    ("all day", r"(?<![\d.])(\d)[*×x](24)(?=小时)", lambda m: f"{numbers.cardinal(m[1])}乘二十四"),
    ("per", rf"{_B}({_AMOUNT})([{_HAN}]{{1,3}}) ?/ ?({_COUNTERS}{{1,2}}|{alternatives(UNITS)})(?![A-Za-z]|[{_HAN}]?/)", per_counter),
    ("fraction", rf"(?<![\d/.])(?:([1-9]\d?) )?([1-9]\d{{0,3}})/([1-9]\d{{0,3}})(?![\d/.]) ?", fraction),
]

COUNTS: list[Row] = [
    ("leading zero, or very long", r"(?<![\d.,])(?:0\d++|\d{12,}+)(?!\.?\d|,\d{3})", lambda m: numbers.digits(m.group())),
    ("percentage", rf"{_B}({_NUMBER}) ?([%％‰])", percent),
    ("chat count", rf"{_B}({_NUMBER})[wW](?![A-Za-z\d])(?![ ]?(?:灯|快充|功率|充电|的?电|氮化镓))", tens_of_thousands),
    ("data", rf"{_B}({_NUMBER}) ?([MGT])(?![A-Za-z\d/])(?=宽带|内存|流量|带宽|硬盘|[^\dA-Za-z网]|$)", mega),
    ("measure", rf"{_B}({_NUMBER}) ?({_UNIT})(?:((?:/(?:{_UNIT_PER}|{_COUNTERS}(?!{_COUNTERS})))+)(?![A-Za-z]))?(?![A-Za-z²³])", measured),
    ("number", rf"{_B}{_NUMBER}", counted),
    ("number", r"\d++", lambda m: numbers.cardinal(m.group())),
]
