"""How the default rules say a Chinese figure: one function a kind of figure, from a match to words.

A number that the transducer reads well stays in digits.
"""

from __future__ import annotations

import re
from decimal import Decimal

from glm_tts_api.text.chinese import integer_reading
from glm_tts_api.text.default.spelling import CHINESE_DIGITS, CHINESE_MARKS, PHONE_DIGITS, spell_address

Match = re.Match[str]

CURRENCIES = {
    **{
        "US$": "美元",
        "HK$": "港元",
        "NT$": "新台币",
        "A$": "澳元",
        "C$": "加元",
        "S$": "新加坡元",
        "$": "美元",
    },
    **{"R$": "巴西雷亚尔", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元", "₩": "韩元", "₹": "印度卢比"},
    **{"₽": "卢布", "฿": "泰铢", "₫": "越南盾"},
}
_SCALES = {
    **{"k": (1000, ""), "thousand": (1000, ""), "m": (100, "万"), "mn": (100, "万"), "million": (100, "万")},
    **{"b": (10, "亿"), "bn": (10, "亿"), "billion": (10, "亿"), "t": (1, "万亿"), "trillion": (1, "万亿")},
}
_SCORE = re.compile("比分|战胜|击败|战平|打平|领先|落后|大胜|完胜|险胜|惜败|告负|获胜|取胜|淘汰|逆转")
_RATIO = re.compile("比分|比例|比率|配比|比[为是]")
_PARTS_OF_DAY = ("早上", "上午", "中午", "下午", "傍晚", "晚上", "凌晨", "夜里", "深夜", "今晚")
_DIFFERENCE = re.compile(r"\s*(?:等于|是多少|得多少|的差|的结果|=)")
_ADDRESS = re.compile(r"(?:房间|门牌|编号|型号|[栋座幢])\s*$")


def dialled(match: Match) -> str:
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
    return ("加" if number.startswith("+") else "") + "，".join(
        group.translate(PHONE_DIGITS) for group in groups
    )


def identifier(match: Match) -> str:
    """The words before it, then the digits one by one."""
    return match[1] + match[2] + match[3].translate(PHONE_DIGITS).replace("-", "杠")


def one_by_one(match: Match) -> str:
    return match.group().translate(CHINESE_DIGITS)


def address(match: Match) -> str:
    digits = {chr(code): name for code, name in CHINESE_DIGITS.items()}
    return spell_address(match.group(), CHINESE_MARKS, digits)


def host_address(match: Match) -> str:
    return one_by_one(match).replace(".", "点").replace(":", "冒号")


def date(match: Match) -> str:
    month, day = int(match[3]), int(match[4])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match.group()
    return f"{match[1].translate(CHINESE_DIGITS)}年{month}月{day}日"


def year_month(match: Match) -> str:
    return f"{match[1].translate(CHINESE_DIGITS)}年{int(match[2])}月"


def year_range(match: Match) -> str:
    first = match[1].translate(CHINESE_DIGITS) + ("年" if match[2] else "")
    return f"{first}到{match[3].translate(CHINESE_DIGITS)}年"


def decade(match: Match) -> str:
    return (match[1].translate(CHINESE_DIGITS) if len(match[1]) == 4 else match[1]) + "年代"


def clock(match: Match) -> str:
    if _RATIO.search(match.string[max(0, match.start() - 5) : match.start()]) and not match[3]:
        return f"{int(match[1])}比{int(match[2])}"
    hour, minute, second = int(match[1]), match[2], match[3]
    spoken = ("两" if hour == 2 else integer_reading(hour)) + "点"
    if minute != "00" or second:
        spoken += _two_digits(minute) + "分"
    if second:
        spoken += _two_digits(second) + "秒"
    return _part_of_day(match, 4) + spoken


def whole_hour(match: Match) -> str:
    return f"{_part_of_day(match, 2)}{int(match[1])}点"


def duration(match: Match) -> str:
    """After 时长 and the like: hours, minutes and seconds, the last two where there are two."""
    parts = [integer_reading(int(part)) for part in match[2].split(":")]
    return match[1] + "".join(map("".join, zip(parts, ("小时", "分", "秒")[-len(parts) :], strict=True)))


def _two_digits(digits: str) -> str:
    return ("零" if digits[0] == "0" and digits != "00" else "") + integer_reading(int(digits))


def _part_of_day(match: Match, group: int) -> str:
    """What a.m. or p.m. (the first letter is in `group`) is called, unless the text has said so already."""
    half, hour = match[group], int(match[1])
    if not half or match.string[max(0, match.start() - 8) : match.start()].rstrip().endswith(_PARTS_OF_DAY):
        return ""
    if half.lower() == "a":
        return "凌晨" if hour in (12, 1, 2, 3, 4) else "上午"
    return "中午" if hour == 12 else "晚上" if 6 < hour < 12 else "下午"


def money(match: Match) -> str:
    first, second = match[2], match[3]
    noun: str = match[5] or CURRENCIES[match[1].upper()]
    scale: str = (match[4] or "").lower()
    factor, unit = _SCALES.get(scale, (1, scale))
    amounts = [_scaled(amount.replace(",", ""), factor) for amount in (first, second) if amount]
    return "到".join(amounts) + unit + noun


def _scaled(amount: str, factor: int) -> str:
    text = amount if factor == 1 else f"{Decimal(amount) * factor:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def fraction(match: Match) -> str:
    whole = f"{integer_reading(int(match[1]))}又" if match[1] else ""
    return f"{whole}{integer_reading(int(match[3]))}分之{integer_reading(int(match[2]))}"


def number_range(match: Match) -> str:
    """Two numbers with a hyphen: a score, a difference, a span or, failing all, a name such as 3-201."""
    first, unit, mark, second = match[1], match[2] or "", match[3], match[4]
    before = match.string[max(0, match.start() - 8) : match.start()]
    after = match.string[match.end() : match.end() + 8]
    if mark == "~" or unit.strip():
        return f"{first}{unit}到{second}"
    if "." not in first + second and _SCORE.search(before + " " + after):
        return f"{first}比{second}"
    if _DIFFERENCE.match(after) or re.search(r"[=+*×÷]\s*$", before):
        return f"{first}减{second}"
    if re.match(r"\s*[室号房幢栋]", after) or _ADDRESS.search(before) or float(first) >= float(second):
        return f"{first}杠{second}"
    return f"{first}{'%' if after.startswith('%') else ''}到{second}"


def arc(match: Match) -> str:
    """Degrees, minutes and seconds of an angle."""
    return f"{match[1]}度{match[2]}分" + (f"{match[3]}秒" if match[3] else "")


def scientific(match: Match) -> str:
    exponent = match[2].replace("-", "负").replace("+", "")
    return f"{match[1]}乘10的{exponent}次方"


def hanzi_apart(match: Match) -> str:
    """A slash after a quantity (100元/月) stays for the transducer; else it is a pause."""
    return match.group() if match[1] else f"{match[2]}，"


def words_apart(match: Match) -> str:
    """A slash between words is nothing to say; between units (km/h) it stays for the transducer."""
    return match.group() if match[1] else f"{match[2]} "
