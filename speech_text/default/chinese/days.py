"""Functions that test whether a Chinese number such as 9.12, 6/7 or 5.1-5.7 is a date: the text next to it
names an event or a deadline."""

from __future__ import annotations

import re

from speech_text.default.chinese import numbers
from speech_text.default.number_tagger import Figure, by_name, runs

_EVENT = (
    "举[行办]|召开|[开闭]幕|[上下]线|首[播发映]|发布|[开复停]赛|[开中高期月]考|[开放]学|[开停歇]业|"
    "返[校程岗]|出发|启程|到货|[发收]货|生效|截止"
    "|报名|上映|开[播抢售工机会课营馆]|停[水电课]|放假|复[工课]|签到|入[住职场]|退房|预售|大促|结束|"
    "前后|之?前|之?后|当[天晚日]|[早晚]|凌晨"
    "|[上下中]午|起(?![伏跳步])|止|那[天晚]|见(?!顶|底)|周[一二三四五六日末]|星期|[（(]周|正式"
)
_DAY_AFTER = re.compile(rf" ?(?:{_EVENT})")
_CLEAR_EVENT = re.compile(
    "入住|退房|离店|[上下]线|首[播发映]|发布|[开复]赛|[开中高]考|[开放]学|开业|返[校程岗]|出发|到货|[发收]货|生效|"
    "截止|报名|上映"
    "|开[播抢售]|付尾款|见面|晚上|晚\\d|当[天晚]|凌晨|[上下]午"
)
_ONLY_DAYS = re.compile(
    "元旦|平安夜|圣诞|[\u4e00-\u9fff]{2}节|[开闭]幕|举[行办]|召开|出生|上映|首[映播发]|开[售抢播]|开[赛考学业]|返校|领证|结婚|发货|出发"
    r"|[到至~-]\d{1,2}\.\d{1,2}(?:期间|[我他她咱]|都?在|放假|出差|请假|休)"
)
_DAY_BEFORE = re.compile(
    "(?:(?:时间|日期|档期|工期|展[期出览]|会期|放假|有效期|期限|截止|报名|预售|开放|活动|"
    "[持延][续期长][到至]|[推延改提][迟期到前至]{1,2}|[截止][止至]?[到至于]"
    "|定[于在]|订在|约在|约[在到了]|安排在|选在|DDL|ddl|[Dd]eadline|[Dd]ue)(?: ?[：:为是在于到至自从])? ?|"
    "[上中下]旬[，、（(]{1,2}"
    r"|月\d{1,2}[日号][至到-]|(?:[今明后昨]天|[周期][一二三四五六日天末])[（(]|(?<![\d.])(?:时间|日期|活动|展期|放假|档期|报名|预售|"
    r"期间)[：:为是 ]{0,2}\d{1,2}[./]\d{1,2} ?[-~～—至到])$"
)
_DAYS_NEAR = re.compile(
    "截止|报名|考试|日期|[Dd]eadline|DDL|ddl|[Dd]ue|生日|定于|出发|返程|开会|放假|入住|退房|航班|"
    "机票|请假|预约|排期|上线|发版|release|约在|定在|月.{1,3}日"
)


# The text next to a fraction that is no day: 约11/30, 进度5/12, 11/30的学生.
_SHARE_BEFORE = re.compile(
    "(?:[率例比值数量度积][为是]|[占约近超达于有的取剩只仅各过了完第=+×÷*<>≤≥(（-]|概率|不[到足]|几率|比例|投篮|三分球?|罚球|命中|胜率|率|答对|出勤|占比|进度|完成|步骤|得分|评分"
    "|[A-Za-z]) ?$"
)
_SHARE = re.compile(
    " ?(?:[人名位]|同学|学生|员工|[层页楼集关题章节级]|的|以[上下]|多|强|弱|左右|[=+×÷*<>≤≥)）-]|概率|几率"
    "|杯|勺|英寸|寸)"
)
_PLAIN_NOUN = rf"(?![\d./])(?=[\u4e00-\u9fff])(?!{numbers.MEASURES}|之|为|是|的|左|[%％])"
# Words that tell that the number _ is no day behind 到 and the like: 涨到5.6后, 咖啡从9.9起.
_AMOUNT = re.compile("(?:[价率值分比涨跌升降糖压]|体温|指数|GPA|绩点|[浓温速难]度)[^_]*_|从_起(?:[。！]|$)")
_NO_AMOUNT = re.compile(_PLAIN_NOUN)
_DAY = r"(?:1[0-2]|[1-9])[./](?:[12]\d|3[01]|[1-9])"
_TO_DAY = re.compile(rf" ?[-~—到至] ?{_DAY}{_PLAIN_NOUN}")
_FROM_DAY = re.compile(rf"(?:^|[，。；;、 ]){_DAY} ?[-~—到至] ?$")
_MEASURED = re.compile(" ?(?:小时|[%％‰°℃元块万亿倍米个度分秒级毫公折亩吨岁斤万点处左右]|以)")
_LETTERS = re.compile("[A-Za-z]| [A-Za-z]{1,3}(?![a-z])")
_BY_DAY = re.compile(" ?(?:之?[前后]|截止|当天|[早晚]|[上下中]午|凌晨|[（(]?[周星])")


