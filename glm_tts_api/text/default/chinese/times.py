"""Chinese: dates, years, times of day and durations."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.table import Match, Row, after, before

_HAN = "\u4e00-\u9fff"
_TO = "[-~～—–至到]"
_PARTS_OF_DAY = ("早上", "上午", "中午", "下午", "傍晚", "晚上", "凌晨", "夜里", "深夜", "今晚", "清晨", "早晨")
_RATIO = re.compile("比分|比例|比率|比值|配比|尺寸|宽高|画面|长宽|屏幕|混合|稀释|比[为是]?$|兑|赔率|按照?$")
# Near a figure such as 21:15 these tell a score, and those a time of day.
SCORE = re.compile(
    "比分|局分|战胜|击败|战平|打平|打成|领先|落后|大胜|完胜|险胜|小胜|惜败|告负|获胜|取胜|淘汰|逆转|负于|不敌|输给|输了|赢|轻取"
    "|横扫|力克|力挫|绝杀|反超|追平|扳平|追成|逼平|先胜|再胜|连胜|战成|握手言和|拿下|憾负|憾平|总分|大败|完败|落败|惨败|胜出"
    "|胜利|球队以|以$"
)
_CLOCK = re.compile("(?:[于在到从至]|[早晚夜凌清]晨?[上里间]?|[上下中]午|傍晚|今晚|明晚|昨晚|时间|[日号天]|周[一二三四五六日末]|定[于在]?|[前后])[：: ]*$")
_BY_CLOCK = re.compile(" ?(?:分?[,，]? ?(?:开赛|开球|开始|开播|开会|开场|开门|起飞|出发|到达|抵达|准时|见|发车|直播|截止|许|左右|前|后|的(?:航班|飞机|高铁|火车|车|会|闹钟)))")
_SPAN_BEFORE = re.compile(
    "(?:距今|长达|历时|上下|历经|跨越|绵延|延续|传承|沉睡|存续|等了|近|约|超过?|不到|将近|大约|整整|至少|足足|已有|共|过了|活了"
    "|埋藏|大概|几乎|多达|有着?|又?过|寿命[为是]?|了|拥有|数|前后|长约|续|者|需要?)[约近超了有]{0,2} ?$"
)
_SPAN_AFTER = re.compile("前(?![后期半往夕])|之前|以前|来|以来|间|之久|历史|的(?:历史|文明|时[光间]|岁月|发展|沉淀|传承|变迁|建城|古|[老]|积淀|等待|风雨|寿命|文化)|沧桑|文明|古[都城镇寺树刹]|不变|老店|之后的?地球|后的?地球|(?:的)?一?遇")
_YEAR_WORDS = (
    "款|版|赛季|奥运|世界杯|欧洲杯|亚运|亚洲杯|冬奥|[春夏秋冬][季天夏冬]?|财年|财报|[届级](?!地震|台风)|学年|新[年款版]|春节|春晚|国庆|年度|考研|高考|中考"
    "|跨年|元旦|全年|上半年|下半年|一季|二季|三季|四季|第[一二三四]季|世锦赛|世乒赛|中国|全国|全球|双11|双十一|跨年|校招|秋招|春招|毕业|最新|暑假|寒假|高考"
)


def date(match: Match) -> str:
    year, _, month, day = match.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match.group()
    return f"{numbers.digits(year)}年{numbers.cardinal(month)}月{numbers.cardinal(day)}日"


def year_month(match: Match) -> str:
    return f"{numbers.digits(match[1])}年{numbers.cardinal(match[2])}月"


def month_day(match: Match) -> str:
    """11/30 where the words beside it tell a day."""
    month, day = match[1], match[2]
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match.group()
    return f"{numbers.cardinal(month)}月{numbers.cardinal(day)}日"


def year_span(match: Match) -> str:
    """1998-2002年, 2024-2025学年."""
    first, unit, second = match[1], match[2] or "", match[3]
    if len(second) == 4 and not unit and int(second) <= int(first):
        return match.group()
    return f"{numbers.digits(first)}{unit}到{numbers.digits(second)}"


def season(match: Match) -> str:
    """2024/25赛季."""
    return numbers.digits(match[1] + match[2])


def decade(match: Match) -> str:
    return (numbers.digits(match[1]) if len(match[1]) == 4 else numbers.cardinal(match[1])) + "年代"


def year(match: Match) -> str:
    """A year digit by digit; a span of years as a number."""
    number, rest = match[1], after(match)
    is_span = (
        bool(_SPAN_AFTER.match(rest))
        or bool(_SPAN_BEFORE.search(before(match)) and not re.match("[0-9一二三四五六七八九十底初末春夏秋冬]|出生|成立|建", rest))
        or (int(number) % 1000 == 0 and number not in ("1000", "2000"))
        or int(number) > 2200
    )
    if is_span and not re.search("(?:公元前?|西元|自|从|早在|截至|到了?|于|在|始于)$", before(match)):
        return numbers.cardinal(number) + "年"
    return numbers.digits(number) + "年"


def spelled_year(match: Match) -> str:
    return numbers.digits(match[1]) + match.group()[len(match[1]) :]


def closing_year(match: Match) -> str:
    """巴黎2024, 世界杯2022: a year that closes a name."""
    is_name = re.search("(?:奥运会?|世界杯|峰会|大会|博览会|[^汽]展|音乐节|电影节|盛典|盘点|巴黎|东京|北京|洛杉矶|里约|伦敦)$", before(match))
    return numbers.digits(match.group()) if is_name else match.group()


def clock(match: Match) -> str:
    """A time of day; a score or a ratio where the words beside it say so."""
    hour, minute, second = match[1], match[2], match[3]
    near = before(match)
    if not second and not match[4]:
        clause = re.split("[，。；！？,;]", near)[-1]
        follows = re.split("[。；！？;]", after(match))[0]
        told = _CLOCK.search(near) or _BY_CLOCK.match(follows)
        if _RATIO.search(clause[-6:]) or (not told and SCORE.search(f"{clause} {follows}".replace("以 ", "以$ "))):
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
    """9点05, 2点半."""
    minute = match[2]
    return f"{_hour(match[1])}点{_two_digits(minute) if minute else ''}"


def _hour(hour: str) -> str:
    return numbers.counted(str(int(hour)), "个")


def _two_digits(digits: str) -> str:
    return ("零" if digits[0] == "0" and digits != "00" else "") + numbers.cardinal(digits)


def _part_of_day(match: Match, group: int) -> str:
    """What a.m. or p.m. (the first letter is in `group`) is called, unless the text has said so already."""
    half, hour = match[group], int(match[1])
    if not half or before(match, 8).rstrip().endswith(_PARTS_OF_DAY):
        return ""
    if half.lower() == "a":
        return "凌晨" if hour in (12, 1, 2, 3, 4) else "上午"
    return "中午" if hour == 12 else "晚上" if 6 < hour < 12 else "下午"


def duration(match: Match) -> str:
    """After 时长 and the like: hours, minutes and seconds, the last two where there are two."""
    parts = match[3].split(":")
    units = ("小时", "分", "秒")[-len(parts) :]
    return match[1] + match[2] + "".join(map("".join, zip(map(numbers.cardinal, parts), units, strict=True)))


def pace(match: Match) -> str:
    """5'30": minutes and seconds, or feet and inches of a height."""
    minutes, seconds = match[1], match[2]
    if re.search("身高|身长|英尺", before(match)) or (int(seconds) < 12 and len(seconds) == 1 and len(minutes) == 1):
        return f"{numbers.cardinal(minutes)}英尺{numbers.cardinal(seconds)}英寸"
    return f"{numbers.counted(minutes, '分')}分{_two_digits(seconds)}秒"


