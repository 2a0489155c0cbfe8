"""English: titles, abbreviations, states, and Roman numerals."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.english.short_forms import (
    ABBREVIATIONS,
    BEFORE_FIGURES,
    LABELS,
    NOTED_UNITS,
    NOTES,
    STATES,
    STREETS,
    TITLES,
    WEEKDAYS,
    WORDS_TOO,
)
from glm_tts_api.text.default.english.stops import (
    A_NAME,
    A_TIME,
    ANYTHING,
    SENTENCE_MAY_END,
    STARTERS,
    stop,
    with_stop,
)
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before, roman

# Things that have letters for names.
_LETTERED = re.compile(
    "Annex|Appendix|Block|Building|Category|Class|Column|Concourse|Core|Division|Drive|Exhibit|Figure|Floor|Form"
    "|Gate|Grade|Group|Hall|Hepatitis|House|Lane|Level|Lot|Model|Option|Part|Plan|Platform|Point|Pool|Product|Room"
    "|Route|Row|Schedule|Section|Series|Side|Site|Stand|Step|Table|Team|Terminal|Tier|Track|Type|Unit|Variant|Version"
    "|Vitamin|Wing|Zone"
)
_SHORT = {
    key.lower(): word
    for key, word in (LABELS | NOTES | NOTED_UNITS | ABBREVIATIONS | BEFORE_FIGURES | WEEKDAYS).items()
}
# At which capitals a sentence goes on: behind vs. at any (Smith vs. The State), behind others at names (Acme
# Inc. Magazine).
_GOES_ON = {"etc": A_TIME} | dict.fromkeys(
    ("approx", "ca", "cf", "chs", "eqs", "esp", "excl", "fig", "figs", "incl", "viz", "vol", "vols", "vs"),
    ANYTHING,
)
_DIVISIONS = (
    "Chapter|Part|Volume|Vol|Book|Section|Act|Scene|Appendix|Phase"
    "|Type|Level|Stage|Title|Article|Class|Grade|War"
    "|Mark|Bowl|Fantasy|Rocky|Episode|Lesson|Unit|Figure|Table|Theorem"
    "|Apollo|Artemis|Gemini|Titan|Saturn|Factor|Schedule|Tier|Division|Round"
    "|Category|Group|Amendment|Olympiad|Games|Step|Case|Option|Module"
    "|Quest|Diablo|Civilization|Souls|Henry's|Symphony"
)
_MONARCHS = (
    "Henry|Louis|Elizabeth|George|Charles|Edward|James|Richard|William"
    "|Philip|Philippe|John|Paul|Benedict|Pius|Leo|Gregory"
    "|Alexander|Nicholas|Catherine|Peter|Napoleon|Frederick|Ivan"
    "|Francis|Innocent|Urban|Clement|Ramses|Ramesses|Ptolemy"
    "|Thutmose|Mary|Ferdinand|Alfonso|Carlos|Felipe|Harald|Margrethe"
    "|Christian|Gustav|Umberto|Wilhelm|Sixtus|Julius|Boniface"
    "|Edgar|Malcolm|Robert|David|Otto|Rudolf|Leopold|Albert|Haakon"
    "|Olav|Mehmed|Murad|Selim|Mohammed|Hussein|Rama|Amenhotep|Darius"
    "|Xerxes"
)


def title(match: Match) -> str:
    return TITLES[match[1]] + " "


def saint_or_street(match: Match) -> str:
    """St. and Dr.: of a street, where its name stands before and no other name behind."""
    short, rest = match[2], after(match)
    behind_name = match[1] is not None
    before_name = re.match(r"\s*[A-Z](?:[a-z]| [A-Z])", rest)
    ordinary = re.match(
        rf"\s*(?:Apt|Suite|Ste|Unit|Floor|Fl|Bldg|Room|Turn|Go|{STARTERS})\b",
        rest,
    )
    if behind_name and (not before_name or ordinary):
        return f"{match[1]}{'street' if short == 'St' else 'drive'}{stop(match)}"
    if before_name or match.group().endswith("."):
        return f"{match[1] or ''}{TITLES[short]} " if before_name else match.group()
    return match.group()


def initials(match: Match) -> str:
    """J. H. Marsh, John F. Kennedy; but Plan A. Tom ..."""
    before, letters = match[1] or "", match[2]
    is_of_a_name = letters.count(".") > 1 or (before and not _LETTERED.fullmatch(before.strip(". ")))
    return before + letters.replace(".", "") if is_of_a_name else match.group()


def abbreviation(match: Match) -> str:
    word = match[1].lower()
    return _SHORT[word] + stop(match, _GOES_ON.get(word, A_NAME))


def state(match: Match) -> str:
    zip_code = (
        f" {numbers.digits(match[2][:5])}"
        + (f" dash {numbers.digits(match[2][6:])}" if len(match[2] or "") > 5 else "")
        if match[2]
        else ""
    )
    return f"{STATES[match[1]]}{zip_code}"


_DAY_BEFORE = re.compile(r"(?i)\b(?:on|next|last|this|every|until|by|from|through|since|and)\s$|& $")
_DAY_BEHIND = re.compile(
    r":| ?(?:&|\d{1,2}/\d|- ?[A-Z][a-z]{2}|(?:and|to|through) [MTWFS][a-z]{2}|the \d|morning|night)"
)


def weekday(match: Match) -> str:
    """Tue, Thu and Fri always; Mon, Wed, Sat and Sun, which are words as well, by their neighbours."""
    told = match[1] or _DAY_BEFORE.search(before(match)) or _DAY_BEHIND.match(after(match))
    return WEEKDAYS[match.group()] if told else match.group()


def weekdays(match: Match) -> str:
    return f"{WEEKDAYS[match[1]]} {'' if match[2] == '/' else 'to '}{WEEKDAYS[match[3]]}"


def monarch(match: Match) -> str:
    return f"{match[1]} the {numbers.ordinal(str(roman(match[2])))}"


def numbered_name(match: Match) -> str:
    """Street Fighter II; a person where a given name stands before: William Gates III."""
    if not re.fullmatch(numbers.ROMAN, match[3]) or re.match(
        r"\s(?:fluids?|drip|lines?|access|antibiotics|infusion)\b", after(match)
    ):
        return match.group()  # or intravenous
    person = match[1] and re.fullmatch(_MONARCHS, match[1].strip())
    number = str(roman(match[3]))
    said = f"the {numbers.ordinal(number)}" if person else numbers.cardinal(number)
    return f"{match[1] or ''}{match[2]} {said}"


def division(match: Match) -> str:
    return f"{match[1]} {numbers.cardinal(str(roman(match[2])))}"


def small_division(match: Match) -> str:
    """Scene ii, pages iv."""
    told = re.search(r"(?i)\b(?:act|scene|chapter|volume|part|pages?|canto|section|book)\.?$", before(match))
    return f" {numbers.cardinal(str(roman(match[1].upper())))}" if told else match.group()


def _either_case(short: dict[str, str]) -> str:
    """As they stand, or with a capital; in capitals they are names: HR, PTS."""
    return alternatives({*short, *map(str.capitalize, filter(str.isalpha, short))})


_NOTE_END = r"(?![\w/-]|'(?!s))(?:\.(?=\s+[a-z0-9(]|,))?"
# Abbreviations whose full stop ends no sentence.
WORDS: list[Row] = [
    (
        "batting average",
        r"(?i:(?<=\bhit )|(?<=\bhits )|(?<=\bhitting )|(?<=\bbatting )|(?<=\bbatted )|"
        r"(?<=\bslashed ))\.(\d{3})\b",
        lambda m: numbers.paired(m[1]),
    ),
    ("leading point", r"(?<![\w.])\.(?=\d)", "0."),
    ("about", r"(?i)(?<=about )~ ?(?=[$£€\d])|(?<=around )~ ?(?=[$£€\d])", ""),
    ("about", r"~ ?(?=[$£€¥]\d)", "about "),
    ("paragraph", r"¶ ?(?=\d)", "paragraph "),
    ("latin", r"\bc\.\s?(?=A\.?D\b)", "circa "),
    ("degree", r"\bPh\.\s?D\b\.?", with_stop(lambda _: "p h d")),
    ("latin", r"\be\.\s?g\.,?", "for example"),
    ("latin", r"\bi\.\s?e\.,?", "that is"),
    ("time of day", rf"(?<=\d) ?([aApP])\.\s?[mM]\.{SENTENCE_MAY_END}", r" \1m."),
    ("initials", rf"\b([A-Z][a-z]+\.? )?\b((?:[A-Z]\. ){{1,4}})(?={A_NAME.pattern}[A-Z][a-z])", initials),
    (
        "street or saint",
        r"((?:\b[A-Z][a-z]{1,20}(?:'s)?|\d(?:st|nd|rd|th))\s)?\b(St|Dr)\b(?:\.|(?=\s[A-Z]|,|$))",
        saint_or_street,
    ),
    ("title", rf"\b({alternatives(set(TITLES) - {'St', 'Dr'})})\.\s*(?=[A-Z])", title),
    ("title", r"\b(Mr|Mrs|Ms|Prof)\.?\s+(?=[A-Z]|(?:and|or)\b|&)", title),
    ("title", r"\b(Dr)\.?\s+(?=(?:and|or|&)\b)", title),
    ("weekday", rf"\b({alternatives(WEEKDAYS)})\.(?=\s+[A-Za-z0-9&]|,)", abbreviation),
    (
        "weekday",
        rf"\b({alternatives(WEEKDAYS)})\s?(-|/|–)\s?({alternatives(WEEKDAYS)})\b\.?",
        with_stop(weekdays),
    ),
    (
        "abbreviation",
        rf"(?i)\b(?-i:(?![A-Z]{{2}}))({alternatives(BEFORE_FIGURES)})\.(?=\s+\(?\d)",
        abbreviation,
    ),
    (
        "abbreviation",
        rf"(?i)\b(?-i:(?![A-Z]{{2}}))({alternatives(ABBREVIATIONS)})\.(?=\s+[a-z0-9(&]|[,?!)\]\"”’'…—]|$)",
        abbreviation,
    ),
    ("abbreviation", r"(?<=[A-Za-z] )\b(vs)\b", abbreviation),
    ("abbreviation", rf"\b({alternatives(LABELS)})\.?(?=\s#?\d)", abbreviation),
    ("note", rf"(?<![\w'/-])({_either_case(NOTES)}){_NOTE_END}", abbreviation),
    ("note", rf"(?<![\w'/-])(?<!\d )({_either_case(NOTED_UNITS)}){_NOTE_END}", abbreviation),
    (
        "weekday",
        rf"\b({alternatives(WEEKDAYS)})\b(?=,?\s(?:Jan|Feb|Mar|Apr|May"
        rf"|Jun|Jul|Aug|Sep|Oct|Nov|Dec|\d{{1,2}}(?::|[ap]m)))",
        lambda m: WEEKDAYS[m[1]],
    ),
    ("weekday", r"\b(?:(Tues?|Thu(?:rs?)?|Fri)|Mon|Wed|Sat|Sun)\b(?!')", weekday),
    ("street", r"(?<=[a-z] )\b(Ave|Blvd|Rd|Ln|Hwy|Pkwy)\b\.?", with_stop(lambda m: STREETS[m[1]])),
    ("page", r"\bp\.\s?(?=\d)", "page "),
    ("number", r"(?i)\bnos?\.\s*(?=\d|(?-i:[A-Z]{1,4}-?\d))|#\s?(?=\d|[A-Z]{1,3}-\d)", "number "),
    (
        "state",
        rf"(?:(?<=in )|(?<=from )|(?<=to )|(?<=near )|(?<=of ))([A-Z][a-z]{{2,20}}(?: [A-Z]"
        rf"[a-z]{{2,20}})?, )({alternatives(STATES)})\b(?! \d{{5}})",
        lambda m: m[1] + STATES[m[2]],
    ),
    ("state", rf"(?<=[a-z], )({alternatives(STATES)}) (\d{{5}}(?:-\d{{4}})?)(?!\d)", state),
    (
        "state",
        rf"(?:(?<=[a-z], ))(?<!Hi, )(?<!Oh, )({alternatives(set(STATES) - WORDS_TOO)})"
        rf"(?=[.,;!?)]|\s[a-z]|$)()",
        state,
    ),
    (
        "initials",
        r"\b(?<!\b[A-Za-z]\.)((?:[A-Za-z]\.){2,})(?=[\s,;:!?)\]\"”’'…—]|$)",
        with_stop(lambda m: " ".join(m[1].replace(".", " ").split())),
    ),
    ("no", r"\bNo(?=[.!?,;…])", "no"),
    ("monarch", rf"\b(?!Malcolm X\b)({_MONARCHS})\s({numbers.ROMAN})\b(?!'[a-rt-z]|\. ?[A-Z])", monarch),
    ("item", r"^([IVX]{1,5})\.(?= [A-Z])", lambda m: f"{numbers.cardinal(str(roman(m[1])))}."),
    (
        "division",
        r" (i{2,3}|iv|vi{0,3}|ix|xi{0,3}|xiv|xv|xvi{0,3})\b(?!')",
        small_division,
    ),
    ("division", rf"(?i:\b({_DIVISIONS}))\s({numbers.ROMAN})\b(?![.'][A-Za-z])", division),
    (
        "numbered name",
        r"(\b[A-Z][a-z]{1,15} )?\b([A-Z][a-z]{2,20}) ([IVX]{2,5})\b(?!['.][A-Za-z])",
        numbered_name,
    ),
]
