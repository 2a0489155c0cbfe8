"""English rules for Roman numerals."""

from __future__ import annotations

import re

from speech_text.default.english import numbers
from speech_text.default.english.stops import STARTERS
from speech_text.default.table import Match, Row, after, before, roman

_DIVISIONS = (
    "Chapter|Count|Part|Volume|Vol|Book|Section|Act|Scene|Appendix|Phase|Type|Level|Stage|Title|Article"
    "|Class|Grade|War|Mark|Canto|Psalm|Sonnet|Stanza|Bowl|Fantasy|Rocky|Episode|Lesson|Unit|Figure|Table"
    "|Theorem|Apollo|Artemis|Diablo|Factor|Schedule|Tier|Division|Round|Category|Group|Amendment|Annex"
    "|Apple|Army|Clause|Corollary|Definition|District|Edition|Example|Exercise|Exhibit|Experiment|Item"
    "|Law|List|Map|Model|Note|Number|Paragraph|Plan|Plate|Problem|Proposition|Question|Region|Rule|Sector"
    "|Series|Zone|Graded|Lecture|Lemma|Letter|Song|Story|Study|Vatican|Olympiad|Games|Step|Case|Option"
    "|Module|Movement|SATA|Henry's|Symphony"
)
_MONARCHS = (
    "Henry|Louis|Elizabeth|George|Charles|Edward|James|Richard|William|Philip|Philippe|John|Paul|Benedict"
    "|Pius|Leo|Gregory|Alexander|Nicholas|Catherine|Peter|Napoleon|Frederick|Ivan|Francis|Innocent|Urban"
    "|Clement|Ramses|Ramesses|Ptolemy|Thutmose|Mary|Ferdinand|Alfonso|Carlos|Felipe|Harald|Margrethe"
    "|Christian|Gustav|Umberto|Wilhelm|Sixtus|Julius|Boniface|Edgar|Robert|David|Otto|Rudolf|Leopold"
    "|Albert|Haakon|Olav|Mehmed|Murad|Selim|Hussein|Rama|Amenhotep|Darius|Xerxes|Oscar|Victor|Emmanuel"
    "|Constantine|Henri|Pedro|Afonso|Stephen|Sigismund|Vladimir|Basil|Justinian|Theodosius|Tiberius"
    "|Ladislaus|Frederik|Gustaf|Carl|Ludwig|Maximilian|Franz|Joseph|Abdullah|Cyrus|Artaxerxes|Antiochus"
    "|Kamehameha|Casimir|Eugene|Victoria|Juan|Baldwin|Harold|Edmund"
)
_PEOPLE = (
    "Andrew|Anthony|Arthur|Benjamin|Christopher|Daniel|Donald|Eric|Frank|Gary|Jack|Jeffrey|Jonathan"
    "|Joshua|Kenneth|Kevin|Larry|Lawrence|Martin|Matthew|Michael|Patrick|Ralph|Raymond|Ronald|Ryan|Samuel"
    "|Scott|Steven|Thomas|Timothy|Walter|Winston|King|Queen|Pope|Emperor|Empress|Tsar|Czar|Sultan|Pharaoh"
    "|Kaiser|Prince|Duke|Count|Shah"
)
_PERSON = re.compile(f"{_MONARCHS}|{_PEOPLE}").fullmatch
# I before one of these is the pronoun, not a numeral: John I will call you.
_PRONOUN = (
    r"(?!(?<= I) (?i:am|believe|can|could|do|don't|feel|get|have|haven't|hear|hope|know|like|love|mean|must"
    r"|need|prefer|promise|recall|remember|respect|said|saw|see|should|swear|think|trust|want|will|wish|would)\b)"
)
# Text behind the I of a type I error and a phase I trial. Elsewhere the I of the class I took is the pronoun.
_NUMBERED = (
    r"(?: (?:and\b|clinical|collagen|diabetes|drugs?\b|elements?\b|errors?\b|is\b|listed|metals?\b|of\b|or\b"
    r"|patients|railroads?\b|stud(?:y|ies)\b|substances?\b|trauma|trials?\b)|[^\s\w']| -|$)"
)
_REIGNS = re.compile(
    r" (?:of (?!the\b)[A-Z]|(?:was|is) (?:crowned|king|queen|born|killed|elected)|reign|ruled|abdicat"
    r"|ascended|died\b|succeeded)|, (?:Esq|esquire|M\.?D|Ph\.?D|Jr)\b"
)


def _cardinal(numeral: str) -> str:
    return numbers.cardinal(str(roman(numeral.upper())))


def _ordinal(numeral: str) -> str:
    return numbers.ordinal(str(roman(numeral)))


def numbered_name(match: Match) -> str:
    """Returns a name with its Roman numeral in words: Street Fighter II -> Street Fighter two. After the name
    of a person it is an ordinal: William Gates III -> William Gates the third. A numeral that is not valid,
    and IV before a word such as fluids, stay."""
    infused = re.match(r"\s(?:fluids?|drip|lines?|access|antibiotics|infusion)\b", after(match))
    if not re.fullmatch(numbers.ROMAN, match[3]) or infused:
        return match.group()
    first = (match[1] or "").strip()
    named = first and not re.fullmatch(STARTERS, first)  # but: When Conrad III came
    person = not named or _REIGNS.match(after(match, 24)) or _PERSON(first)
    said = f"the {_ordinal(match[3])}" if person else _cardinal(match[3])
    return f"{match[1] or ''}{match[2]} {said}"


def small_division(match: Match) -> str:
    """Returns the small Roman numerals of parts of a book in words: the ii of Scene ii -> two, the iii-v of
    pages iii-v -> three to five. Without a word such as scene or pages before it the numeral stays."""
    told = re.search(r"(?i)\b(?:act|scene|chapter|volume|part|page|canto|section|book)s?\.?$", before(match))
    return f" {' to '.join(map(_cardinal, re.split('[-–]', match[0][1:])))}" if told else match.group()


