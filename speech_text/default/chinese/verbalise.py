"""Functions that write Chinese numbers as words. The table of number classes names them."""

from __future__ import annotations

import re

from speech_text.default.chinese.days import parsed
from speech_text.default.chinese.numbers import cardinal, dialled, digits, named
from speech_text.default.number_tagger import by_name, groups, runs
from speech_text.default.spelling import PHONE_DIGITS

_MARKS = str.maketrans({".": "点", ":": "冒号", "-": "杠", "—": "杠", "–": "杠", "/": "，", " ": "，"})


def telephone(number: str) -> str:
    """Returns a telephone number in Chinese words: its digits as they are dialled, with a pause between its
    groups. A + before the number is 加. The digits after 转 are the extension."""
    number, _, extension = number.partition("转")
    plus = "加" if number.startswith("+") else ""
    spoken = plus + "，".join(map(dialled, groups(number)))
    return f"{spoken}，转{dialled(extension)}" if extension else spoken


def grouped(number: str) -> str:
    """Returns `number` with its digits in Chinese as they are dialled, and a comma for a pause in place of
    all marks between them."""
    return re.sub(r"\D+", "，", number).translate(PHONE_DIGITS)


def dashed(number: str) -> str:
    """Returns `number` with its digits in Chinese as they are dialled, and its marks (hyphen, slash) as words
    or pauses."""
    return dialled(number).translate(_MARKS)


def marked(number: str) -> str:
    """Returns `number` with its digits in Chinese, one by one, and its marks (dot, colon, hyphen) as words:
    192.168.1.1:8080, 7714-2015."""
    return digits(number).translate(_MARKS)


def rooms(number: str) -> str:
    """Returns the number of a flat (building, unit and room) in Chinese words: 3-1-1202 ->
    三杠一杠幺二零二."""
    parts = number.split("-")
    return "杠".join(dialled(part) if len(part) > 2 else cardinal(part) for part in parts)


def span(number: str) -> str:
    """Returns a span of room numbers in Chinese words, its digits as they are dialled: 1201-1203 ->
    幺二零幺到幺二零三."""
    return "到".join(map(dialled, re.findall("[0-9]+", number)))


def struck(record: str) -> str:
    """Returns the record of a player (kills, deaths and assists) in Chinese words: 12/1/8 -> 十二，一，八."""
    return "，".join(map(cardinal, runs(record)))


def event(day: str) -> str:
    """Returns a date that is the name of an event in Chinese digits: 3·15 -> 三一五. The date 10.1 is
    十一."""
    return "十一" if day == "10.1" else digits(re.sub(r"\D", "", day))


def version(number: str) -> str:
    """Returns the number of a version in Chinese words: 2.3.10 -> 二点三点十. A part that begins with 0 or
    has more than five digits is read digit by digit."""
    return re.sub("[0-9]+", lambda run: _part(run.group()), number).translate(_MARKS)


def _part(run: str) -> str:
    return digits(run) if run[0] == "0" or len(run) > 5 else cardinal(run)


def point(number: str) -> str:
    """Returns the last part of a version in Chinese words: the 2 of X.2 -> 点二."""
    return f"点{named(number)}"


def port(number: str) -> str:
    return f"冒号{digits(number)}"


def airplane(number: str) -> str:
    """Returns the name of an airplane in Chinese words: 737-800 -> 七三七八百."""
    return "".join(map(named, number.split("-")))


def chip(number: str) -> str:
    """Returns the name of a processor in Chinese words: the 7-12700 of i7-12700 -> 七 一二七零零."""
    first, second = number.split("-")
    return f"{cardinal(first)} {digits(second)}"


def hyphened(number: str) -> str:
    """Returns, in Chinese words, the number that follows the hyphen of a name: the 16 of F-16 -> 十六, the 19
    of COVID-19 -> 十九."""
    return named(number) if len(number) < 6 else digits(number)


def dates(number: str) -> str:
    """Returns a date or a span of dates in Chinese words: 2024-01-05 -> 二零二四年一月五日, 5.1-5.7 ->
    五月一日到五月七日."""
    return ("至" if "至" in number else "到").join(_date(*date) for date in parsed(number))


def _date(year: str, month: str, day: str) -> str:
    numbers = digits(year), month and cardinal(month), day and cardinal(day)
    return "".join(number + unit for number, unit in zip(numbers, "年月日", strict=True) if number)


def date_of_eight(number: str) -> str:
    """Returns a date of eight digits (year, month, day) in Chinese words: 20240105 -> 二零二四年一月五日."""
    return _date(number[:4], number[4:6], number[6:])


def verse(number: str, division: str = "章") -> str:
    """Returns a chapter and its verses in Chinese words: 3:16 -> 三章十六节, 5:3-12 -> 五章三到十二节.
    `division` is the word for a chapter."""
    if number.count(":") > 1:
        return "到".join(map(verse, re.split("[-—–~～至到]", number)))
    chapter, *verses = map(cardinal, runs(number))
    return f"{chapter}{division}{'到'.join(verses)}节"


def psalm(number: str) -> str:
    return verse(number, "篇")


def season(years: str) -> str:
    """Returns, in Chinese words, a sports season, which spans two years: 2024/25 -> 二零二四二五."""
    return digits(re.sub(r"\D", "", years))


def years(number: str) -> str:
    """Returns a span of years in Chinese words: 1998-2002 -> 一九九八到二零零二."""
    return ("至" if "至" in number else "到").join(map(digits, runs(number)))


def decade(number: str) -> str:
    """Returns a decade in Chinese words: the 1980 of 1980s -> 一九八零年代, the 90 of 90s -> 九十年代."""
    return f"{digits(number) if len(number) == 4 else cardinal(number)}年代"


def seconds(number: str) -> str:
    return f"{cardinal(number)}秒"


SAID = by_name(
    *(cardinal, dialled, digits, named, telephone, grouped, dashed, marked, rooms, span, event),
    *(version, point, port, airplane, chip, hyphened),
    *(dates, date_of_eight, season, years, decade, seconds, verse, psalm, struck),
)