def parsed(dates: str) -> list[tuple[str, str, str]]:
    """Returns (year, month, day) of each date of `dates`, which is one date (2024.5) or a span of two
    (5.1-5.7). A part that a date lacks is "". Two numbers are year and month if the first has four digits,
    otherwise month and day."""
    marks = "~～—–至到" if re.search("[~～—–至到]", dates) or not re.search("[./]", dates) else "-"
    return [_parsed(runs(date)) for date in re.split(f"[{marks}]", dates)]


def _parsed(numbers: list[str]) -> tuple[str, str, str]:
    if len(numbers) == 2 and len(numbers[0]) == 4:
        return numbers[0], numbers[1], ""
    year, month, day = ["", "", *numbers][-3:]
    return year, month, day


def dated(figure: Figure) -> bool:
    """Returns whether each month of the number `figure` is 1 to 12 and each day 1 to 31. A month or day that
    is missing is no fault."""
    return all(
        (not month or 1 <= int(month) <= 12) and (not day or 1 <= int(day) <= 31)
        for _, month, day in parsed(figure.text)
    )


def falling_day(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 10-3, is a month and a day and no span: the first number
    is the larger one."""
    month, day = map(int, runs(figure.text))
    return month > day and dated(figure)


def days_not_shares(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 5/1-5/7, is a span of days. The numbers must be months and
    days, and within one month the second day must be the later one. Spans such as 1/3-1/2 are spans of
    fractions, and so are those of one small denominator, such as 1/3-2/3, unless the text next to them names
    an event or a deadline."""
    month, day, month_2, day_2 = map(int, runs(figure.text))
    is_share = day == day_2 and max(month, month_2) < day <= 10
    return dated(figure) and (
        _names_days(figure.lead[-24:], figure.rest[:12]) if is_share else month != month_2 or day < day_2
    )


def told_day(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 9.12 or 6/7, is a day. Its numbers must be a month and a
    day, no unit may follow, and the text next to it must name an event, a deadline or another day. With a
    slash its second number may also tell (`_is_told_with_slash`)."""
    near, rest, slashed = figure.lead[-24:], figure.rest[:12], "/" in figure.text
    unit = _LETTERS.match(rest)
    if not dated(figure) or _MEASURED.match(rest) or (unit and not (slashed and rest[0] == " ")):
        return False
    if slashed and near.endswith(("到", "至")) and _is_small_share(figure.text):
        return bool(_DAY_BEFORE.search(near) or _DAYS_NEAR.search(near))
    return _is_told(near, rest) or (slashed and _is_told_with_slash(figure.text, near, rest))


def _is_small_share(number: str) -> bool:
    first, second = map(int, runs(number))
    return first < second <= 10


def told_days(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 5.1-5.7, is a span of days. Either the text next to it
    names an event or a deadline, or it begins its clause and a noun follows that is not counted. Returns
    False before a unit."""
    near, rest = figure.lead[-24:], figure.rest[:12]
    if not dated(figure) or _MEASURED.match(rest) or _LETTERS.match(rest):
        return False
    begins = re.search("(?:^|[，。；;、 ])$", near)
    return _names_days(near, rest) or bool(begins and _NO_AMOUNT.match(rest))


def _names_days(near: str, rest: str) -> bool:
    """Returns whether the text `near` before a span, or the text `rest` after it, names an event or a
    deadline."""
    return bool(
        _DAY_BEFORE.search(near)
        or _ONLY_DAYS.match("到1.1" + rest)
        or _ONLY_DAYS.match(rest)
        or re.match("号|日|期间|活动", rest)
    )


def _is_told(near: str, rest: str) -> bool:
    begins = re.search("(?:^|[，。；;、 ])$", near)
    return bool(
        _DAY_BEFORE.search(near)
        or _ONLY_DAYS.match(rest)
        or (
            re.search("[于在到至自从（(是]$", near)
            and _DAY_AFTER.match(rest)
            and not _AMOUNT.search(f"{near}_{rest}")
        )
        or (re.search(r"(?:^|[，。])\d{1,2}\.\d{1,2}[到至~-]$", near) and _ONLY_DAYS.match("到1.1" + rest))
        or (begins and (_TO_DAY.match(rest) or (not near.endswith(" ") and _CLEAR_EVENT.match(rest))))
        or (_FROM_DAY.search(near) and _NO_AMOUNT.match(rest))
    )


def _is_told_with_slash(number: str, near: str, rest: str) -> bool:
    """Returns whether `number`, such as 6/7, is a day and not a fraction. `near` is the text before it and
    `rest` the text after it. A second part of 1 is always a day; one over 10 is a day unless the text next to
    it names a share."""
    day = int(runs(number)[1])
    no_share = not _SHARE_BEFORE.search(near) and not _SHARE.match(rest)
    return bool(
        day == 1
        or (re.search("(?:^|[，。；、])$", near) and _BY_DAY.match(rest))
        or (day > 10 and no_share)
        or (re.search(r"[于在到至自从是和、，：:A-Za-z] ?$", near) and _DAYS_NEAR.search(near))
    )


TESTS = by_name(dated, falling_day, days_not_shares, told_day, told_days)