_B = r"(?<![\d.])"
_YEAR = r"(?:1[0-9]|20|21)\d\d"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"

TIMES: list[Row] = [
    ("time stamp", r"(\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)", r"\1 "),
    ("date", r"(?<![\d.-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d-])日?", date),
    ("date", rf"(?<![\d.-])({_YEAR})[-/](0[1-9]|1[012])(?![\d年月/-])月?", year_month),
    ("date", rf"(?<![\d.-])({_YEAR})\.({_MONTH})(?=月| ?[-至~—] ?(?:{_YEAR}|今))月?", year_month),
    ("date", rf"(?<=[于在到至前后为：:（( ])(?<!\d )({_MONTH})/({_DAY})(?=[ ]?(?:之?前|之?后|截止|截至|日|上线|发布|开始|出发|开会|开抢|晚|早|上午|下午|起|当天|[（(]?[周星]|[到至~-] ?\d{{1,2}}/\d|号))[日号]?", month_day),
    ("date", rf"(?:(?<=截止)|(?<=截至)|(?<=日期)|(?<=时间)|(?<=DDL)|(?<=ddl)|(?<=[日]期[:：])|(?<=截止[:：于到])|(?<=截止日期[:：])|(?<=时间[:：])|(?<=[今明后昨]天)|(?<=生日)|(?<=生日是)|(?<=周[一二三四五六日]))[ （(]?({_MONTH})/({_DAY})(?![\d/])", month_day),
    ("date", rf"{_B}({_MONTH})/({_DAY})(?=[-~至到] ?{_MONTH}/{_DAY}(?![\d/]))", month_day),
    ("date", rf"(?<=[日到至] )({_MONTH})/({_DAY})(?![\d/])|(?<=日[-~至到])({_MONTH})/({_DAY})(?![\d/])",
     lambda m: f"{numbers.cardinal(m[1] or m[3])}月{numbers.cardinal(m[2] or m[4])}日"),
    ("date", rf"{_B}(1[0-2]|[1-9])/(3[01]|2[0-9]|1[3-9])(?=(?:[ ]?\d{{1,2}}[:点]|[，。、]? ?(?:见|前|后|周|截)))", month_day),
    ("season", rf"{_B}({_YEAR})[-/—–](\d\d)(?=赛季|学年|财年|年度| ?NBA| ?CBA)", season),
    ("season", rf"{_B}(\d\d)[-/](\d\d)(?=赛季)", season),
    ("span of years", rf"{_B}(?<!-)({_YEAR})(年?) ?{_TO} ?({_YEAR})(?=年|学年|赛季|财年|年度)", year_span),
    ("span of years", rf"{_B}(?<!-)({_YEAR})( ?年?) ?[-~～—–] ?({_YEAR})(?![\d.-]| ?[元块米个人%￥㎡kKmM]|[万亿千]|名|件|台|公)", year_span),
    ("span of years", r"{_B}(\d\d)-(\d\d)(?=年(?:间|代))", r"\1到\2"),
    ("year", rf"{_B}({_YEAR})(?= ?[QH][1-4](?!\d))", spelled_year),
    ("decade", r"(?<!\d)'?((?:\d\d)?\d0)(?:'?s(?![A-Za-z])|年代)", decade),
    ("generation", r"(?<!\d)([05-9][05])(?=后(?![，。面来续天期台排退勤者果悔]|[\d]))", spelled_year),
    ("year", r"(?:(?<=公元)|(?<=公元前)|(?<=西元)|(?<=西元前)) ?(\d{3,4})年", lambda m: numbers.digits(m[1]) + "年"),
    ("year", rf"{_B}(\d{{4}}) ?年(?![级轮])", year),
    ("year", rf"{_B}([0-3]\d)年(?=[1-9]\d?月)|{_B}(0\d|[789]\d)年(?=[^代]{{0,2}}(?:出生|生|毕业|入学|款|版|的时候|奥运|世界杯|春晚|非典|金融|参军|高考|进|底|初|春|夏|秋|冬))",
     lambda m: numbers.digits(m[1] or m[2]) + "年"),
    ("year", rf"{_B}(0\d)年", spelled_year),
    ("year", rf"{_B}(?<![-¥￥$A-Za-z])((?:19|20)\d\d) ?(?={_YEAR_WORDS})", spelled_year),
    ("year", rf"(?<=[{_HAN}])(?:19[4-9]|20[0-4])\d(?![\d.:年A-Za-z])", closing_year),
    ("duration", r"(时长|用时|历时|耗时|片长|长达|全长|总长|计时|倒计时|成绩[是为]?|跑[了出进]|完赛|净时间)([^\d\n]{0,2})(\d{1,3}:[0-5]\d(?::[0-5]\d)?)(?!\d)",
     duration),
    ("time", r"(?<![\d:.])(?<!比)([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:]|\.\d)(?: ?([AaPp])\.?[Mm](?![A-Za-z])\.?)?分?", clock),
    ("time", rf"{_B}(0?[1-9]|1[0-2]) ?([AaPp])\.?[Mm](?![A-Za-z])\.?", whole_hour),
    ("time", rf"{_B}(\d|1\d|2[0-4])点(?:([0-5]\d)(?![\d.%]|[个万元])(?:分(?!钟))?)?(?!\d|[一二三四五六七八九零]|百分)(?=[，。！？、 前后半钟整左多到至开出准起的{_HAN}]|-|~|$)", hour_minute),
    ("hours", rf"(?<=[点分]) ?[-~～—]+ ?(?=[{_HAN}]{{1,4}}点)", "到"),
    ("hours", rf"(?<=[点分]) ?[-~～—]+ ?(?=\d{{1,2}}(?:点|:))", "到"),
    ("pace", r"(?<![\d.])(\d{1,2})['′’] ?(\d{1,2})(?:[\"″”]|''|’’)", pace),
]

