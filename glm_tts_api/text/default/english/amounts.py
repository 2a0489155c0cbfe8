"""English: percentages, measures, and whatever else is counted."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.numbers import cardinal
from glm_tts_api.text.default.english.stops import A_TIME, with_stop
from glm_tts_api.text.default.english.units import CODES, ONLY_JOINED, PER, SCALES, UNITS, unit_name
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

_BARE_ATTRIBUTE = re.compile(
    r"\s(?:race|dash|sprint|freestyle|butterfly|backstroke|breaststroke"
    r"|hurdles|relay|pool|radius|pipe|nail|screen|display|monitor"
    r"|walk|tv|TV|bag|bottle|bar|pack|lens|hill|climb|run|race|swim|line"
    r"|steak|burger|battery|drive|cable|tall(?= (?!and|or|with|in|at)[a-z])|man|"
    r"wall|tower|pole|board|capacitor"
    r"|resistor|inductor|motor|bulb|adapter|charger|laser|engine|pump|fuse|lamp|heater)\b"
)


_NOUN = re.compile(
    r" (?!(?:of|and|or|in|at|per|to|for|is|was|are|were|more|less|from|with|on|as|by|than|after|before|away|"
    r"long|wide|tall|high|deep|above|below|over|under|each|every|ago|later|when|if|that)\b)[a-z]{2}"
)


def scaled(match: Match) -> str:
    """5M users, 10k."""
    return f"{cardinal(match[1])} {SCALES[(match[2] or match[3]).lower()]}"


def basis_points(match: Match) -> str:
    """25 bps: what a rate moves by, where nothing is sent."""
    sent = re.search(
        "(?i)modem|baud|serial|link|network|bit|speed|audio|line", before(match, 40) + after(match)
    )
    return match.group() if sent else f"{cardinal(match[1])} basis points"


def without_commas(match: Match) -> str:
    """In words where the bare digits would be taken for a year or a name."""
    number = match.group().replace(",", "")
    measured = re.match(
        rf"\s?(?:{_UNIT})(?![A-Za-z])|\s?[%°/x×*+=^:-]|\.\d|\s?(?:{_SCALE}|{alternatives(CODES)})\b|"
        rf"\s?[€£¥$]",
        after(match),
    )
    if len(number) <= 12 and (measured or before(match, 1).strip(' ("')):
        return number
    return cardinal(number)


def measured(match: Match) -> str:
    number, unit, per = match[1], match[3], match[4]
    spoken = unit_name(unit)
    equated = re.search(r"[=≈<>] ?$|equals\s{1,3}$", before(match))
    if spoken is None or (unit in ONLY_JOINED and match[2] and not per and not equated):
        return match.group()
    attribute = _BARE_ATTRIBUTE.match(after(match)) or (
        re.search(r"\b[Aa]n? $", before(match, 4)) and _NOUN.match(after(match, 16))
    )
    hyphened = match[2] == "-" or (attribute and not per and " per " not in spoken)
    noun = spoken if hyphened else numbers.plural(spoken, number)
    pers = "".join(
        " per " + " ".join(PER[name] for name in part.strip("()").split("·"))
        for part in (per or "").split("/")
        if part
    )
    return f"{cardinal(number)} {noun}{pers} "


def crossed(match: Match) -> str:
    """10 x 20 cm, 4x4, 1920x1080."""
    return f"{cardinal(match[1])} by {match[2]}"


def inches(match: Match) -> str:
    """6": inches, unless a quotation ends there."""
    if len(re.findall(r'(?<!\d)"', before(match, 80))) % 2:
        return match.group()
    attributive = re.match(
        r"\s(?:[a-z]|[A-Z]{2}|[A-Z][a-z]{1,12} (?:TV|screen|monitor))", after(match)
    ) and not re.match(r"\s(?:long|wide|tall|deep|high|thick|by|x|and|or|of|in|is|at|from)\b", after(match))
    return f"{cardinal(match[1])} {'inch' if attributive else numbers.plural('inch', match[1])} "


_ROW = re.compile(
    r"(?i)\b(?:apt|apartment|floor|building|bldg|row|door|bay|stall|locker|lot|pod|car|exit|platform|"
    r"unit|room"
    r"|seat|gate|suite|flat|block|grade|terminal) $"
)


