"""Functions that test whether a Chinese number is a year, or a date such as 9.12, 6/7 or 5.1-5.7. The text
next to a date names an event or a deadline."""

from __future__ import annotations

import re

from speech_text.default.chinese.numbers import takes_liang
from speech_text.default.number_tagger import Figure, by_name, pair, runs

_DAY_BEFORE = re.compile(
    "(?:[时期][间限]|日期|[展会档工有放][效期假]|截止|报名|考试|预售|开放|活动|[延推改提][长续迟前到至]{1,2}|定[于在]|约[在到]|持续到|[Dd]eadline|DDL|ETA"
    "|旬[，（(]|[今明后]天[（(]|周.[（(])[：:为是在于到至自从 ]{0,2}$"
)
_ONLY_DAYS = re.compile(
    "[晚早]\\d|当[天晚日]|那天|出生|[开闭]幕|圣诞|[\u4e00-\u9fff]{2}节|放假|(?:期间|活动)"
)
_EVENT = re.compile(
    " ?(?:举[行办]|召开|[上下]线|首[播发映]|发布|[开复停放返][赛考学业校抢售]|出发|到[货场]"
    "|[发收提][货出测]|付|生效|入[住职]|退房|离店|之?[前后]|[早晚]|[上中下]午|起(?![伏跳步])|止|[（(]?周|星期|[（(])"
)
_BEGINS = re.compile("(?:^|[，。；;、于在到至自从（(是])$")
# Words that tell that the number _ is no day behind 到 and the like: 涨到5.6后, 咖啡从9.9起.
_AMOUNT = re.compile("(?:[价率值分比涨跌升降糖压]|体温|指数|GPA|绩点|[浓温速难]度)[^_]*_|从_起(?:[。！]|$)")
# The text next to a fraction that is no day: 约11/30, 进度5/12, 11/30的学生.
_SHARE = re.compile(
    "(?:[率例比值数量度积][为是]|[占约近超达于有的取剩只各过完第=+×÷*<>≤≥(（-]|[率度成骤分球篮A-Za-z]) ?_"
    "|_ ?(?:[人名位页题寸]|同学|学生|的|以[上下]|[=+×÷*<>≤≥)）-])"
)
_MEASURED = re.compile(" ?(?:小时|[%％‰°℃元块万亿倍米个度分秒级毫公折亩吨岁斤点处左右]|以)|[A-Za-z]")
_SPAN = re.compile(
    "(?:距今|长达|历时|历经|[近约超过数]|不到|整整|至少|已有|有着?|埋藏|寿命[为是]?)[约近超了有过]{0,2} ?_"
    "|_(?:之?前|历史|之久|的(?:历史|文明))"
)
_SHORT_YEAR = re.compile(r"[，、。]_[，、。]|[是属]_的(?!历史|时间)|\d年[^，。]{1,4}_")


def parsed(dates: str) -> list[tuple[str, str, str]]:
    """Returns (year, month, day) of each date of `dates`, which is one date (2024.5) or a span of two
    (5.1-5.7). A part that a date lacks is "". Two numbers are year and month if one has four digits,
    otherwise month and day."""
    marks = "~～—–至到" if re.search("[~～—–至到]", dates) or not re.search("[./]", dates) else "-"
    return [_parsed(runs(date)) for date in re.split(f"[{marks}]", dates)]


def _parsed(numbers: list[str]) -> tuple[str, str, str]:
    if len(numbers) == 2 and 4 in map(len, numbers):
        year, month = sorted(numbers, key=len, reverse=True)
        return year, month, ""
    if len(numbers) == 1:  # 20240105
        return numbers[0][:4], numbers[0][4:6], numbers[0][6:]
    if len(numbers[-1]) == 4:  # 25-12-2024, or as in America 12/25/2024
        first, second, year = numbers
        return (year, first, second) if int(second) > 12 else (year, second, first)
    year, month, day = ["", "", *numbers][-3:]
    return year, month, day


def dated(figure: Figure) -> bool:
    """Returns whether each month of the number `figure` is 1 to 12 and each day 1 to 31. A month or day that
    is missing is no fault."""
    return all(
        (not month or 1 <= int(month) <= 12) and (not day or 1 <= int(day) <= 31)
        for _, month, day in parsed(figure.text)
    )


def told_day(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 9.12 or 6/7, is a day. Its numbers must be a month and a
    day, no unit may follow, and the text next to it must name an event or a deadline. With a slash its second
    number may also tell: 1 is always a day, and one over 10 is unless the text next to it names a share."""
    near, rest, slashed = figure.lead[-24:], figure.rest[:12], "/" in figure.text
    if not dated(figure) or _MEASURED.match(rest):
        return False
    around, (first, second) = f"{near}_{rest}", map(int, runs(figure.text))
    if _is_named(figure):
        return True
    if slashed and near.endswith(("到", "至")) and first < second <= 10:  # 水加到2/3后
        return False
    if _EVENT.match(rest) and _BEGINS.search(near) and not _AMOUNT.search(around):
        return True
    return slashed and (second == 1 or (second > 10 and not _SHARE.search(around)))


def told_days(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 5.1-5.7, is a span of days. Either the text next to it
    names an event or a deadline, or it begins its clause and a noun follows that is not counted. Returns
    False before a unit."""
    rest = figure.rest[:12]
    if not dated(figure) or _MEASURED.match(rest):
        return False
    begins = re.search("(?:^|[，。；;、 ])$", figure.lead) and re.match("[\u4e00-\u9fff]", rest)
    return _is_named(figure) or bool(begins and not takes_liang(rest))


def _is_named(figure: Figure) -> bool:
    """Returns whether the text before or after the number `figure` names an event or a deadline, or
    whether another date stands before it."""
    if figure.last_kind == "date" and figure.lead.endswith(("和", "、")):
        return True
    return bool(_DAY_BEFORE.search(figure.lead[-24:]) or _ONLY_DAYS.match(figure.rest))


def rising_uncounted(figure: Figure) -> bool:
    """Returns whether the number `figure` is a span of years: 1998-2002. The second number must be larger,
    and no measure word but 年 may follow."""
    first, second = map(int, runs(figure.text))
    rest = figure.rest.lstrip()
    return first < second and (rest.startswith("年") or not takes_liang(rest))


def no_span_of_years(figure: Figure) -> bool:
    """Returns whether the number `figure` before 年 (year) names a year, as in 2024年. In 3000年 and 近1300年
    it counts years."""
    number, around = int(figure.text), f"{figure.lead[-12:]}_{figure.rest.lstrip(' 年')}"
    counts = number > 2200 or (number % 1000 == 0 and number > 2000)
    return not counts and (1900 <= number < 2100 or not _SPAN.search(around))


def short_year(figure: Figure) -> bool:
    """Returns whether the number `figure` is a year of two digits, as in 94年: it stands alone between two
    marks, another year stands before it, or it describes a person (78年的老兵)."""
    return bool(_SHORT_YEAR.search(f"{figure.lead[-12:]}_{figure.rest[1:4]}"))


TESTS = by_name(dated, told_day, told_days, rising_uncounted, no_span_of_years, short_year) | {
    "next_year": pair(lambda first, second: second == (first + 1) % 100),  # a season: 2015-16, 1999/00
}
