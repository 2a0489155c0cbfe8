"""Chinese: years, and spans of them, told from amounts."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.table import Match, after, before

_SPAN_BEFORE = re.compile(
    "(?:距今|长达|历时|上下|历经|跨越|绵延|延续|传承|沉睡|存续|等了"
    "|近|约|超过?|不到|将近|大约|整整|至少|足足|已有|共|过了|活了"
    "|埋藏|大概|几乎|多达|有着?|又?过|寿命[为是]?|了|拥有|数|前后|长约|续|者|需要?)[约近超了有]{0,2} ?$"
)
_SPAN_AFTER = re.compile(
    "前(?![后期半往夕])|之前|以前|来|以来|间|之久|历史|的(?:历史"
    "|文明|时[光间]|岁月|发展|沉淀|传承|变迁|建城|古|[老]|积淀|等待"
    "|风雨|寿命|文化)|沧桑|文明|古[都城镇寺树刹]|不变|老店|之后的?地球"
    "|后的?地球|(?:的)?一?遇"
)


def reign(match: Match) -> str:
    """701-762年: the years of a life or a dynasty."""
    first, second = match.groups()
    if int(first) >= int(second) or (first.endswith("0") and second.endswith("0")):
        return match.group()
    return f"{numbers.digits(first)}到{numbers.digits(second)}年"


def year_span(match: Match) -> str:
    """1998-2002年, 2024-2025学年."""
    first, unit, second = match[1], match[2] or "", match[3]
    if len(second) == 4 and not unit and int(second) <= int(first):
        return match.group()
    to = "至" if "至" in match.group() else "到"
    return f"{numbers.digits(first)}{unit}{to}{numbers.digits(second)}"


def uncounted_year_span(match: Match) -> str:
    """1998-2002, unless it is said of what."""
    rest = after(match).lstrip()
    counted = numbers.MEASURE.match(rest) and not rest.startswith("年") and not match[2]
    return match.group() if counted else year_span(match)


def season(match: Match) -> str:
    """2024/25赛季."""
    return numbers.digits(match[1] + match[2])


_NINETIES = re.compile(
    ".?(?:复古|风|怀旧|港|音乐|经典|老|歌|金曲|辣妹|时期|年代|的?(?:歌|音乐|电影|[我你他她]们)|disco|"
    "Disco|vibe|[Kk]id)"
)


def decade(match: Match) -> str:
    """90年代, 1980s; 30s is as many seconds unless the style of an age is told."""
    if (
        len(match[1]) == 2
        and match.group()[2:] == "s"
        and not (
            _NINETIES.match(after(match))
            or re.search("生于|梦回|重[返回]|复古|怀旧|回到|致敬", before(match))
        )
    ):
        return f"{numbers.cardinal(match[1])}秒"
    return (numbers.digits(match[1]) if len(match[1]) == 4 else numbers.cardinal(match[1])) + "年代"


def year(match: Match) -> str:
    """A year digit by digit; a span of years as a number."""
    number, rest = match[1], after(match)
    is_span = (
        bool(_SPAN_AFTER.match(rest))
        or bool(
            _SPAN_BEFORE.search(before(match))
            and not re.match("[0-9一二三四五六七八九十底初末春夏秋冬]|出生|成立|建", rest)
        )
        or (int(number) % 1000 == 0 and number not in ("1000", "2000"))
        or int(number) > 2200
    )
    if is_span and not re.search("(?:公元前?|西元|自|从|早在|截至|到了?|于|在|始于)$", before(match)):
        return numbers.cardinal(number) + "年"
    return numbers.digits(number) + "年"


def spelled(match: Match) -> str:
    return numbers.digits(match.group())


def in_brackets(match: Match) -> str:
    """（2022）京0105民初, 〔2023〕15号: the year of a document."""
    number = match.group()
    return numbers.digits(number) if 1949 <= int(number) <= 2099 else number


_BY_YEAR = re.compile(
    "出生|生的|属[鼠牛虎兔龙蛇马羊猴鸡狗猪]|毕业|入学|参加|0\\d年|[零一二三四五六七八九]{2}年|同岁"
)


def short_year(match: Match) -> str:
    """94年: a year where births or other years are told."""
    near = before(match) + "_" + after(match)
    alone = re.search("[，、。]$", before(match)) and re.match("[，、。]", after(match))
    named = alone or (
        before(match, 1) in ("是", "属")
        and re.match("的(?!历史|时间|努力|老店|光阴|友谊|合同|工)", after(match))
    )
    return numbers.digits(match[1]) + "年" if named or _BY_YEAR.search(near) else match.group()


def spelled_year(match: Match) -> str:
    return numbers.digits(match[1]) + match.group()[len(match[1]) :]


def closing_year(match: Match) -> str:
    """巴黎2024, 世界杯2022: a year that closes a name."""
    is_name = re.search(
        "(?:奥运会?|世界杯|峰会|大会|博览会|[^汽]展|音乐节|电影节|盛典"
        "|盘点|巴黎|东京|北京|洛杉矶|里约|伦敦)$",
        before(match),
    )
    return numbers.digits(match.group()) if is_name else match.group()


def bare_year(match: Match) -> str:
    """2025我们一起: a year before what is not counted, unless an amount has been announced."""
    rest = after(match).lstrip()
    counted = numbers.MEASURE.match(rest) or re.match("[多余左来几级号路减返送抵]|以[上下内]|分之", rest)
    announced = re.search(
        "(?:[共约了有超近达到为是第价加减乘除以号编于过得出仅满每打扣降涨补省返领抢]|不足|等于) ?$",
        before(match),
    )
    if match.group() == "2000" and not re.search("[从自到在于至年]$", before(match)):
        return match.group()
    if re.match("了|还|就|又", rest) and re.search("都|已经", before(match, 4)):
        return numbers.digits(match.group())
    return match.group() if counted or announced else numbers.digits(match.group())
