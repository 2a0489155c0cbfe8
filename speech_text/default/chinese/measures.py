"""Chinese words for measures, percentages and amounts in short forms."""

from __future__ import annotations

import re

from speech_text.default.chinese import numbers
from speech_text.default.chinese.money import scaled
from speech_text.default.data import Words, either
from speech_text.default.number_tagger import Figure, Say, by_name, runs
from speech_text.default.table import Match

_COUNTERS = (
    "本(?!科)|小时|分钟|季度|公[里斤]|千米|平方千米|周(?![一二三四五六日末])|平(?!方)"
    "|[次天年月日人个件只台瓶杯斤吨亩份片粒包盒袋支张套户间位晚分秒米升克辆度季堂节课场轮局组队桌]"
)
_SCALE = "[十百千]?[万亿]|[百千]"
_NO_UNIT = "(?!in\\d)"  # before a digit "in" is no unit
_NUMBER = r"-?\d+(?:\.\d+)?"
_TO = " ?(?:[-~～到至]|[—–]+) ?"
_INVERSE = re.compile("[·. ]?([A-Za-zμµΩ]{1,4})⁻([¹²³])")
# Letters that are words or names more often than units, unless a slash follows them.
_ONLY_BEFORE_SLASH = {"r", "a", "d", "yr", "pt", "cd", "sr", "um", "ug", "mi", "hr"}
# Words near a number with a letter that is a name and no unit (_ stands for the number).
_NO_UNIT_NEAR = {
    "A": "(?:[座排车机舱票位号景评])[^，。_]{0,9}_|_[级-]"
    "|_[^，。]{0,4}(?:景|画质|广告|游戏|大作)|_(?![，。、；） =×*+-]|$|[电快以的])",
    "N": "赔|补偿|裁员|离职|_\\+",
    "L": "_说|[fF]/_",
    "g": "(?:烈度|加速度)[^，。_]{0,6}_",
    "W": "编号[^，。_]{0,4}_|_(?:分析|原则|法则)",
    "U": r"_型|_\d",
}
_PAID = re.compile("薪|工资|[价资]|预算|收入|到手|[了达近约过花] ?$")
# After these words a hyphen before a number is a minus sign.
_MAY_BE_NEGATIVE = re.compile(
    "[温度差即或由从成为是到至于跌降幅增长速约得在达下加减乘除以值率比环、，和与（(损亏债流入出分动盈口余正水眼镜光程高利额拔深数系压贝"
    "取设回影视计晚夜间天京滨河xyzab][约了超过近]{0,2}[：: ]?$"
)
_MEASURED = re.compile(
    r"\d{1,9}(?:\.\d{1,9})? ?(?:(?:度|°C?)? ?[~～] ?-?\d|[%％‰℃°度万亿=<>≤≥²³]|[大小]于|的[平立]方"
    r"|的.{1,6}次方|摄氏度|分贝|dB|V|元|美元)"
    r"|\d{1,9}\.\d"
)
_MAKERS = (
    "日经|标普|富时|开普勒|波音|空客|空中客车|麦道|歼|轰|(?<![货海空快托客陆水航搬转承地企意插配截看一简垂江])[图运直苏]|米(?=-)|猎鹰"
    "|标致|宝马|奔驰|保时捷|法拉利|诺基亚|新百伦|椰子|骁龙|天玑|麒麟|酷睿|锐龙"
)
_FIRST = re.compile(r"[\d.]+")
_PARTS = re.compile(
    rf"({_NUMBER}) ?({_SCALE})? ?(.*?)(?:(?<!/){_TO}(?=-?\d)({_NUMBER}) ?({_SCALE})? ?(.*))?"
).fullmatch


def may_be_negative(near: str, number: str) -> bool:
    """Returns whether a hyphen between the texts `near` and `number` is a minus sign. `number` begins with a
    number."""
    return bool(_MEASURED.match(number) or _MAY_BE_NEGATIVE.search(near))


def negative(figure: Figure) -> bool:
    """Returns whether the hyphen of the number `figure` is a minus sign. In 气温-5℃ (temperature) and
    跌-3.2kg (falls) it is; in 续航-500km (range) it is not."""
    rest = figure.text.lstrip("- ") + figure.rest
    return bool(re.search("[℃°~～]", figure.text)) or may_be_negative(figure.lead[-12:], rest)


