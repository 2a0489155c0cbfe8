"""English names of units and currencies, and words for measures, percentages and amounts in short forms."""

from __future__ import annotations

import re

from speech_text.default.data import Words, either
from speech_text.default.english.classify import ELECTRIC
from speech_text.default.english.lists import LISTS, any_of
from speech_text.default.english.numbers import cardinal, fraction, paired, plural
from speech_text.default.number_tagger import Figure, by_name, runs

SCALES = LISTS["scale"]
UNITS = Words().names("unit", "english")
PER = UNITS | Words().names("per", "english")  # units and other words that stand after a slash
# Letters that are a unit only where they touch the number; apart from it they are mostly words or names.
_ONLY_JOINED = {"A", "t", "N", "J", "MP", "px", "ct", "pt", "ac", "PB", "Mb", "Gb"}
_APART = re.compile(rf"[\s-]{either(_ONLY_JOINED)}\.?$")
# Nouns that a measure describes without an article: 500 mg tablets, the 100 m final.
_BARE_ATTRIBUTE = re.compile(rf"\s(?:{any_of('bare')}|V-?\d)\b|\sf/")
# Words behind an amount that are no noun, and text that begins with a noun.
_NO_NOUN = rf"{any_of('no_noun')}\b"
NOUN = re.compile(rf" (?!{_NO_NOUN})[a-z]{{2}}|,? \d[\d.,]{{0,6}} [A-Z]?[a-z]{{0,2}}[A-Z]?h? [a-z]{{3}}")
# A noun in the plural, the tablets of 500mg tablets, or the power of a resistor: 4.7kΩ 1/4W resistor.
_THINGS = re.compile(
    r" \d/\d ?W | (?!(?:[btq]i?ds|always|as|besides|comes|contains|costs|does|equals|falls|feeds|gets|gives"
    r"|goes|has|helps|his|hurts|is|its|keeps|lasts|leaves|less|makes|means|minus|needs|perhaps|plus|rises|runs"
    r"|seems|takes|this|thus|times|unless|versus|was|weighs|whereas|works)\b|\w{0,12}wards\b)[a-z]{2,14}(?<![sui])s\b"
)
_OF_INCHES = re.compile(
    rf"\s(?!{_NO_NOUN})(?:[a-z]|\d{{3,4}}p\b|[A-Z][A-Z-]|[A-Z][a-z]{{1,12}} (?:\w{{2,4}} )?(?:TV|monitor))"
)
# A quotation that is still open, and one that is closed behind the number: "is 5" wide".
_OPEN = re.compile(r'(?<![\w.;!?)])(?<!\d )"[^"]*$')
_OPEN_SINGLE = re.compile(
    r"(?<![^\s(\[,])'(?=\w|$)(?!\d0s|em\b|til\b|cause\b|round\b)(?:[^']|(?<=\w)'(?=\w))*$"
)
_CLOSED_LATER = re.compile(r'[^"]*[^\s\d"(]"(?!\w)')
# Text before a number whose A, J, N or t is a unit.
_PHYSICAL = re.compile(
    r"[=≈<>] ?$|equals\s{1,3}$|(?i:\b(?:carr(?:y|ies)|cargo|current|draws?|energy|force|load|stores?|thrust"
    r"|tonnage|weigh(?:s|ed|ing)?)\b)"
)
_WITH = re.compile(r"\b(?:[Ww]ith|[Uu]se) $")
_NUMBERED = re.compile(r"(?:\b[A-Z][a-z]+\.?|\b(?:fig|sect?|tab)\.|figure|section|table|version) $")
_NUMBER = r"-?\d+(?:\.\d+)?"
# Units that are read where their own classes find them.
_MARKS = {
    **dict.fromkeys(("in", '"', "″"), "inch"),
    **dict.fromkeys(("'", "’", "′"), "foot"),
    **dict.fromkeys(("c", "¢"), "cent"),
}
_TO = r"\s?[-—~]\s?"
_PARTS = re.compile(rf"({_NUMBER})(?:{_TO}({_NUMBER}))?[\s-]?(.*)").fullmatch


