"""English: money, percentages, fractions, measures, and whatever else is counted."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.numbers import cardinal
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

CURRENCIES = {
    **{"US$": ("dollar", "cent"), "HK$": ("hong kong dollar", "cent"), "A$": ("australian dollar", "cent")},
    **{"C$": ("canadian dollar", "cent"), "S$": ("singapore dollar", "cent"), "$": ("dollar", "cent")},
    **{"NT$": ("taiwan dollar", "cent"), "R$": ("real", "centavo"), "€": ("euro", "cent")},
    **{"£": ("pound", "p"), "¥": ("yuan", "fen"), "￥": ("yuan", "fen"), "₩": ("won", "jeon")},
    **{"₹": ("rupee", "paisa"), "₽": ("rouble", "kopeck"), "฿": ("baht", "satang"), "₫": ("dong", "xu")},
}
_CODES = {
    **{"USD": "u s dollar", "EUR": "euro", "GBP": "pound", "JPY": "yen", "CNY": "yuan", "RMB": "yuan"},
    **{"HKD": "hong kong dollar", "AUD": "australian dollar", "CAD": "canadian dollar", "CHF": "swiss franc"},
}
_SCALES = {
    **{"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "t": "trillion"},
    **{"mm": "million", "mil": "million"},
    **{word: word for word in ("hundred", "thousand", "million", "billion", "trillion")},
}
UNITS = {
    **{"km": "kilometer", "m": "meter", "dm": "decimeter", "cm": "centimeter", "mm": "millimeter", "nm": "nanometer"},
    **{"μm": "micrometer", "µm": "micrometer", "um": "micrometer", "kg": "kilogram", "g": "gram", "mg": "milligram"},
    **{"μg": "microgram", "µg": "microgram", "mcg": "microgram", "ng": "nanogram", "kgs": "kilogram"},
    **{"L": "liter", "l": "liter", "mL": "milliliter", "ml": "milliliter", "dL": "deciliter", "μL": "microliter"},
    **{"µL": "microliter", "cc": "c c", "h": "hour", "hr": "hour", "hrs": "hour", "min": "minute", "mins": "minute"},
    **{"s": "second", "sec": "second", "secs": "second", "ms": "millisecond", "μs": "microsecond", "µs": "microsecond"},
    **{"ns": "nanosecond", "yr": "year", "yrs": "year", "mo": "month", "mos": "month", "wk": "week", "wks": "week"},
    **{"km²": "square kilometer", "m²": "square meter", "cm²": "square centimeter", "mm²": "square millimeter"},
    **{"m³": "cubic meter", "cm³": "cubic centimeter", "mm³": "cubic millimeter", "ft²": "square foot", "km2": "square kilometer"},
    **{"m2": "square meter", "m3": "cubic meter", "cm2": "square centimeter", "cm3": "cubic centimeter", "ft2": "square foot"},
    **{"ft³": "cubic foot", "in²": "square inch", "ha": "hectare", "ac": "acre", "sqft": "square foot", "sq ft": "square foot"},
    **{"sq. ft.": "square foot", "sq m": "square meter", "sq mi": "square mile", "sq km": "square kilometer", "ft": "foot"},
    **{"lb": "pound", "lbs": "pound", "oz": "ounce", "fl oz": "fluid ounce", "yd": "yard", "yds": "yard", "mi": "mile"},
    **{"mph": "mile per hour", "kph": "kilometer per hour", "kmh": "kilometer per hour", "mpg": "mile per gallon", "tsp": "teaspoon", "tbsp": "tablespoon"},
    **{"Tbsp": "tablespoon", "pt": "pint", "qt": "quart", "gal": "gallon", "psi": "p s i", "W": "watt", "kW": "kilowatt"},
    **{"MW": "megawatt", "GW": "gigawatt", "Wh": "watt hour", "kWh": "kilowatt hour", "MWh": "megawatt hour", "V": "volt"},
    **{"kV": "kilovolt", "mV": "millivolt", "A": "amp", "mA": "milliamp", "mAh": "milliamp hour", "Ah": "amp hour"},
    **{"Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "Pa": "pascal", "kPa": "kilopascal"},
    **{"MPa": "megapascal", "hPa": "hectopascal", "mmHg": "millimeter of mercury", "J": "joule", "kJ": "kilojoule"},
    **{"cal": "calorie", "kcal": "kilocalorie", "N": "newton", "kN": "kilonewton", "mol": "mole", "mmol": "millimole"},
    **{"dB": "decibel", "Ω": "ohm", "kΩ": "kilohm", "IU": "international unit", "rpm": "r p m", "bps": "bit per second"},
    **{"kbps": "kilobit per second", "Mbps": "megabit per second", "Gbps": "gigabit per second", "KB": "kilobyte"},
    **{"kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "PB": "petabyte", "fps": "frame per second"},
    **{"°C": "degree celsius", "°F": "degree fahrenheit", "°": "degree", "℃": "degree celsius", "℉": "degree fahrenheit"},
    **{"hp": "horsepower", "ppm": "part per million", "bpm": "beat per minute", "MP": "megapixel", "px": "pixel", "Mb": "megabit", "Gb": "gigabit"},
    **{"ct": "carat", "kt": "knot", "kts": "knot", "lux": "lux", "lm": "lumen", "cwt": "hundredweight", "rad": "radian", "K": "kelvin", "t": "ton"},
}
_LOWER = {name.lower(): spoken for name, spoken in UNITS.items() if len(name) > 1 and name not in ("MP", "PB", "Mb", "Gb")}
_PER = {
    **UNITS,
    **{word: word for word in ("day", "week", "month", "year", "hour", "minute", "second", "person", "head", "piece")},
    **{word: word for word in ("user", "mile", "kilometer", "night", "liter", "gallon", "pound", "unit", "session", "item", "seat")},
    **{"s²": "second squared", "d": "day", "y": "year"},
}
# Letters that are words, sizes or names more often than units.
_ONLY_JOINED = {"A", "K", "t", "N", "J", "W", "V", "MP", "px", "ct", "pt", "h", "ac", "mo", "PB", "Mb", "Gb"}
_ONES = {"2": "half", "3": "third", "4": "quarter"}
_BARE_ATTRIBUTE = re.compile(r"\s(?:race|dash|sprint|freestyle|butterfly|backstroke|breaststroke|hurdles|relay|pool|radius|pipe|nail|screen|display|monitor|walk|bag|bottle|bar|pack|lens|hill|climb|run|race|swim|line|steak|burger|battery|drive|cable|tall|man|wall|tower|pole|board)\b")


def money(match: Match) -> str:
    major, minor = CURRENCIES[match[1].upper()]
    first, second, scale = match[2].replace(",", ""), match[3], _SCALES.get((match[4] or "").lower())
    whole, _, cents = first.partition(".")
    if second or scale or len(cents) not in (0, 2):
        amount = cardinal(first) + (f" to {cardinal(second)}" if second else "")
        return f"{amount} {scale + ' ' if scale else ''}{numbers.plural(major, '2')} "
    spoken = f"{cardinal(whole)} {numbers.plural(major, '1' if whole == '1' else '2')}"
    if not cents.strip("0"):
        return f"{spoken} "
    small = f"{cardinal(cents)} {numbers.plural(minor, str(int(cents)))} "
    return small if not whole.strip("0") else f"{spoken} and {small}"


def money_behind(match: Match) -> str:
    """100$, 50 EUR."""
    noun = CURRENCIES[match[3]][0] if match[3] in CURRENCIES else _CODES[match[3]]
    scale = _SCALES.get((match[2] or "").lower())
    return f"{cardinal(match[1])} {scale + ' ' if scale else ''}{numbers.plural(noun, '2' if scale else match[1])} "


def coded_money(match: Match) -> str:
    """USD 100."""
    scale = _SCALES.get((match[3] or "").lower())
    return f"{cardinal(match[2])} {scale + ' ' if scale else ''}{numbers.plural(_CODES[match[1]], '2' if scale else match[2])} "


def scaled(match: Match) -> str:
    """5M users, 10k."""
    return f"{cardinal(match[1])} {_SCALES[match[2].lower()]}"


def fraction(match: Match) -> str:
    whole, first, second = match[1], match[2], match[3]
    if int(first) >= int(second) and int(second) > 9:
        return f"{cardinal(first)} over {cardinal(second)}"
    part = _ONES.get(second) or numbers.ordinal(second)
    lead = f"{cardinal(whole)} and " if whole else ""
    if second == "2" and first == "1" and whole:
        return lead + "a half"
    if part == "half" and first != "1":
        return f"{lead}{cardinal(first)} halves"
    return f"{lead}{cardinal(first)} {part if first == '1' else part + 's'}"


def pressure(match: Match) -> str:
    return f"{cardinal(match[1])} over {cardinal(match[2])}"


def measured(match: Match) -> str:
    number, unit, per = match[1], match[3], match[4]
    spoken = UNITS.get(unit) or _LOWER.get(unit.lower())
    if spoken is None or (unit in _ONLY_JOINED and match[2]):
        return match.group()
    hyphened = match[2] == "-" or (_BARE_ATTRIBUTE.match(after(match)) and not per)
    noun = spoken if hyphened else numbers.plural(spoken, number)
    pers = "".join(f" per {_PER[part]}" for part in (per or "").strip("/").split("/") if part in _PER)
    return f"{cardinal(number)} {noun}{pers} "


def crossed(match: Match) -> str:
    """10 x 20 cm, 4x4, 1920x1080."""
    return f"{cardinal(match[1])} by {match[2]}"


def inches(match: Match) -> str:
    """6": inches, unless a quotation ends there."""
    if before(match, 80).count('"') % 2:
        return match.group()
    attributive = re.match(r"\s[a-z]", after(match)) and not re.match(r"\s(?:long|wide|tall|deep|high|thick|by|x|and|or|of|in|is|at|from)\b", after(match))
    return f"{cardinal(match[1])} {'inch' if attributive else numbers.plural('inch', match[1])} "


