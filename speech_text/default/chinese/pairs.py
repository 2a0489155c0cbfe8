"""Chinese numbers in pairs with a mark between them, such as 3-5. The tests tell whether a pair is a score, a
difference, a name or a span; the other functions write its mark as a word. Later rules read the digits that
stay, together with their noun."""

from __future__ import annotations

import re

from speech_text.default.chinese import numbers
from speech_text.default.chinese.times import clause, is_score
from speech_text.default.number_tagger import Figure, by_name, runs

_PLAYED = re.compile(
    "打出|轰出|攻击波|小高潮|赛点|盘点|半场|上半时|主场|客场|终场|节末|开局|[节局]打完|抢七|大比分|系列赛|手握"
)
_COUNTED = re.compile(" ?(?:[名位个天年人月岁周斤块元米种件折]|小时)")
_NOT_PLAYED = re.compile(f"{_COUNTED.pattern}|[球分]")
_DIFFERENCE = re.compile(r"\s*(?:等于|是多少|得多少|得几|等于几|的差|的结果|[=≠≈<>+*×÷])")
_SUM = re.compile("(?:[=+*×÷√]|考我|口算|计算|算一?算|算式|速算|(?<!要)求)[：: ]*$")
_NO_ROOM = re.compile(f"{numbers.MEASURES}| ?(?:[%％‰°℃元块万亿]|[A-Za-z])")
_FORMED = re.compile("的?(?:阵|打法|站位|战术|体系|踢法|转|变)")
_MARK = re.compile(" ?(?:[-~～]|[—–]+) ?")


def _numbers(figure: Figure) -> tuple[float, float]:
    first, second = _MARK.split(figure.text)
    return float(first), float(second)


def scored(figure: Figure) -> bool:
    """Returns whether the number `figure`, such as 3-2, is a score. A word of sport (战胜, 赛点) or another
    score stands next to it, or it stands in a list of scores (`_falls`), or a number in brackets follows.
    Before a word such as 人, 天 or 分 it is no score."""
    lead, rest = clause(figure)
    if _NOT_PLAYED.match(figure.rest):
        return False
    between = figure.line[figure.last.figure.end : figure.start] if figure.last else ""
    return bool(
        is_score(lead, rest)
        or _PLAYED.search(f"{lead} {rest}")
        or (figure.last_kind in ("score", "ratio") and re.fullmatch("[、，,和及与/ ]{1,2}", between))
        or _falls(figure)
        or re.match("[，(（]\\d{1,2}[)）]", figure.rest)
    )


_PAIR = r"\d{1,3}-\d{1,3}"
_LIST = re.compile(rf"(?:{_PAIR}[、，, ]{{1,2}}){{1,9}}$")
_REST = re.compile(rf"(?:[、，, ]{{1,2}}{_PAIR}(?![\d-])){{1,9}}")


def _falls(figure: Figure) -> bool:
    """Returns whether the number `figure` stands in a list of pairs, and another pair of the list falls (its
    second number is smaller). The pairs of such a list are scores: 11-8、11-13."""
    listed = [found.group() for found in (_LIST.search(figure.lead), _REST.match(figure.rest)) if found]
    pairs = re.findall(r"(\d+)-(\d+)", " ".join(listed))
    return any(int(first) > int(second) for first, second in pairs)


def subtracted(figure: Figure) -> bool:
    """Returns whether the hyphen of the number `figure` is a minus sign, because the text next to it is about
    a sum, as in 5-3等于几 (how much is 5-3)."""
    return bool(_DIFFERENCE.match(figure.rest) or _SUM.search(figure.lead[-12:]))


def roomy(figure: Figure) -> bool:
    return not _NO_ROOM.match(figure.rest)


def falling(figure: Figure) -> bool:
    """Returns whether the second number of the number `figure` is not larger than its first, and no measure
    word follows that scores do not count (5-3天, 12-2月)."""
    first, second = _numbers(figure)
    return first >= second and not _COUNTED.match(figure.rest)


def of_two(figure: Figure) -> bool:
    """Returns whether the 2 that begins the number `figure` is read 两, because a measure word follows: in
    2-3个 it is, in the ordinal 第2-3名 it is not."""
    return numbers.takes_liang(figure.rest.lstrip()) and not figure.lead.endswith("第")


def formed(figure: Figure) -> bool:
    """Returns whether the number `figure` is a formation of football players, such as 4-3-3: the numbers add
    up to ten, or a word such as 阵型 follows."""
    return bool(_FORMED.match(figure.rest)) or sum(map(int, runs(figure.text))) == 10


def to(pair: str) -> str:
    """Returns a span with 到 in place of its mark: 3-5 -> 3到5, 3天- -> 3天到."""
    return _MARK.sub("到", pair)


def two_to(pair: str) -> str:
    """Returns a span that begins with 2, with 两 in place of the 2 and 到 in place of its mark: 2-3 -> 两到3,
    2天- -> 两天到."""
    return f"两{to(pair[1:])}"


def minus(pair: str) -> str:
    """Returns a difference with 减 in place of its mark: 5-3 -> 5减3, 3x- -> 3x减."""
    return _MARK.sub("减", pair)


def unsigned(number: str) -> str:
    """Returns `number` without the hyphen before it, since the hyphen is not said: the -20 of 歼-20 -> 20."""
    return number.lstrip("- ")


def negated(number: str) -> str:
    """Returns a negative number with 负 in place of its hyphen: -5 -> 负5."""
    return f"负{unsigned(number)}"


def less(number: str) -> str:
    """Returns a number that is subtracted, with 减 in place of its hyphen: the -5 of x-5 -> 减5."""
    return f"减{unsigned(number)}"


def positive(number: str) -> str:
    """Returns a positive number with 正 in place of its plus sign: the +5 of 为+5 -> 正5."""
    return f"正{number.lstrip('+ ')}"


def more(number: str) -> str:
    """Returns a number with 多 (and more) in place of the plus sign after it: the 60+ of 60+岁 -> 60多."""
    return f"{number[:-1]}多"


def dash(pair: str) -> str:
    """Returns numbers with 杠 (dash) in place of each mark: 2-3-4 -> 2杠3杠4."""
    return _MARK.sub("杠", pair)


def formation(lines: str) -> str:
    """Returns a formation of football players in Chinese words: 4-3-3 -> 四三三."""
    return numbers.digits("".join(runs(lines)))


SAID = by_name(to, two_to, minus, dash, formation, unsigned, negated, less, positive, more)
TESTS = by_name(scored, subtracted, roomy, falling, of_two, formed)
