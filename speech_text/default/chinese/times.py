"""Chinese words for times of day and durations, and tests whether a number such as 21:15 is a time, a score
or a ratio."""

from __future__ import annotations

import re

from speech_text.default.chinese import numbers
from speech_text.default.number_tagger import Figure, by_name, runs

_SCORE = re.compile(
    "比分|局分|战胜|击败|战平|打平|打成|领先|落后|大胜|完胜|险胜|小胜|惜败|告负|获胜|取胜|淘汰|逆转|负于|不敌"
    "|输给|输了|赢|轻取|横扫|力克|力挫|绝杀|反超|追平|扳平|追成|逼平|先胜|再胜|连胜|战成|握手言和|拿下|憾负|憾平"
    "|总分|大败|完败|落败|惨败|胜出|胜利|球队以|以$"
)
_RATIO = re.compile(
    "坡|配比|比[分例率值]|尺寸|宽高|画面|长宽|屏幕|混合|稀释|比[为是]?$|兑|赔率|按照?$|(?:[局盘]|比分)[打战拼来追]?[到至成]$"
)
_RATIO_BEHIND = re.compile(" ?(?:拆|稀释|配[制比]|混合|兑|勾兑|复刻|的?比例|还原|缩放|的?模型)")
_CLOCK = re.compile(
    "(?:[于在到从至]|[早晚夜凌清]晨?[上里间]?|[上下中]午|傍晚|今晚|明晚|昨晚|时间|[日号天]|周[一二三四五六日末]"
    "|定[于在]?|[前后])[：: ]*$"
)
_BY_CLOCK = re.compile(
    " ?分?[,，]? ?(?:开赛|开球|开始|开播|开会|开场|开门|起飞|出发|到达|抵达|准时|见|发车|直播|截止|许|左右|前"
    "|后|的(?:航班|飞机|高铁|火车|车|会|闹钟))"
)
_PAIRS = re.compile(r"(?:\d{1,3} ?[-:] ?\d{1,3}[、，, 和及与/]{1,2}){1,9}$")
_MORE_PAIRS = re.compile(r"(?:[、，, 和及与/]{1,2}\d{1,3} ?[-:] ?\d{1,3}){1,9}")


def clause(figure: Figure) -> tuple[str, str]:
    """Returns the texts before and after the number `figure`, at most 12 characters each: the text before
    within its clause, the text after within its sentence. Other pairs of numbers next to it are left out
    (比分为11-9、8-11、...)."""
    lead, rest = _PAIRS.sub("", figure.lead)[-12:], _MORE_PAIRS.sub("", figure.rest, count=1)[:12]
    return re.split("[，。；！？,;]", lead)[-1], re.split("[。；！？;]", rest)[0]


def compared(figure: Figure) -> bool:
    """Returns whether the number `figure` is a score or a ratio. Next to 击败 (beats) or 比例 (ratio) 21:15
    is one; next to 晚上 (evening) it is a time of day."""
    lead, rest = clause(figure)
    if (
        _RATIO.search(lead[-6:])
        or _RATIO_BEHIND.match(rest)
        or f"{figure.last_kind}{figure.lead[-1:]}" in ("ratio/", "ratio、")
    ):
        return True
    told = _CLOCK.search(lead) or _BY_CLOCK.match(rest)
    return not told and is_score(lead, rest)


def is_score(lead: str, rest: str) -> bool:
    return bool(_SCORE.search(lead) or _SCORE.search(rest.removesuffix("以")))


def tall(figure: Figure) -> bool:
    """Returns whether the number `figure` is the height of a person, such as 5'8", and not a running pace,
    such as 5'30". Inches of one digit make it a height, and so does a word such as 身高 before it."""
    return bool(re.fullmatch(r"\d['′’]\d\D+", figure.text) or re.search("身高|身长|英尺", figure.lead[-12:]))


def clock(time: str) -> str:
    """Returns a time of day in Chinese words: 21:15 -> 二十一点十五分, 9:30:05 -> 九点三十分零五秒, 5:30 p.m.
    -> 下午五点三十分."""
    hour, *rest = runs(time)
    minute, second = [*rest, "", ""][:2]
    half = re.search("(?i)[ap](?=.?m)", time)
    said = (_part_of_day(half[0].lower(), int(hour)) if half else "") + f"{_hour(hour)}点"
    if "点" in time:
        return said + (_two_digits(minute) if minute else "") + ("分" if time.endswith("分") else "")
    if minute and (int(minute) or second):
        said += f"{_two_digits(minute)}分"
    return said + (f"{_two_digits(second)}秒" if second else "")


def clocks(times: str) -> str:
    """Returns a span of times of day in Chinese words: 9:00-11:00 -> 九点到十一点."""
    return ("至" if "至" in times else "到").join(map(clock, re.split(" ?[-~～—–至到]+ ?", times)))


def hours(times: str) -> str:
    """Returns a span of hours of the day in Chinese words: 9-11点 -> 九到十一点."""
    first, last = re.split(" ?[-~～—–]+ ?", times)
    return f"{_hour(first)}到{clock(last)}"


def _hour(hour: str) -> str:
    return numbers.counted(str(int(hour)), "个")


def _two_digits(digits: str) -> str:
    return ("零" if digits[0] == "0" and digits != "00" else "") + numbers.cardinal(digits)


def _part_of_day(half: str, hour: int) -> str:
    if half == "a":
        return "凌晨" if hour in (12, 1, 2, 3, 4) else "上午"
    return "中午" if hour == 12 else "晚上" if 6 < hour < 12 else "下午"


def duration(time: str) -> str:
    """Returns, in Chinese words, a duration of minutes and seconds, or of hours, minutes and seconds: 1:02:03
    -> 一小时二分三秒."""
    *hours, minutes, seconds = runs(time)
    spoken = "".join(f"{_hour(part)}小时" for part in hours)
    return f"{spoken}{numbers.cardinal(minutes)}分{numbers.cardinal(seconds)}秒"


def minutes(time: str) -> str:
    """Returns a duration of minutes, seconds and perhaps hundredths in Chinese words: 3:25 -> 三分二十五秒,
    2:05.31 -> 两分零五秒三一."""
    *minutes, seconds, hundredths = [*runs(time), ""] if len(runs(time)) == 2 else runs(time)
    spoken = "".join(f"{numbers.counted(part, '分')}分" for part in minutes)
    return f"{spoken}{_two_digits(seconds)}秒{numbers.digits(hundredths)}"


def feet(height: str) -> str:
    """Returns a height in feet and inches in Chinese words: 5'8" -> 五英尺八英寸."""
    feet, inches = map(numbers.cardinal, runs(height)[:2])
    return f"{feet}英尺{inches}英寸"


def hundredths(time: str) -> str:
    """Returns a time in seconds and hundredths in Chinese words: 10"58 -> 十秒五八."""
    first, hundredths = runs(time)
    return f"{numbers.counted(first, '秒')}秒{numbers.digits(hundredths)}"


def ratio(pair: str) -> str:
    """Returns a ratio or a score in Chinese words: 21:15 -> 二十一比十五, 3:2:1 -> 三比二比一."""
    return "比".join(map(numbers.cardinal, re.findall(r"\d+(?:\.\d+)?", pair)))


SAID = by_name(clock, clocks, hours, duration, minutes, feet, ratio)
TESTS = by_name(compared, tall)
