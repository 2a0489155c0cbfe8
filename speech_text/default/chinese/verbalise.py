"""Functions that write Chinese numbers as words. The table of number classes names them."""

from __future__ import annotations

import re

from speech_text.default.chinese.days import parsed
from speech_text.default.chinese.numbers import cardinal, counted, dialled, digits, named
from speech_text.default.number_tagger import Say, by_name, groups, runs

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_HYPHEN = re.compile(" ?(?:[-~～]|[—–]+) ?")
_TO = re.compile(" ?[-~～—–至到]+ ?")
_MARKS = str.maketrans({".": "点", ":": "冒号", "-": "杠", "—": "杠", "–": "杠", "/": "，", " ": "，"})
_OF_ANGLES = {"°": "度", "'": "分", "′": "分", '"': "秒", "″": "秒"}


def joined(between: str, say: Say = cardinal) -> Say:
    """Returns a function that writes the numbers of a text as words, with `between` between them."""
    return lambda text: between.join(map(say, _NUMBER.findall(text)))


def spelled(say: Say) -> Say:
    """Returns a function that writes the runs of digits of a text by `say`, and its marks as words or
    pauses: 192.168.1.1:8080, 7714-2015."""
    return lambda text: re.sub("[0-9]+", lambda run: say(run[0]), text).translate(_MARKS)


def spanned(say: Say) -> Say:
    """Returns a function that writes the two ends of a span by `say`: 9:00-11:00 -> 九点到十一点."""
    return lambda text: ("至" if "至" in text else "到").join(map(say, _TO.split(text)))


def dashed(word: str) -> Say:
    """Returns a function that puts `word` in place of each hyphen. Later rules read the numbers, together
    with their noun: 3-5 -> 3到5, 3天- -> 3天到."""
    return lambda text: _HYPHEN.sub(word, text)


def signed(word: str) -> Say:
    """Returns a function that puts `word` in place of the sign before a number: -5 -> 负5."""
    return lambda number: word + number.lstrip("-+ ")


def telephone(number: str) -> str:
    """Returns a telephone number in Chinese words: its digits as they are dialled, with a pause between its
    groups. A + before the number is 加. The digits after 转 are the extension."""
    number, _, extension = number.partition("转")
    spoken = "加" * number.startswith("+") + "，".join(map(dialled, groups(number)))
    return f"{spoken}，转{dialled(extension)}" if extension else spoken


def _part(run: str) -> str:
    """Returns a part of a version in Chinese words. One that begins with 0 or has more than five digits is
    read digit by digit."""
    return digits(run) if run[0] == "0" or len(run) > 5 else cardinal(run)


def dates(number: str) -> str:
    """Returns a date or a span of dates in Chinese words: 2024-01-05 -> 二零二四年一月五日, 5.1-5.7 ->
    五月一日到五月七日."""
    return ("至" if "至" in number else "到").join(_date(*date) for date in parsed(number))


def _date(year: str, month: str, day: str) -> str:
    numbers = digits(year), month and cardinal(month), day and cardinal(day)
    return "".join(number + unit for number, unit in zip(numbers, "年月日", strict=True) if number)


def verse(number: str, division: str = "章") -> str:
    """Returns a chapter and its verses in Chinese words: 3:16 -> 三章十六节, 5:3-12 -> 五章三到十二节.
    `division` is the word for a chapter."""
    if number.count(":") > 1:
        return spanned(verse)(number)
    chapter, *verses = map(cardinal, runs(number))
    return f"{chapter}{division}{'到'.join(verses)}节"


def fraction(text: str) -> str:
    """Returns a fraction in Chinese words: 3/4 -> 四分之三, 1 1/2 -> 一又二分之一, 1/60s -> 六十分之一秒."""
    *whole, first, second = map(cardinal, _NUMBER.findall(text))
    lead = "负" * (text[0] == "-") + (f"{whole[0]}又" if whole else "")
    return f"{lead}{second}分之{first}{'秒' if text.endswith('s') else ''}"


def power_of_ten(text: str) -> str:
    """Returns a number with a power of ten in Chinese words: 1.2×10^5 -> 一点二乘以十的五次方, 1.5e-3 ->
    一点五乘以十的负三次方."""
    factor, *base, exponent = map(cardinal, re.findall(r"[-+]?\d+(?:\.\d+)?", text))
    return f"{factor}乘以{base[0] if base else '十'}的{exponent}次方"


