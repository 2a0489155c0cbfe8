"""Chinese: dates, years, times of day and durations."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.table import Match, Row, after, before

_HAN = "\u4e00-\u9fff"
_PARTS_OF_DAY = (
    "早上",
    "上午",
    "中午",
    "下午",
    "傍晚",
    "晚上",
    "凌晨",
    "夜里",
    "深夜",
    "今晚",
    "清晨",
    "早晨",
)
_RATIO = re.compile("比分|比例|比率|比值|配比|尺寸|宽高|画面|长宽|屏幕|混合|稀释|比[为是]?$|兑|赔率|按照?$")
_RATIO_BEHIND = re.compile(" ?(?:拆|稀释|配[制比]|混合|兑|勾兑|复刻|的?比例|还原|缩放|的?模型)")
# Near a figure such as 21:15 these tell a score, and those a time of day.
SCORE = re.compile(
    "比分|局分|战胜|击败|战平|打平|打成|领先|落后|大胜|完胜|险胜"
    "|小胜|惜败|告负|获胜|取胜|淘汰|逆转|负于|不敌|输给|输了|赢|轻取"
    "|横扫|力克|力挫|绝杀|反超|追平|扳平|追成|逼平|先胜|再胜|连胜"
    "|战成|握手言和|拿下|憾负|憾平|总分|大败|完败|落败|惨败|胜出"
    "|胜利|球队以|以$"
)
_CLOCK = re.compile(
    "(?:[于在到从至]|[早晚夜凌清]晨?[上里间]?|[上下中]午|傍晚|今晚"
    "|明晚|昨晚|时间|[日号天]|周[一二三四五六日末]|定[于在]?|[前后])[：: ]*$"
)
_BY_CLOCK = re.compile(
    " ?(?:分?[,，]? ?(?:开赛|开球|开始|开播|开会|开场|开门|起飞|出发"
    "|到达|抵达|准时|见|发车|直播|截止|许|左右|前|后|的(?:航班|飞机"
    "|高铁|火车|车|会|闹钟)))"
)


_PAIRS = re.compile(r"(?:\d{1,3} ?[-:] ?\d{1,3}[、，, 和及与/]{1,2}){1,9}$")
_MORE_PAIRS = re.compile(r"(?:[、，, 和及与/]{1,2}\d{1,3} ?[-:] ?\d{1,3}){1,9}")


def lead(match: Match) -> str:
    """The text before `match`, without the pairs of numbers that lead to it (比分为11-9、8-11、...)."""
    near = before(match)
    if near[-1:] not in "、，, 和及与/" or not near[-2:-1].isdigit():
        return near
    return _PAIRS.sub("", before(match, 60))[-12:]


def trail(match: Match) -> str:
    """The text behind `match`, without the pairs of numbers that follow it."""
    near = after(match, 60)
    pairs = _MORE_PAIRS.match(near)
    return near[pairs.end() if pairs else 0 :][:12]


MEDIA = re.compile("视频|音频|录音|进度|片[头尾]|[这那本]集|正片|歌|曲|播放|回放|字幕|彩蛋")
_IN_GAME = re.compile(".{0,4}(?:一血|首杀|[大小]龙|先锋|推塔|推掉|[一二三]塔|团灭)")
_PLACE = re.compile(" ?(?:处|这里|那里|的(?:画面|镜头|地方|时候))")


def clock(match: Match) -> str:
    """A time of day; a score or a ratio where the words beside it say so."""
    hour, minute, second = match[1], match[2], match[3]
    near = lead(match)
    if (MEDIA.search(near) and _PLACE.match(after(match))) or _IN_GAME.match(after(match)):
        return f"{numbers.counted(hour, '分')}分{_two_digits(minute)}秒"
    if not second and not match[4]:
        clause = re.split("[，。；！？,;]", near)[-1]
        follows = re.split("[。；！？;]", trail(match))[0]
        told = _CLOCK.search(near) or _BY_CLOCK.match(follows)
        if (
            _RATIO.search(clause[-6:])
            or _RATIO_BEHIND.match(follows)
            or (not told and SCORE.search(f"{clause} {follows}".replace("以 ", "以$ ")))
        ):
            return f"{numbers.cardinal(hour)}比{numbers.cardinal(minute)}"
        if not told and clause.endswith("以"):
            return f"{numbers.cardinal(hour)}比{numbers.cardinal(minute)}"
    spoken = _hour(hour) + "点"
    if int(minute) or second:
        spoken += _two_digits(minute) + "分"
    if second:
        spoken += _two_digits(second) + "秒"
    return _part_of_day(match, 4) + spoken


def whole_hour(match: Match) -> str:
    return f"{_part_of_day(match, 2)}{_hour(match[1])}点"


def hour_minute(match: Match) -> str:
    """9点05, 2点半, 6点10分."""
    if match[4]:
        return f"{_hour(match[1])}点{numbers.cardinal(match[4])}分"
    minute = match[2]
    return f"{_hour(match[1])}点{_two_digits(minute) if minute else ''}{match[3] or ''}"


def _hour(hour: str) -> str:
    return numbers.counted(str(int(hour)), "个")


def _two_digits(digits: str) -> str:
    return ("零" if digits[0] == "0" and digits != "00" else "") + numbers.cardinal(digits)


def _part_of_day(match: Match, group: int) -> str:
    """The Chinese word for a.m. or p.m. (its first letter is in `group`); empty if the text has one
    already."""
    half, hour = match[group], int(match[1])
    if not half or before(match, 8).rstrip().endswith(_PARTS_OF_DAY):
        return ""
    if half.lower() == "a":
        return "凌晨" if hour in (12, 1, 2, 3, 4) else "上午"
    return "中午" if hour == 12 else "晚上" if 6 < hour < 12 else "下午"


def duration(match: Match) -> str:
    """After 时长 and the like: hours, minutes and seconds, the last two where there are two."""
    *hours, minutes, seconds = match[3].split(":")
    spoken = "".join(f"{_hour(part)}小时" for part in hours)
    return f"{match[1]}{match[2]}{spoken}{numbers.cardinal(minutes)}分{numbers.cardinal(seconds)}秒"


def pace(match: Match) -> str:
    """5'30": minutes and seconds, or feet and inches of a height."""
    minutes, seconds = match[1], match[2]
    if re.search("身高|身长|英尺", before(match)) or (
        int(seconds) < 12 and len(seconds) == 1 and len(minutes) == 1
    ):
        return f"{numbers.cardinal(minutes)}英尺{numbers.cardinal(seconds)}英寸"
    return f"{numbers.counted(minutes, '分')}分{_two_digits(seconds)}秒{numbers.digits(match[3] or '')}"