def _said(text: str) -> tuple[str, str, str]:
    """Splits `text` into the number or span at its start and the rest. Returns the number in words, the
    digits (of its last number) with which a noun agrees, and the rest."""
    parts = _PARTS(text)
    assert parts, text
    first, second, rest = parts.groups("")
    number = " to ".join(cardinal(number) for number in (first, second) if number)
    return number, second or first.lstrip("-"), rest


def number(text: str) -> str:
    """Returns the number or span at the start of `text` in words: 5-10 kg -> five to ten."""
    return _said(text)[0]


class Measures:
    """Writes amounts with a unit in words, and tells units from names. `patterns` has the patterns that
    figures_en.tsv names.

    The pattern {unit} is a unit, which may have a divisor (km/h). The pattern {long} is a unit of more than
    one letter, {number} is a number, and {to} is the sign of a span. The pattern {minus} is a minus sign. The
    pattern {lone} means that no letter or digit stands before.
    """

    def __init__(self, words: Words) -> None:
        self._units = words.names("unit", "english")
        self._pers = self._units | words.names("per", "english")
        unit, per = either(self._units), either(self._pers)
        long = [name for name in self._units if len(name) > 1 and name not in _ONLY_JOINED]
        unit += (
            rf"(?:\.?/(?:\({per}·{per}\)|{per}))*"
            r"(?![A-Za-z\d²³]|(?<=[\s\d]\w)['’]s\b| ha\b|(?<=cal) (?:BCE?|AD|BP)\b)"
            r"(?:\.(?=\s(?:\(?[a-z@=&+]|\(\d|\d{1,2}\s?(?:in|min|mins|sec|secs|oz)\b|[NSEW]{1,2}\b|PO\b"
            r"|(?<=ft. )(?:\d|1[01])\b(?![.,:]\d|%| (?:[a-z]{2,9}s|people)\b)|(?<=sq ft. )\d)|[),;]))?"
        )
        self.patterns = {
            "unit": unit,
            "long": either(long),
            "of_an_amount": rf" ?(?:%|per\b|each\b|pounds\b|pp?\b|{unit}|[mb]illion"
            r"|(?:second|minute|hour|day|point|met(?:er|re)|mile|time|mark|kilo)s?\b)",
            "to": _TO,
            "number": _NUMBER,
            "minus": r"(?<![\w%°)/-])-",
            "lone": r"(?:^|[^\w.,]|\dx)",
        }
        self._units |= _MARKS
        self.said = by_name(
            *(self.measure, self.attribute, self.measures, self.part, percent, scaled, crossed)
        )
        self.said["part_of"] = lambda text: " ".join(self._part(text))  # the 1/4W of a 1/4W resistor
        self.said["by"] = lambda text: f"{cardinal(text.rstrip('x× '))} by"  # the 10 x of 10 x 20 cm
        self.said["planks"] = lambda text: plural(" by ".join(map(cardinal, runs(text))), "2")  # 2x4s
        self.tests = by_name(measured, self.attributive, attributes_inch, unquoted)

    def _cut(self, text: str) -> tuple[str, str, str, str]:
        """Splits an amount into its number in words, the digits with which a noun agrees, its unit in words,
        and the words for the units after a slash (" per hour")."""
        said, number, rest = _said(text)
        if rest in self._units:
            return said, number, self._units[rest], ""
        unit, *pers = rest.rstrip(".").split("/")
        per = (" ".join(self._pers[name] for name in part.strip("()").split("·")) for part in pers)
        return said, number, self._units[unit.rstrip(".")], "".join(f" per {words}" for words in per)

    def attributive(self, figure: Figure) -> bool:
        """Returns whether the unit of the number `figure` stays singular because it describes a noun: a 5 km
        race, 5-km."""
        if not measured(figure) or re.search(r"\d-[^\d\s]", figure.text):
            return measured(figure)
        touches = re.search(r"\d[A-Za-zµμΩ]+$", figure.text)
        described = (
            _BARE_ATTRIBUTE.match(figure.rest)
            or (re.search(r"\b[Aa]n? $", figure.lead) and NOUN.match(figure.rest))
            or ((touches or _WITH.search(figure.lead)) and _THINGS.match(figure.rest))
        )
        return bool(described) and " per " not in self.attribute(figure.text)

    def measure(self, text: str) -> str:
        """Returns an amount with its unit in words: 5 kg -> five kilograms, 5-10 km/h -> five to ten
        kilometers per hour."""
        said, number, unit, pers = self._cut(text)
        return f"{said} {plural(unit, number)}{pers}"

    def attribute(self, text: str) -> str:
        """Returns an amount with its unit in the singular: the 5 km of a 5 km race -> five kilometer."""
        said, _, unit, pers = self._cut(text)
        return f"{said} {unit}{pers}"

    def measures(self, text: str) -> str:
        """Returns a span of two amounts in words: 2°-8°C -> two to eight degrees celsius, 30 min-2 h ->
        thirty minutes to two hours."""
        first, second = re.split(rf"(?<=[^\d\s]){_TO}(?=-?\d)", text, maxsplit=1)
        said, _, unit, _ = self._cut(first)
        is_same = self._cut(second)[2].startswith(unit)
        return f"{said if is_same else self.measure(first)} to {self.measure(second)}"

    def part(self, text: str) -> str:
        """Returns a fraction of a unit in words: 3/4 tsp -> three quarters of a teaspoon, 1 1/2" -> one and a
        half inches."""
        said, unit = self._part(text)
        if len(runs(text)) > 2:
            return f"{said} {plural(unit, '2')}"
        article = "an" if unit[0] in "aeiou" or unit == "hour" else "a"
        return f"{'half' if said == 'one half' else said + ' of'} {article} {unit}"

    def _part(self, text: str) -> tuple[str, str]:
        """Splits a fraction of a unit into its number in words and the name of the unit."""
        number = re.match(r"[\d/]+(?:(?:\s|\sand\s|-)[\d/]+)?", text)
        assert number, text
        return fraction(number[0]), self._units[text[number.end() :].strip(" .-")]