class Measures:
    """Writes amounts with a unit in Chinese words, and tells units from names. `patterns` has the patterns
    that figures_zh.tsv names.

    The pattern {unit} is a unit, which may have a divisor: km/h. The patterns {per} (after a noun) and {pers}
    (after a power) are a divisor alone. The pattern {scale} is a word such as 万, {counted} a measure word,
    {team} a sports team, {number} a number, and {to} the sign of a span. The patterns {minus} and {sign} are
    minus signs. The pattern {lone} means that no letter stands before, {is} stands between a name and its
    number, and {maker} is one whose models have numbers.
    """

    def __init__(self, words: Words) -> None:
        self._units = words.names("unit", "chinese")
        self._pers = self._units | words.names("per", "chinese")
        unit, per = either(self._units), either(self._pers)
        name = either({name for name in self._units.values() if len(name) > 1})
        product = f"{per}(?:·{per})*"
        pers = (
            f"(?:/(?:\\({product}\\)|{product}|(?:{name}|{_COUNTERS})(?![\u4e00-\u9fff]/)|10{{1,3}} ?{unit})"
            f"|{_INVERSE.pattern})+(?![A-Za-z])"
        )
        self.patterns = {
            "unit": f"{_NO_UNIT}{unit}(?:·{unit}){{0,3}}(?:{pers})?(?![A-Za-z²³⁻])",
            "pers": pers,
            "per": f"(?: ?(?:/|·(?![米秒时])) ?(?:{name}|{_COUNTERS}|{unit})(?![A-Za-z²³])){{1,3}}",
            "scale": _SCALE,
            "counted": numbers.MEASURES,
            "team": either(team.written for team in words.of("team")),
            "to": _TO,
            "number": _NUMBER,
            "minus": r"(?:(?<![\w%°)）-])|(?<=o[YQM]))-",
            "sign": r"(?<![\w%°)）\u4e00-\u9fff-])-",
            "is": r"(?:[^\d\n一-鿿a-z]{0,3}|[，,]? ?[是为在][：: ]?|（[^）\d]{0,6}）[：:]?"
            "|[a-z]{1,4}[- ]?|号[码：:是为]?)",
            "maker": _MAKERS,
            "lone": r"(?:^|[^A-Za-z_.^]|\d(?:[hmVAWxX]|min))",
        }
        self.said = _SHORT | by_name(self.measure, self.pair, percent)
        self.tests = by_name(self.measures, paid, negative)

    def measures(self, figure: Figure) -> bool:
        """Returns whether the letters of the number `figure` are a unit, as in 5A电流 and 3h, and not a part
        of a name, as in seat 5A, 5A景区 and 2a."""
        *_, unit = re.split(r"[\d. 十百千万亿]+", figure.text)
        named = unit in _NO_UNIT_NEAR and re.search(
            _NO_UNIT_NEAR[unit], f"{figure.lead[-12:]}_{figure.rest[:8]}"
        )
        return not named and unit not in _ONLY_BEFORE_SLASH

    def measure(self, text: str) -> str:
        """Returns an amount with its unit in Chinese words: 3-5kg -> 三到五千克, 60km/h -> 每小时六十公里,
        -10~-5℃ -> 负十到负五摄氏度."""
        text = _divided(text.replace("mm/Hg", "mmHg"))
        body, _, pers = text.partition("/")
        parts = _PARTS(body)
        assert parts, text
        first, scale, unit, second, scale_2, unit_2 = parts.groups("")
        noun, noun_2 = self._name(unit), self._name(unit_2)
        said = numbers.counted(first, scale or noun or noun_2 or "个") + scale + noun
        if second:
            said += f"到{numbers.counted(second, scale_2 or noun_2 or '个')}{scale_2}{noun_2}"
        if not pers:
            return said
        name = "每".join(map(self._product, re.split("/|·(?=[\u4e00-\u9fff])", pers)))
        behind = (
            (pers in ("s²", "s", "mol") and not "一" <= unit <= "鿿")
            or unit.endswith("mol")
            or pers[0] == "1"
            or (pers == "h" and first == "0" and second)
        )
        return f"{said}每{name}" if behind else f"每{name}{said}"

    def unit_of_power(self, match: Match) -> str:
        """Returns 方, the end of a power in Chinese words, and the name of the unit behind it: the 方 m/s of
        二次方 m/s -> 方米每秒. Earlier rules have written the power."""
        units = _divided(match[1]).split("/")
        return "方" + "每".join(self._product(unit) if unit else "" for unit in units)

    def pair(self, text: str) -> str:
        """Returns two numbers in Chinese words with a pause between them: 120/80mmHg ->
        一百二十，八十毫米汞柱, 8/9 -> 八，九."""
        first, second = text.split("/", 1)
        say = self.measure if second[-1].isalpha() else numbers.cardinal
        return f"{numbers.cardinal(first)}，{say(second)}"

    def _name(self, unit: str) -> str:
        """Returns the name of a unit or of a product of units; letters that are none stay."""
        return self._units.get(unit) or "".join(self._units.get(part, part) for part in unit.split("·"))

    def _product(self, units: str) -> str:
        """Returns the name of a product of units, or of a number with a unit: (kg·K) -> 千克开尔文, 100km ->
        百公里."""
        if units[0] == "1":
            number = runs(units)[0]
            said = "百" if units.replace(" ", "") == "100km" else numbers.cardinal(number)
            return said + self._name(units[len(number) :].strip())
        return "".join(self._pers.get(unit, unit) for unit in units.strip("()").split("·"))


