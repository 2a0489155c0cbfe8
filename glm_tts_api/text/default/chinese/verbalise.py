"""Chinese: how figures are said, by name for the table of their classes."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese.days import parsed
from glm_tts_api.text.default.chinese.numbers import cardinal, dialled, digits, named
from glm_tts_api.text.default.figures import groups, runs
from glm_tts_api.text.default.spelling import PHONE_DIGITS

_MARKS = str.maketrans({".": "点", ":": "冒号", "-": "杠", "/": "，", " ": "，"})


def telephone(number: str) -> str:
    """Digits as a number to dial, a pause between its groups."""
    number, _, extension = number.partition("转")
    plus = "加" if number.startswith("+") else ""
    spoken = plus + "，".join(map(dialled, groups(number)))
    return f"{spoken}，转{dialled(extension)}" if extension else spoken


def grouped(number: str) -> str:
    """Digits as they are dialled with a pause between their groups."""
    return re.sub(r"\D+", "，", number).translate(PHONE_DIGITS)


def dashed(number: str) -> str:
    """Digits as they are dialled, with their marks."""
    return dialled(number).translate(_MARKS)


def marked(number: str) -> str:
    """192.168.1.1:8080, 7714-2015: digits with their marks."""
    return digits(number).translate(_MARKS)


def rooms(number: str) -> str:
    """3-1-1202: building, unit and room."""
    parts = number.split("-")
    return "杠".join(dialled(part) if len(part) > 2 else cardinal(part) for part in parts)


def span(number: str) -> str:
    """1201-1203室: from one room to another."""
    return "到".join(map(dialled, re.findall("[0-9]+", number)))


def event(day: str) -> str:
    """3·15: a day that gave an event its name."""
    return "十一" if day == "10.1" else digits(re.sub(r"\D", "", day))


def version(number: str) -> str:
    """2.3.10, 5.15.0-91."""
    return re.sub("[0-9]+", lambda run: _part(run.group()), number).translate(_MARKS)


def _part(run: str) -> str:
    return digits(run) if run[0] == "0" or len(run) > 5 else cardinal(run)


def point(number: str) -> str:
    """The 2 of X.2."""
    return f"点{named(number)}"


def port(number: str) -> str:
    return f"冒号{digits(number)}"


def airplane(number: str) -> str:
    """737-800."""
    return "".join(map(named, number.split("-")))


def chip(number: str) -> str:
    """i7-12700."""
    first, second = number.split("-")
    return f"{cardinal(first)} {digits(second)}"


def hyphened(number: str) -> str:
    """F-16, COVID-19."""
    return named(number) if len(number) < 6 else digits(number)


def dates(number: str) -> str:
    """2024-01-05, 3/8, 2024.5, 5.1-5.7, 2024.1.5-8."""
    return ("至" if "至" in number else "到").join(_date(*date) for date in parsed(number))


def _date(year: str, month: str, day: str) -> str:
    numbers = digits(year), month and cardinal(month), day and cardinal(day)
    return "".join(number + unit for number, unit in zip(numbers, "年月日", strict=True) if number)


def date_of_eight(number: str) -> str:
    """20240105."""
    return _date(number[:4], number[4:6], number[6:])


def verse(number: str, division: str = "章") -> str:
    """3:16, 5:3-12."""
    chapter, *verses = map(cardinal, runs(number))
    return f"{chapter}{division}{'到'.join(verses)}节"


def psalm(number: str) -> str:
    return verse(number, "篇")


def season(years: str) -> str:
    """2024/25."""
    return digits(re.sub(r"\D", "", years))


def years(number: str) -> str:
    """1998-2002."""
    return ("至" if "至" in number else "到").join(map(digits, runs(number)))


def decades(number: str) -> str:
    """80-90年代."""
    return "到".join(map(cardinal, runs(number)))


def decade(number: str) -> str:
    """1980s, 90s."""
    return f"{digits(number) if len(number) == 4 else cardinal(number)}年代"


def seconds(number: str) -> str:
    return f"{cardinal(number)}秒"


SAID = {
    say.__name__: say
    for say in (
        *(cardinal, dialled, digits, named, telephone, grouped, dashed, marked, rooms, span, event, version),
        *(
            point,
            port,
            airplane,
            chip,
            hyphened,
            dates,
            date_of_eight,
            season,
            years,
            decades,
            decade,
            seconds,
            verse,
            psalm,
        ),
    )
}