def molar(match: Match) -> str:
    """1 M of a solution."""
    told = re.search(
        r"(?i)solution|dissolv|buffer|acid|NaOH|NaCl|HCl|titrat|\bmL\b", before(match, 60) + after(match)
    )
    return f"{cardinal(match[1])} molar" if told else match.group()


def row(match: Match) -> str:
    """Apartment 21B, seat 14C."""
    is_row = _ROW.search(before(match))
    return f"{numbers.paired(match[1])} {match[2]}" if is_row else match.group()


def ordinal(match: Match) -> str:
    return numbers.ordinal(match[1].replace(",", ""))


def scientific(match: Match) -> str:
    return f"{cardinal(match[1])} times ten to the power of {cardinal(match[2])}"


def standing_alone(match: Match) -> str:
    """A number that nothing before has read; a year where it looks like one."""
    number, rest = match[1], after(match, 16)
    following = re.match(r"\s+([A-Za-z]+)", rest)
    word = following[1].lower() if following else ""
    is_counted = (
        word.endswith("s")
        and word not in ("was", "has", "is", "as", "does", "this", "olympics", "games", "news", "finals")
    ) or word in _COUNTED
    lead = before(match)
    if re.fullmatch("1[0-9]\\d\\d", number) and re.search("(?:^|[.;,] )[Bb]y $", lead) and not is_counted:
        return numbers.year(number)
    if (
        re.fullmatch(r"1[1-9]\d\d|20\d\d", number)
        and not is_counted
        and not re.search(
            r"(?i)\b(?:equals|plus|minus|times|of about|about|than|nearly"
            r"|over|almost|only|total of|weighs|costs|by)\s$",
            lead,
        )
    ):
        return numbers.year(number)
    return cardinal(number)