def listed(match: Match) -> str:
    """Returns a list of Roman numerals in words: I, II & III -> one, two & three."""
    text = re.sub("[IVXivx]+", lambda m: _cardinal(m[0]), match[0])
    return text.replace("-", " to " if text.count("-") == 1 else " ")


_NUMERAL = r"(?:I[IVX]?|III|VI{0,3}|XI{0,3}|XI?V|XVI{0,3}|XI?X)"
_SMALL = "(?:i{2,3}|iv|vi{0,3}|ix|xi{0,3}|xiv|xv|xvi{0,3})"
_TEMPO = "(?:Adagi|Allegr|Andant|Grave|Larg|Lent|Maesto|Menuet|Moderat|Poco|Prelud|Prest|Rondo|Vivac)"
ROMAN: list[Row] = [
    (
        "monarch",
        rf"\b({_MONARCHS}|{_MONARCHS.upper()})\s({numbers.ROMAN})\b"
        rf"(?:\.(?=,? [a-z]))?(?!'[a-rt-z]|\. ?(?!(?:{STARTERS})\b)[A-Z]){_PRONOUN}",
        lambda m: f"{m[1]} the {_ordinal(m[2])}",
    ),
    (
        "item",
        rf"(?:^|(?:(?<= - )|(?<=: ))(?=[IVX]{{2}}|[IVX]\. {_TEMPO}))"
        r"([IVX]{1,5})\.(?= [A-Z])(?! [A-Z][a-z]{1,20}\. [A-Z][a-z])",
        lambda m: f"{_cardinal(m[1])}.",
    ),
    (
        "division",
        rf" (?:{_SMALL}|i(?=[-–]))(?:[-–]{_SMALL})?\b(?!')"
        r"|(?i:(?<=act)|(?<=page)|(?<=scene)) i(?=[.,;:)]|(?<=Scene i) )",
        small_division,
    ),
    (
        "numerals",
        r"\b(?=[Ii-]{0,16}[Vv])[IViv]{1,3}(?:-[IViv]{1,3}){2,7}\b"
        r"|(?<=[a-z]s )[IVX]{1,5}-[IVX]{1,5}\b(?! (?:char|curve|data|plot|sweep))",
        listed,
    ),
    (
        "act",
        r"\b([IVX]{1,4})\.([ivx]{1,5})\b(?:\.(?=\d))?(?!\.[A-Za-z])",
        lambda m: " ".join(map(_cardinal, m.groups())) + (" " if after(m, 1) == "." else ""),
    ),
    (
        "numerals",
        rf"(?<!\w[-. ])\b{_NUMERAL}(?:, {_NUMERAL}){{1,4}},? (?:and|&|or) {_NUMERAL}\b(?!')"
        r"|(?<=s )(?=[IVX]{1,5} |[IVX, ]{0,24}[IVX]{2})"
        rf"{_NUMERAL}(?:(?:, {_NUMERAL}){{0,4}},? (?:and|&|or|to) {_NUMERAL}|(?:, {_NUMERAL}){{1,4}})\b(?!')",
        listed,
    ),
    (
        "numbered book",
        r"\b(I{1,3}) (?=(?:Kings|Samuel|Chronicles|Corinthians|Thessalonians|Timothy|Peter|Maccabees)\b)"
        r"|\b([IVX]{1,6}) (?=(?:Airborne |Army |Panzer )?Corps\b)"
        r"|\b(?=[IVX]{2}|[VX]th)([IVX]{1,6})(?:th|st|nd|rd)\b",
        lambda m: f"{_ordinal(m[1] or m[2] or m[3])} ",
    ),
    (
        "item",
        rf"(?:(?<=[\d)])|(?<=[nj]or ))\(({_SMALL})\)|(?<=\d, )({_SMALL})\. (?=[A-Z][a-z])"
        r"|(?<=(?:st|nd|rd|th) )(XI)\b",
        lambda m: f" {_cardinal(m[1] or m[2] or m[3])} ",
    ),
    (
        "division",
        rf"\b({_DIVISIONS}|(?i:{_DIVISIONS})(?=\s(?:[IVXLC]{{2}}|[VX]|I{_NUMBERED})))"
        rf"\s({numbers.ROMAN})\b(?![.'-][A-Za-z\d]){_PRONOUN}",
        lambda m: f"{m[1]} {_cardinal(m[2])}",
    ),
    (
        "numbered name",
        r"(\b[A-Z][a-z]{1,15} )?\b([A-Z][a-z]{2,20}) (?!X+\b)([IVX]{2,8})\b"
        r"(?:\.(?=,? [a-z]))?(?!['.][A-Za-z])",
        numbered_name,
    ),
    (
        "number of a part",  # alone, or before a heading
        rf"^(\W{{0,3}})(?=[IVXL]{{2}})({numbers.ROMAN})\b(?!['.][A-Za-z])"
        r"(?=\W{0,3}$|[]).:]{0,2}(?:--?|\s)?[\s\"“]?[A-Z\"“])",
        lambda m: f"{m[1]}{_cardinal(m[2])}",
    ),
    (
        "numeral",
        r"(?:(?<=[A-Z]{2} )(?!XL\b|IV [A-Z])(?=[IVXL]{2})|(?<=--)(?=[IVXL]{2})"
        r"|(?<![\w'.-])(?=[IVX]{3}|[IVXL]{4}|II\b))"
        rf"(?!XXX\b)({numbers.ROMAN})\b(?!['-]\w|\.\w)",
        lambda m: _cardinal(m[1]),
    ),
]