def _divided(unit: str) -> str:
    """Returns `unit` with a divisor in place of a negative power: m·s⁻¹ -> m/s."""
    return _INVERSE.sub(lambda m: f"/{m[1]}{m[2].strip('¹')}", unit)


def _amount(noun: str, name: str = "") -> Say:
    """Returns a function that writes the number of a text with `noun`, or `name`, behind it."""
    return lambda text: numbers.counted(_FIRST.match(text)[0], noun) + (name or noun)  # type: ignore[index]


def _composed(noun: str) -> Say:
    """Returns a function that writes an amount with digits behind its unit: 1米8 -> 一米八, 3k5 -> 三千五."""
    return lambda text: f"{_amount(noun)(text)}{numbers.digits(runs(text)[1])}"


def _mega(text: str) -> str:
    """Returns an amount of data: 100M -> 一百兆, 16G -> 十六g. M and m are read 兆."""
    unit = text[-1].upper()
    return _amount("兆", "兆" if unit == "M" else unit.lower())(text)


_SHORT: dict[str, Say] = {
    "chat": lambda text: _composed("万" if "w" in text else "千")(text),
    "tens_of_thousands": _amount("万"),
    "thousands": lambda text: "到".join(
        numbers.counted(scaled(part, 1000), "块") for part in re.findall(r"[\d.]+", text)
    ),
    "watts": _amount("瓦"),
    "mega": _mega,
    "length": _composed("米"),
    "charger": lambda text: "".join(  # 5V2A -> 五伏二安
        numbers.counted(number, unit) + unit
        for number, unit in zip(re.findall(r"[\d.]+", text), "伏安", strict=True)
    ),
}


def percent(text: str) -> str:
    """Returns, in Chinese words, a percentage, a span of percentages or per mille: 5-10% ->
    百分之五到百分之十, -3.2% -> 负百分之三点二, 3‰ -> 千分之三."""
    name = "千分之" if "‰" in text else "百分之"
    amounts = re.findall(r"(?:(?<=^)|(?<=[^\d%]))-?\d+(?:\.\d+)?|\d+(?:\.\d+)?", text)
    return "到".join(("负" if n[0] == "-" else "") + name + numbers.cardinal(n.lstrip("-")) for n in amounts)


def paid(figure: Figure) -> bool:
    """Returns whether the K of the number `figure` means thousand. A small k always does. A capital K does if
    a word of payment stands in the 12 characters before the number (月薪12K), if 了, 达, 近, 约, 过 or 花
    stands directly before it (约12K), or if · and a digit follow (12K·14薪)."""
    boosted = re.match(r"·\d", figure.rest)
    return figure.text.endswith("k") or bool(_PAID.search(figure.lead[-12:]) or boosted)
