"""Chinese: dates and years."""

from __future__ import annotations

import re

from glm_tts_api.text.default.chinese import numbers
from glm_tts_api.text.default.chinese.days import days_or_fractions, month_day, slashed_day, told_day
from glm_tts_api.text.default.chinese.years import (
    bare_year,
    closing_year,
    decade,
    in_brackets,
    reign,
    season,
    short_year,
    spelled,
    spelled_year,
    uncounted_year_span,
    year,
    year_span,
)
from glm_tts_api.text.default.table import Match, Row, after, before

_HAN = "\u4e00-\u9fff"
_B = r"(?<![\d.])"

_TO = "[-~～—–至到]"
_YEAR_WORDS = (
    "款|版|赛季|奥运|世界杯|欧洲杯|亚运|亚洲杯|冬奥|[春夏秋冬][季天夏冬]?"
    "|财年|财报|[届级](?!地震|台风)|学年|新[年款版]|春节|春晚|国庆"
    "|年度|考研|高考|中考"
    "|跨年|元旦|全年|上半年|下半年|一季|二季|三季|四季|第[一二三四]季"
    "|世锦赛|世乒赛|中国|全国|全球|双11|双十一|跨年|校招|秋招|春招"
    "|毕业|最新|暑假|寒假|高考"
)


def date(match: Match) -> str:
    year, _, month, day = match.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match.group()
    return f"{numbers.digits(year)}年{numbers.cardinal(month)}月{numbers.cardinal(day)}日"


def year_month(match: Match) -> str:
    return f"{numbers.digits(match[1])}年{numbers.cardinal(match[2])}月"


def dotted_day(match: Match) -> str:
    if (match[1], match[2]) in (("5", "1"), ("10", "1")) and after(match).startswith("放假"):
        return numbers.cardinal(match[1]) + "一"
    return month_day(match)


_YEAR = r"(?:1[0-9]|20|21)\d\d"
_FIRST_YEAR = r"(?:1(?<![\d.-].)\d|2(?<![\d.-].)[01])\d\d"  # no digit, dot or hyphen before it
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"