def angle(text: str) -> str:
    """Returns an angle in Chinese words: 30°15'20" -> 三十度十五分二十秒, 30°20" -> 三十度二十秒."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([°'′\"″])", text)
    return "负" * (text[0] == "-") + "".join(cardinal(part) + _OF_ANGLES[mark] for part, mark in parts)


def clock(time: str) -> str:
    """Returns a time of day in Chinese words: 21:15 -> 二十一点十五分, 9:30:05 -> 九点三十分零五秒, 5:30 p.m.
    -> 下午五点三十分."""
    hour, *rest = runs(time)
    minute, second = [*rest, "", ""][:2]
    half = re.search("(?i)[ap](?=.?m)", time)
    said = (_part_of_day(half[0].lower(), int(hour)) if half else "") + counted(str(int(hour)), "个") + "点"
    if "点" in time:
        return said + (_two_digits(minute) if minute else "") + ("分" if time.endswith("分") else "")
    if minute and (int(minute) or second):
        said += f"{_two_digits(minute)}分"
    return said + (f"{_two_digits(second)}秒" if second else "")


def _two_digits(number: str) -> str:
    return ("零" if number[0] == "0" and number != "00" else "") + cardinal(number)


def _part_of_day(half: str, hour: int) -> str:
    if half == "a":
        return "凌晨" if hour in (12, 1, 2, 3, 4) else "上午"
    return "中午" if hour == 12 else "晚上" if 6 < hour < 12 else "下午"


def duration(time: str) -> str:
    """Returns, in Chinese words, a duration of minutes and seconds, or of hours, minutes and seconds: 1:02:03
    -> 一小时二分三秒."""
    *hours, minutes, seconds = runs(time)
    spoken = "".join(counted(str(int(part)), "个") + "小时" for part in hours)
    return f"{spoken}{cardinal(minutes)}分{cardinal(seconds)}秒"


def minutes(time: str) -> str:
    """Returns a duration of minutes, seconds and perhaps hundredths in Chinese words: 3:25 -> 三分二十五秒,
    2:05.31 -> 两分零五秒三一."""
    minutes, seconds, *hundredths = runs(time)
    return f"{counted(minutes, '分')}分{_two_digits(seconds)}秒{digits(''.join(hundredths))}"


# The names are those of the table of number classes.
_SHORT: dict[str, Say] = {
    "grouped": lambda number: dialled(re.sub(r"\D+", "，", number)),
    "dashed": spelled(dialled),
    "marked": spelled(digits),
    "version": spelled(_part),  # 2.3.10 -> 二点三点十
    "chip": lambda name: "{} {}".format(cardinal(name.split("-")[0]), digits(name.split("-")[1])),
    # a building, its unit and a room: 3-1-1202 -> 三杠一杠幺二零二
    "rooms": joined("杠", lambda run: dialled(run) if len(run) > 2 else cardinal(run)),
    "span": joined("到", dialled),  # rooms: 1201-1203 -> 幺二零幺到幺二零三
    "struck": joined("，"),  # kills, deaths and assists: 12/1/8 -> 十二，一，八
    "event": lambda day: digits(re.sub(r"\D", "", day)),  # 3·15 -> 三一五
    "port": lambda number: f"冒号{digits(number)}",
    "airplane": joined("", named),  # 737-800 -> 七三七八百
    "years": lambda number: ("至" if "至" in number else "到").join(map(digits, runs(number))),
    "decade": lambda number: f"{digits(number) if len(number) == 4 else cardinal(number)}年代",
    "fractions": spanned(fraction),
    "psalm": lambda number: verse(number, "篇"),
    "nth": lambda number: f"第{cardinal(number)}",
    "ratio": joined("比"),  # 3:2:1 -> 三比二比一
    "versus": joined("v"),  # 5v5 -> 五v五
    "formation": joined("", digits),  # 4-3-3 -> 四三三
    "clocks": spanned(clock),
    "to": dashed("到"),
    "minus": dashed("减"),
    "dash": dashed("杠"),
    "unsigned": signed(""),  # the -20 of 歼-20 -> 20
    "negated": signed("负"),
    "less": signed("减"),
    "positive": signed("正"),
    "more": lambda number: f"{number[:-1]}多",  # the 60+ of 60+岁 -> 60多
}
SAID = _SHORT | by_name(
    *(cardinal, dialled, digits, named, telephone, dates, verse),
    *(fraction, power_of_ten, angle, clock, duration, minutes),
)