_COUNTED = {
    "people",
    "percent",
    "square",
    "cubic",
    "million",
    "meters",
    "men",
    "women",
    "children",
    "feet",
    "degrees",
    "more",
    "different",
    "new",
    "points",
    "calories",
}
_FANS = (
    "followers|people|users|views|dollars|subscribers|downloads|students"
    "|fans|likes|views|stars|employees|customers|words|copies|steps"
)
_B = r"(?<![\d.,])"
_NUMBER = r"\d{1,30}+(?:\.\d{1,30}+)?"
_FREE = r"\d(?<![\d.,]\d)\d{0,29}+(?:\.\d{1,30}+)?"  # _B and _NUMBER; found sooner, as it begins with a digit
_SCALE = alternatives(SCALES)
_UNIT, _UNIT_PER = alternatives(UNITS), alternatives(PER)
_LONG_UNIT = alternatives(unit for unit in UNITS if len(unit) > 1)
THOUSANDS: list[Row] = [
    ("thousands", r"\b1,?000s\b", "thousands"),
    ("thousands", r"(?<![\d.,])\d{1,3}(?:,\d{3})++(?!\d|,\d)", without_commas),
]
AMOUNTS: list[Row] = [
    ("scientific", r"(?<![\w.])(\d(?:\.\d{1,30}+)?)[eE]([+-]?\d{1,3})\b", scientific),
    ("inches", rf"(?<!/)({_FREE})\s?[\"″](?!\d)", inches),
    ("hundreds", r"\b100s(?= of\b)", "hundreds"),
    ("ordinal", r"(?<=\d(?:st|nd|rd|th))\s?-\s?(?=\d{1,2}(?:st|nd|rd|th)\b)", " to "),
    ("ordinal", r"(?<![\d.])(\d{1,9}(?:,\d{3})*)(?:st|nd|rd|th)\b", ordinal),
    (
        "by",
        r"(?<![\d.,A-Za-z])(\d)x(\d{1,2})s\b",
        lambda m: f"{cardinal(m[1])} by {numbers.plural(cardinal(m[2]), '2')}",
    ),
    (
        "feet",
        rf"{_B}(\d{{1,3}})['′](?=\s?[x×]\s?\d|\s(?:tall|wide|long|deep|high|by|and|ceilings?)\b|[,.;])",
        lambda m: f"{cardinal(m[1])} {'foot' if m[1] == '1' else 'feet'}",
    ),
    ("by", r"(?:(?<=foot)|(?<=feet)|(?<=inches)|(?<=inch)) {0,2}[x×] ?(?=\w)", " by "),
    (
        "by",
        rf"({_FREE})\s?[x×]\s?({_NUMBER})(?=\s?(?:x\s|×|{_UNIT})"
        rf"(?![A-Za-z])|\s(?:inch|feet|foot|meter|pixel|resolution|grid"
        rf"|matrix|rug|room))",
        crossed,
    ),
    ("by", rf"(?<![\d.,A-Za-z])({_NUMBER})x({_NUMBER})(?![\dA-Za-z])", crossed),
    ("fold", rf"({_FREE})\s?-\s?(?={_NUMBER}x\b)", lambda m: f"{cardinal(m[1])} to "),
    ("fold", rf"({_FREE})x\b", lambda m: f"{cardinal(m[1])} x "),
    ("without", r"\b[wW]/o\b", "without"),
    ("with", r"\bw/(?= ?\w)", "with "),
    (
        "divided",
        r"(?:(?<=[\d)])|(?<=\b[A-Za-z])|(?<=s)(?= {1,2}/ \d{1,9} ?=)) {1,2}/ (?=[\d$(])",
        " divided by ",
    ),
    ("basis points", rf"({_FREE})\s?bps\b", basis_points),
    ("age", rf"{_B}(\d{{1,3}})[ -]?y/?o\b", lambda m: f"{cardinal(m[1])} year old"),
]
COUNTS: list[Row] = [
    ("percentage", rf"({_FREE})\s?%", lambda m: f"{cardinal(m[1])} percent "),
    ("per mille", rf"({_FREE})\s?‰", lambda m: f"{cardinal(m[1])} per mille "),
    (
        "row",
        r"(\d(?<![\d.,$].)\d{0,3})([A-Z])\b",
        row,
    ),
    (
        "millions",
        rf"({_FREE})m(?= (?:people|shares|tickets|units|doses|acres|tests|streams|plays|players|"
        rf"hectares|users|jobs|homes|views|votes|copies|followers|subscribers|"
        rf"deaths|customers|children|workers"
        r"|households|students|tourists|barrels|cars|tonnes|tons|viewers|listeners|readers|"
        r"passengers|visitors|residents|refugees)\b)"
        rf"|(?<=[a-z] )(\d{{1,3}}\.\d)m(?= (?:since|last year|a year|this year)\b)",
        lambda m: f"{cardinal(m[1] or m[2])} million",
    ),
    (
        "k",
        rf"{_B}(\d{{1,3}})k(?= (?:modems?|videos?|displays?|monitors?|tvs?|runs?|races?|walk|resolution)\b)",
        lambda m: f"{cardinal(m[1])} k",
    ),
    ("molar", rf"({_FREE}) ?M\b(?! ?[a-z])", molar),
    ("kelvin", rf"{_B}([1-9]\d{{3}})K\b(?! (?:{_FANS})\b)", lambda m: f"{cardinal(m[1])} kelvin"),
    ("k", rf"{_B}(\d{{1,2}})K\b(?! (?:{_FANS})\b)", lambda m: f"{cardinal(m[1])} k"),
    (
        "scale",
        rf"(?<![A-Za-z])({_FREE})(?:(K(?! ?\.\d))|\s?([kMB]|bn|mn))(?![\w/²³Ωµμ°]|-\w|\s[A-Z])",
        scaled,
    ),
    (
        "inches",
        rf"(?:(?<=ft )|(?<=ft\. )|(?<=feet )|(?<=foot ))({_NUMBER})\s?in\b\.?",
        with_stop(inches, A_TIME),
    ),
    (
        "inches",
        rf"({_FREE})\s?in(?:\.(?=\s[a-z])|(?=[.,;)]|\s(?:x|by|long"
        rf"|wide|tall|deep|thick|high|diameter|pipe|screen)\b))",
        inches,
    ),
    (
        "measure",
        rf"(?<![\w.,])({_NUMBER})(\s|-)?({_UNIT})((?:/(?:\((?:{_UNIT_PER})·(?:{_UNIT_PER})\)|"
        rf"{_UNIT_PER}))*)(?![A-Za-z\d²³])(?:\.(?=\s[a-z]))?",
        measured,
    ),
    (
        "measure",
        rf"\b(hundred|thousand|million|billion|trillion) ({_LONG_UNIT})\b",
        lambda m: f"{m[1]} {numbers.plural(UNITS[m[2]], '2')}",
    ),
    ("apart", r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)", " "),
    ("number", rf"({_FREE})(?!\d)", standing_alone),
    ("number", r"(\d++)", lambda m: f" {cardinal(m[1])} "),
]