def measured(figure: Figure) -> bool:
    """Returns whether the letters of the number `figure` are a unit, as in 5 kg and 5A. In 5 A and 3 N they
    are names, unless the number is a decimal, a sign such as = stands before, or the text speaks of such
    amounts (a force of 5 N)."""
    if not _APART.search(figure.text):
        return True
    decimal = re.search(r"\.\d|\d{3}\st$", figure.text) and not _NUMBERED.search(figure.lead)
    told = decimal or _PHYSICAL.search(figure.lead) or figure.mentions(ELECTRIC)
    return bool(told) and not re.match(r"-| shirts?\b", figure.rest)


def attributes_inch(figure: Figure) -> bool:
    """Returns whether the inches of the number `figure` describe a noun: a 27" monitor."""
    return unquoted(figure) and bool(_OF_INCHES.match(figure.rest))


def unquoted(figure: Figure) -> bool:
    """Returns whether the mark " or ' at the end of the number `figure` is a length, as in 6". It is, unless
    a quotation is open, which the mark closes: no mark stands between the two."""
    opened = figure.line[max(0, figure.start - 300) : figure.start]
    if figure.text.endswith(("'", "’")):
        return not _OPEN_SINGLE.search(opened)
    return not (figure.text.endswith('"') and _OPEN.search(opened)) or bool(_CLOSED_LATER.match(figure.rest))


def percent(text: str) -> str:
    """Returns a percentage or a span of percentages in words: 5-10% -> five to ten percent."""
    return " to ".join(f"{number(part)} percent" for part in re.split(r"(?<=%)\s?[-—~]\s?", text))


def scaled(text: str) -> str:
    """Returns, in words, an amount whose letter is a scale: 5M -> five million, 10-15k -> ten to fifteen
    thousand."""
    said, _, scale = _said(text)
    return f"{said} {SCALES[scale.lower()]}"


def crossed(text: str) -> str:
    """Returns a size of two numbers in words: 4x4 -> four by four."""
    say = paired if re.fullmatch(r"\d{3,4}[x×]\d{3,4}", text) else cardinal
    return " by ".join(map(say, re.split("[x×]", text)))
