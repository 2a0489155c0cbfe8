"""Functions that test whether a Chinese number is a year or counts years."""

from __future__ import annotations

import re

from speech_text.default.chinese import numbers
from speech_text.default.number_tagger import Figure, by_name, runs

_SPAN_BEFORE = re.compile(
    "(?:距今|长达|历时|上下|历经|跨越|绵延|延续|传承|沉睡|存续|等了"
    "|近|约|超过?|不到|将近|大约|整整|至少|足足|已有|共|过了|活了"
    "|埋藏|大概|几乎|多达|有着?|又?过|寿命[为是]?|了|拥有|数|前后|长约|续|者|需要?)[约近超了有]{0,2} ?$"
)
_OF_OUR_TIME = re.compile("(?<!过)(?:了|超过?|数|前后|[者续]) ?$")  # before 1998年 hardly a count of years
_SPAN_AFTER = re.compile(
    "前(?![后期半往夕])|之前|以前|来|以来|间|之久|历史|的(?:历史"
    "|文明|时[光间]|岁月|发展|沉淀|传承|变迁|建城|古|老(?![茶酒歌片照友兵])|积淀|等待"
    "|风雨|寿命|文化)|沧桑|文明|古[都城镇寺树刹]|不变|老店|之后的?地球"
    "|后的?地球|(?:的)?一?遇"
)
_BY_YEAR = re.compile(
    "出生|生的|属[鼠牛虎兔龙蛇马羊猴鸡狗猪]|毕业|入学|参加|(?<!\\d)0\\d年|[零一二三四五六七八九]{2}年|同岁"
)
_SINCE = re.compile("(?:公元前?|西元|自|从|早在|截至|到了?|于|在|始于)$")
_DATE_GOES_ON = re.compile(" ?年(?:[0-9一二三四五六七八九十底初末春夏秋冬]|出生|成立|建)")
_ANNOUNCED = re.compile(
    "(?:[共约了有超近达到为是第价加减乘除以号编于过得出仅满每打扣降涨补省返领抢花租剩付卖费薪交收]"
    "|(?<!投)资|不足|等于) ?$"
)
_COUNTED = re.compile("[多余左来几级号路减返送抵]|一[个件套晚天]|以[上下内]|分之")


def reign(figure: Figure) -> bool:
    """Returns whether the number `figure` is a span of the years of a life or a dynasty: 701-762年. The
    second number must be larger, and the two must not both end with 0."""
    first, second = runs(figure.text)
    return int(first) < int(second) and not (first.endswith("0") and second.endswith("0"))


def rising(figure: Figure) -> bool:
    first, second = runs(figure.text)
    return int(first) < int(second)


def next_year(figure: Figure) -> bool:
    """Returns whether the number `figure` is a season, which spans two years: 2015-16, 1999/00."""
    first, second = map(int, runs(figure.text))
    return second == (first + 1) % 100


def rising_uncounted(figure: Figure) -> bool:
    """Returns whether the number `figure` is a span of years: 1998-2002. The second number must be larger,
    and no measure word but 年 may follow."""
    rest = figure.rest.lstrip()
    return rising(figure) and not (numbers.MEASURE.match(rest) and not rest.startswith("年"))


def no_span_of_years(figure: Figure) -> bool:
    """Returns whether the number `figure` before 年 (year) names a year, as in 2024年. In 3000年 and 近2024年
    it counts years."""
    number, near = int(figure.text), figure.lead[-12:]
    rest = re.sub("^ ?年", "", figure.rest)
    counts = (
        _SPAN_AFTER.match(rest)
        or (
            _SPAN_BEFORE.search(near)
            and not _DATE_GOES_ON.match(figure.rest)
            and not (1900 <= number < 2100 and _OF_OUR_TIME.search(near))
        )
        or (number % 1000 == 0 and number not in (1000, 2000))
        or number > 2200
    )
    return not counts or bool(_SINCE.search(near))


def short_year(figure: Figure) -> bool:
    """Returns whether the number `figure` is a year of two digits, as in 94年. Either the text next to it
    names a birth or other years, or it stands alone between two marks."""
    near, rest = figure.lead[-12:], figure.rest[1:13]
    alone = near[-1:] in ("，", "、", "。") and rest[:1] in ("，", "、", "。")
    named = near[-1:] in ("是", "属") and re.match("的(?!历史|时间|努力|老店|光阴|友谊|合同|工)", rest)
    return bool(alone or named or _BY_YEAR.search(f"{near}_{rest}"))


def uncounted_year(figure: Figure) -> bool:
    """Returns whether the number `figure` is a year, as in 2025我们一起: no measure word follows, and the
    text before announces no amount. The number 2000 is a year only after a word such as 从 or 在."""
    near, rest = figure.lead[-12:], figure.rest[:12].lstrip()
    if figure.text == "2000" and not re.search("[从自到在于至年]$", near):
        return False
    if re.match("了|还|就|又", rest) and re.search("都|已经", near[-4:]):
        return True
    return not (numbers.MEASURE.match(rest) or _COUNTED.match(rest) or _ANNOUNCED.search(near))


TESTS = by_name(reign, rising, next_year, rising_uncounted, no_span_of_years, short_year, uncounted_year)