TIMES: list[Row] = [
    (
        "half of the day",
        r"([AaPp](?<![A-Za-z].))\.?[Mm]\.? ?(\d{1,2}:\d\d)(?![\d:]| ?[AaPp]\.?[Mm])",
        r"\2\1m",
    ),
    ("weekday", r"((?:周|星期|礼拜)[一二三四五六]) ?(?=\d{1,2}(?:[:：]\d\d|点))", r"\1，"),
    ("hundredths", r"\d(?<=\d秒.)\d{1,2}(?![\d.])", lambda m: numbers.digits(m.group())),
    (
        "duration",
        r"(时长|用时|历时|耗时|片长|长达|全长|总长|计时|倒计时|成绩[是为]?"
        r"|跑[了出进完]|完赛|全马|半马|半程|全程|骑行|游进|PB|净成绩|马拉松|"
        r"净时间)([^\d\n]{0,2})(\d{1,3}:[0-5]\d(?::[0-5]\d)?)"
        r"(?!\d)",
        duration,
    ),
    (
        "duration",
        r"()()(\d(?<![\d.].)(?<!\d:.)\d?:[0-5]\d:[0-5]\d)(?=的?(?:成绩|完赛|冲线|夺冠|撞线))",
        duration,
    ),
    (
        "duration",
        r"(\d(?<![\d.].)(?<!\d:.)\d?):([0-5]\d)\.(\d{1,3})(?![\d:])",
        lambda m: f"{numbers.cardinal(m[1])}分{_two_digits(m[2])}秒{numbers.digits(m[3])}",
    ),
    (
        "time",
        r"(\d(?<![\d.比=].)(?<!\d:.)(?:(?<=[01])\d|(?<=2)[0-4])?):([0-5]\d)(?::([0-5]\d))?"
        r"(?![\d:]|\.\d)(?: ?([AaPp])\.?[Mm](?![A-Za-z])\.?)?分?",
        clock,
    ),
    (
        "hours",
        r"(\d(?<![\d.].)(?:(?<=1)\d|(?<=2)[0-4])?) ?[-~～—–] ?(?=(?:\d|1\d|2[0-4])点)",
        lambda m: f"{_hour(m[1])}到",
    ),
    (
        "time",
        r"(\d(?<![\d.].)(?:(?<=0)[1-9]|(?<=1)[0-2]|(?<!0))) ?([AaPp])\.?[Mm](?![A-Za-z])\.?",
        whole_hour,
    ),
    (
        "time",
        rf"(\d(?<![\d.].)(?:(?<=1)\d|(?<=2)[0-4])?)点(?:([0-5]\d)(?![\d.%]|[个万元])(分(?!钟))?"
        rf"|(\d)分(?!钟))?"
        rf"(?!\d|[一二三四五六七八九零]|百分)(?=[，。！？、 前后半钟整左多到至开出准起的{_HAN}]"
        rf"|-|~|$)",
        hour_minute,
    ),
    ("hours", rf"(?<=[点分]) ?[-~～—]+ ?(?=[{_HAN}]{{1,4}}点)", "到"),
    ("hours", r"(?<=[点分]) ?[-~～—]+ ?(?=\d{1,2}(?:点|:))", "到"),
    ("pace", r"(\d(?<![\d.].)\d?)['′’] ?(\d{1,2})(?:[\"″”]|''|’’)(\d{1,2}(?!\d))?", pace),
    (
        "duration",
        r"(\d(?<![\d.\"].)\d?)[\"″](\d\d)(?!\d)",
        lambda m: f"{numbers.counted(m[1], '秒')}秒{numbers.digits(m[2])}",
    ),
    (
        "duration",
        r"(\d(?<![\d.A-Za-z].)\d?)h ?(\d{1,2})m(?![A-Za-z²³/])",
        lambda m: f"{_hour(m[1])}小时{numbers.cardinal(m[2])}分钟",
    ),
    (
        "duration",
        r"(\d(?<![\d.A-Za-z].)\d?)m ?(\d{1,2})s(?![A-Za-z²³/])",
        lambda m: f"{numbers.counted(m[1], '分')}分{numbers.cardinal(m[2])}秒",
    ),
]
