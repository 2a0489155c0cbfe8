"""Functions that test whether a Chinese number is a year or counts years."""

from __future__ import annotations

import re

from speech_text.default.chinese.numbers import takes_liang
from speech_text.default.number_tagger import Figure, by_name, runs

_SPAN = re.compile(
    "(?:距今|长达|历时|历经|[近约超过数]|不到|整整|至少|已有|有着?|埋藏|寿命[为是]?)[约近超了有过]{0,2} ?_"
    "|_(?:之?前|历史|之久|的(?:历史|文明))"
)
_SHORT = re.compile(r"[，、。]_[，、。]|[是属]_的(?!历史|时间)|\d年[^，。]{1,4}_")


def next_year(figure: Figure) -> bool:
    """Returns whether the number `figure` is a season, which spans two years: 2015-16, 1999/00."""
    first, second = map(int, runs(figure.text))
    return second == (first + 1) % 100


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
    return bool(_SHORT.search(f"{figure.lead[-12:]}_{figure.rest[1:4]}"))


TESTS = by_name(next_year, rising_uncounted, no_span_of_years, short_year)