DATES: list[Row] = [
    ("year", r"[12](?<=[（(〔【\[].)\d{3}(?=[)）〕】\]][一-鿿\d])", in_brackets),
    ("year", r"(?:(?<=\| )|^)((?:19|20)\d\d)(?= ?\|)", spelled_year),
    ("season", rf"({_FIRST_YEAR})[-/—–](\d\d)(?=赛季|学年|财年|年度| ?NBA| ?CBA)", season),
    ("time stamp", r"(\d{4}-\d\d-\d\d)T(?=\d\d:\d\d)", r"\1 "),
    ("date", r"(\d(?<![\d.-].)\d{3})([-/.])(\d{1,2})\2(\d{1,2})(?!\d|-\d{1,2}(?!\d)|\.\d)日?", date),
    ("date", r"(\d(?<=[年月日]-.)\d{3})([-/.])(\d{1,2})\2(\d{1,2})(?![\d.-])日?", date),
    ("date", r"(0(?<![\d./].)[1-9])/([0-3]\d)(?![\d/])", month_day),
    ("date", rf"({_FIRST_YEAR})[-/](0?[1-9]|1[012])(?![\d年月/.-]| ?[=＝元个%米])月?", year_month),
    ("date", rf"({_FIRST_YEAR})\.({_MONTH})(?=月| ?[-至~—] ?(?:{_YEAR}|今))月?", year_month),
    (
        "date",
        rf"(?<=[于在到至前后为：:（( ])(?<!\d )({_MONTH})/({_DAY})(?=[ ]?"
        rf"(?:之?前|之?后|截止|截至|日|上线|发布|开始|出发|开会|开抢|晚"
        rf"|早|上午|下午|起|当天|[（(]?[周星]|[到至~-] ?\d{{1,2}}/\d|号))[日号]?",
        month_day,
    ),
    (
        "date",
        r"(\d(?<![\d./].)\d?)/(\d\d?)(?![\d/])",
        slashed_day,
    ),
    (
        "dates",
        rf"{_B}(?<!/)({_MONTH})/({_DAY})[-~～—至到] ?({_MONTH})/({_DAY})(?![\d/])[日号]?",
        days_or_fractions,
    ),
    ("date", r"(\d(?<![\d./].)\d?)[./](\d\d?)(?![\d./]|-\d{1,2}-)", told_day),
    (
        "date",
        r"(\d(?:(?<=[日到至] .)|(?<=日[-~至到].))\d?)/([0-3]?\d)(?![\d/])",
        month_day,
    ),
    (
        "date",
        rf"{_B}(1[0-2]|[1-9])/(3[01]|2[0-9]|1[3-9])(?=(?:[ ]?\d{{1,2}}[:点]"
        rf"|[，。、]? ?(?:见|前|后|周|截)))",
        month_day,
    ),
    ("season", r"(\d(?<![\d.].)\d)[-/](\d\d)(?=赛季)", season),
    (
        "date",
        r"(?<=日期)([：:为是]?)(\d{4})(\d\d)(\d\d)(?!\d)",
        lambda m: f"{m[1]}{numbers.digits(m[2])}年{numbers.cardinal(m[3])}月{numbers.cardinal(m[4])}日",
    ),
    (
        "date",
        rf"{_B}({_MONTH})\.({_DAY})(?=(?:那天|当天|号|日(?!均)|情人节|晚上"
        rf"|生日|放假|[-~至到]\d{{1,2}}\.\d{{1,2}}(?:号|日|期间|活动)))[号日]?",
        dotted_day,
    ),
    ("span of years", r"(\d(?<![\d.].)(?<!-.)\d{2,3})[-~－–到至](\d{3,4})年(?=[，）)。])", reign),
    ("span of years", rf"({_FIRST_YEAR})(年?) ?{_TO} ?({_YEAR})(?=年|学年|赛季|财年|年度)", year_span),
    (
        "span of years",
        rf"({_FIRST_YEAR})( ?年?) ?[-~～—–] ?({_YEAR})(?![\d.-]| ?[%￥㎡A-Za-z/])",
        uncounted_year_span,
    ),
    ("span of years", r"(\d(?<![\d.].)\d)-(\d\d)(?=年(?:间|代))", r"\1到\2"),
    ("year", r"[12](?<![\d.A-Za-z].)\d(?=Q[1-4](?!\d))", spelled),
    (
        "span of years",
        r"([6-9](?<![\d.].)\d)[-—~～至到]([0-2]\d)(?=年)",
        lambda m: f"{numbers.digits(m[1])}到{numbers.digits(m[2])}",
    ),
    ("year", rf"({_FIRST_YEAR})(?= ?[QH][1-4](?!\d))", spelled_year),
    ("decade", r"(?<![\d/])'?((?:1\d|20)?\d0)(?:'?s(?![A-Za-z])|年代)", decade),
    (
        "generation",
        r"[012](?<![\d.:].)0(?=后(?:的?(?:孩子|小朋友|宝宝|萌娃|消费|学生|小学生|世界)|一代|们|"
        r"新生代|了?[，。！？]))",
        spelled,
    ),
    ("generation", r"([5-9](?<!\d.)0)(?=[、和与至到]\d0后)", spelled_year),
    (
        "year",
        r"(\d(?:(?<=[（(—–~～].)|(?<=[年\d]-.))\d\d)年(?=[—–~～至到-]|[）)])",
        lambda m: numbers.digits(m[1]) + "年",
    ),
    (
        "generation",
        r"([05-9](?<![\d:].)[05])(?=末|后(?![面来续天期台排退勤者果悔]|\d(?!\d?0?后)))",
        spelled_year,
    ),
    (
        "year",
        r"(\d(?:(?<=[公西]元.)|(?<=[公西]元前.)|(?<=[，。、（]前.)|(?<=[公西]元 .)"
        r"|(?<=[公西]元前 .))\d{2,3})年",
        lambda m: numbers.digits(m[1]) + "年",
    ),
    ("year", r"(\d(?<![\d.].)\d{3}) ?年(?![级轮])", year),
    (
        "year",
        r"(\d(?<![\d.].)\d)年(?=[1-9]\d?月)|([0789](?<![\d.].)\d)年(?=[^代]{0,2}(?:出生"
        r"|生|毕业|入学|款|版|的时候|奥运|世界杯|春晚|非典|金融|参军|高考"
        r"|进|底|初|春|夏|秋|冬|的[，。！？]))",
        lambda m: numbers.digits(m[1] or m[2]) + "年",
    ),
    ("year", r"(0(?<![\d.].)\d)年", spelled_year),
    (
        "year",
        r"([0-35-9](?<![\d.].)\d)年(?:(?=国庆|元旦|中秋|端午|[暑寒]假|过年|年[底初]|[春夏秋冬][天季]|"
        r"[底初末][，。、我他她就的那]|高考"
        r"|世界杯|[伦里东北巴]?[敦约京黎]?奥运|欧洲杯|毕业|入[职学行伍]|结婚|生(?![产活命意成长效])|"
        r"(?<=[5-9]\d年)的[，。！？]|那会|那年|洪水|"
        r"大水|大?地震|金融危机|股灾|牛市|疫情|[上下]半年"
        r"|[一二三四]季度|款|产的?|份的|的(?:拉菲|红?酒|茶|茅台|五粮液|普洱|波尔多|春晚|夏天|冬天)|"
        r"买的|认识的|出[生厂]的?|来的|建的)"
        r"|(?<=(?:早在|生于|回到)\d\d年)(?!前))",
        lambda m: numbers.digits(m[1]) + "年",
    ),
    ("year", r"([5-9](?<![\d.].)\d)年(?![代级以前后来间内多半龄纪之了零整])", short_year),
    ("date", rf"^({_MONTH})/({_DAY})(?= ?\|)", month_day),
    ("year", r"[12](?<=[Ss]ince .)\d{3}(?!\d)", spelled),
    ("year", rf"([12](?<![\d.¥￥$A-Za-z-].)(?:(?<=1)9|(?<=2)0)\d\d) ?(?={_YEAR_WORDS})", spelled_year),
    (
        "year",
        rf"[12](?<![\d.A-Za-z¥￥$].)(?<![A-Za-z] .)(?:(?<=1)9[5-9]|(?<=2)0[0-4])\d(?= ?[{_HAN}])",
        bare_year,
    ),
    (
        "year",
        r"[12](?<![\d.].)\d(?=款)",
        lambda m: (
            numbers.digits(m.group()) if re.search("[零一二三四五六七八九]{4}款", before(m)) else m.group()
        ),
    ),
    ("year", rf"[12](?<=[{_HAN}].)(?:(?<=1)9[4-9]|(?<=2)0[0-4])\d(?![\d.:年A-Za-z])", closing_year),
]