def ordinal(match: Match) -> str:
    return numbers.ordinal(match[1].replace(",", ""))


def scientific(match: Match) -> str:
    return f"{cardinal(match[1])} times ten to the power of {cardinal(match[2])}"


def standing_alone(match: Match) -> str:
    """A number that nothing before has read; a year where it looks like one."""
    number, rest = match[1], after(match, 16)
    following = re.match(r"\s+([A-Za-z]+)", rest)
    word = following[1].lower() if following else ""
    is_counted = (word.endswith("s") and word not in ("was", "has", "is", "as", "does", "this", "olympics", "games", "news", "finals")) or word in _COUNTED
    lead = before(match)
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", number) and not is_counted and not re.search(r"(?i)\b(?:equals|plus|minus|times|of about|about|than|nearly|over|almost|only|total of|weighs|costs|by)\s$", lead):
        return numbers.year(number)
    return cardinal(number)


_COUNTED = {"people", "percent", "square", "cubic", "million", "meters", "men", "women", "children", "feet", "degrees", "more", "different", "new", "points", "calories"}
_B = r"(?<![\d.,])"
_NUMBER = r"\d{1,30}+(?:\.\d{1,30}+)?"
_AMOUNT = r"\d{1,30}+(?:,\d{3})*+(?:\.\d{1,30}+)?"
_SIGNS = alternatives(CURRENCIES)
_SCALE = r"[kmbt]|mn|mm|mil|bn|hundred|thousand|million|billion|trillion"
_UNIT, _UNIT_PER = alternatives(UNITS), alternatives(_PER)

AMOUNTS: list[Row] = [
    ("money", rf"(?i)({_SIGNS})\s?({_AMOUNT})(?:\s?[-–—]+\s?(?:{_SIGNS})?\s?({_AMOUNT}))?(?:[\s-]?({_SCALE})(?![A-Za-z]))?", money),
    ("money", rf"(?i:{_B}({_AMOUNT})\s?({_SCALE})?\s?)((?:{_SIGNS})|(?:{alternatives(_CODES)})\b)", money_behind),
    ("money", rf"\b({alternatives(_CODES)})\s?({_AMOUNT})(?:\s?(?i:({_SCALE}))\b)?", coded_money),
    ("cents", rf"{_B}(\d{{1,3}})\s?¢", lambda m: f"{cardinal(m[1])} {numbers.plural('cent', m[1])} "),
    ("thousands", rf"(?<![\d.,])\d{{1,3}}(?:,\d{{3}})++(?![\d,])", lambda m: m.group().replace(",", "")),
    ("scientific", r"(?<![\w.])(\d(?:\.\d{1,30}+)?)[eE]([+-]?\d{1,3})\b", scientific),
    ("blood pressure", rf"{_B}(\d{{2,3}})/(\d{{2,3}})(?= ?mm ?Hg)", pressure),
    ("blood pressure", r"(?i:(?<=pressure )|(?<=pressure is )|(?<=pressure of )|(?<=pressure was )|(?<=bp )|(?<=bp: )|(?<=bp is ))(\d{2,3})/(\d{2,3})(?![\d/])", pressure),
    ("inches", rf"{_B}({_NUMBER})\s?[\"″](?!\d)", inches),
    ("ordinal", r"(?<![\d.])(\d{1,9}(?:,\d{3})*)(?:st|nd|rd|th)\b", ordinal),
    ("by", rf"{_B}({_NUMBER})\s?[x×]\s?({_NUMBER})(?=\s?(?:x\s|×|{_UNIT})(?![A-Za-z])|\s(?:inch|feet|foot|meter|pixel|resolution|grid|matrix|rug|room))", crossed),
    ("by", rf"(?<![\d.,A-Za-z])({_NUMBER})x({_NUMBER})(?![\dA-Za-z])", crossed),
    ("fold", rf"{_B}({_NUMBER})x\b", lambda m: f"{cardinal(m[1])} x "),
    ("without", r"\bw/o\b", "without"),
    ("with", r"\bw/(?= ?[A-Za-z])", "with "),
    ("fraction", r"(?<![\d/.,])(?:(\d{1,3})(?:\s|\sand\s|-))?([1-9]\d{0,2})/([1-9]\d{0,2})(?![\d/]|\.\d)", fraction),
]

COUNTS: list[Row] = [
    ("percentage", rf"{_B}({_NUMBER})\s?%", lambda m: f"{cardinal(m[1])} percent "),
    ("per mille", rf"{_B}({_NUMBER})\s?‰", lambda m: f"{cardinal(m[1])} per mille "),
    ("scale", rf"{_B}({_NUMBER})(?:\s?(K|[kMB]|bn|mn))(?![\w/²³]|-\w)", scaled),
    ("inches", rf"{_B}({_NUMBER})\s?in(?:\.(?=\s[a-z])|(?=[.,;)]|\s(?:x|by|long|wide|tall|deep|thick|high|diameter|pipe|screen)\b))", inches),
    ("measure", rf"{_B}({_NUMBER})(\s|-)?({_UNIT})((?:/(?:{_UNIT_PER}))*)(?![A-Za-z\d²³])", measured),
    ("apart", r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)", " "),
    ("number", rf"{_B}({_NUMBER})(?!\d)", standing_alone),
    ("number", r"(\d++)", lambda m: f" {cardinal(m[1])} "),
]
