"""English: titles and abbreviations, and figures that are names: telephones, flights, rooms, kings, days."""

from __future__ import annotations

import re

from glm_tts_api.text.default.english import numbers
from glm_tts_api.text.default.spelling import EMAIL, ENGLISH_DIGITS, ENGLISH_MARKS, URL, spell_address
from glm_tts_api.text.default.table import Match, Row, after, alternatives, before

TITLES = {
    **{"Mr": "mister", "Mrs": "missus", "Ms": "miss", "Dr": "doctor", "Prof": "professor", "St": "saint"},
    **{"Gov": "governor", "Sen": "senator", "Gen": "general", "Capt": "captain", "Sgt": "sergeant"},
    **{"Lt": "lieutenant", "Col": "colonel", "Rev": "reverend", "Hon": "honorable", "Rep": "representative"},
    **{"Pres": "president", "Fr": "father", "Mt": "mount", "Ft": "fort", "Cpl": "corporal", "Maj": "major"},
}
ABBREVIATIONS = {
    **{"etc": "et cetera", "vs": "versus", "approx": "approximately", "dept": "department", "jr": "junior"},
    **{"sr": "senior", "vol": "volume", "fig": "figure", "inc": "incorporated", "ltd": "limited"},
    **{"corp": "corporation", "est": "established", "govt": "government", "ave": "avenue", "blvd": "boulevard"},
    **{"rd": "road", "apt": "apartment", "ste": "suite", "hwy": "highway", "ext": "extension", "tel": "telephone"},
    **{"min": "minutes", "max": "maximum", "temp": "temperature", "pp": "pages", "figs": "figures", "eq": "equation"},
    **{"ch": "chapter", "sec": "section", "assn": "association", "bros": "brothers", "cf": "compare", "ed": "edition"},
    **{"mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday", "thu": "thursday"},
    **{"thur": "thursday", "thurs": "thursday", "fri": "friday", "sat": "saturday", "sun": "sunday"},
}
_BEFORE_FIGURES_ONLY = "min|max|ch|sec|ed|est|eq|pp|apt|ste|ext|p|temp|tel"
_DAYS_ONLY_CAPITAL = "Mon|Tues?|Wed|Thu|Thurs?|Fri|Sat|Sun"
STATES = {
    **{"AL": "alabama", "AK": "alaska", "AZ": "arizona", "AR": "arkansas", "CA": "california", "CO": "colorado"},
    **{"CT": "connecticut", "DE": "delaware", "FL": "florida", "GA": "georgia", "HI": "hawaii", "ID": "idaho"},
    **{"IL": "illinois", "IN": "indiana", "IA": "iowa", "KS": "kansas", "KY": "kentucky", "LA": "louisiana"},
    **{"ME": "maine", "MD": "maryland", "MA": "massachusetts", "MI": "michigan", "MN": "minnesota"},
    **{"MS": "mississippi", "MO": "missouri", "MT": "montana", "NE": "nebraska", "NV": "nevada"},
    **{"NH": "new hampshire", "NJ": "new jersey", "NM": "new mexico", "NY": "new york", "NC": "north carolina"},
    **{"ND": "north dakota", "OH": "ohio", "OK": "oklahoma", "OR": "oregon", "PA": "pennsylvania"},
    **{"RI": "rhode island", "SC": "south carolina", "SD": "south dakota", "TN": "tennessee", "TX": "texas"},
    **{"UT": "utah", "VT": "vermont", "VA": "virginia", "WA": "washington", "WV": "west virginia"},
    **{"WI": "wisconsin", "WY": "wyoming", "DC": "d c"},
}
_WORDS_TOO = {"HI", "ID", "IN", "ME", "OH", "OK", "OR", "PA", "MS", "MA", "AL", "LA", "DE", "CO", "MD", "MT", "MO", "IA", "DC", "SC"}
_DIVISIONS = (
    "Chapter|Part|Volume|Vol|Book|Section|Act|Scene|Appendix|Phase|Type|Level|Stage|Title|Article|Class|Grade|War"
    "|Mark|Bowl|Fantasy|Rocky|Episode|Lesson|Unit|Figure|Table|Theorem|Apollo|Saturn|Factor|Schedule|Tier|Division|Round"
    "|Category|Group|Amendment|Olympiad|Games|Step|Case|Option|Module|Quest|Diablo|Civilization|Souls|Henry's|Symphony"
)
_MONARCHS = (
    "Henry|Louis|Elizabeth|George|Charles|Edward|James|Richard|William|Philip|Philippe|John|Paul|Benedict|Pius|Leo|Gregory"
    "|Alexander|Nicholas|Catherine|Peter|Napoleon|Frederick|Ivan|Francis|Innocent|Urban|Clement|Ramses|Ramesses|Ptolemy"
    "|Thutmose|Mary|Ferdinand|Alfonso|Carlos|Felipe|Harald|Margrethe|Christian|Gustav|Umberto|Wilhelm|Sixtus|Julius|Boniface"
    "|Edgar|Malcolm|Robert|David|Otto|Rudolf|Leopold|Albert|Haakon|Olav|Mehmed|Murad|Selim|Mohammed|Hussein|Rama|Amenhotep|Darius|Xerxes"
)
_NUMBERED = "Figure|Fig|Table|Section|Exercise|Problem|Listing|Chapter|Example|Question|Equation|Theorem|Lemma|Article"


def telephone(match: Match) -> str:
    """Digits as a number to dial, a pause between its groups."""
    groups = []
    for group in re.findall(r"\d+", match.group()):
        groups += [group[:3], group[3:7], group[7:]] if len(group) == 11 else [group]
    plus = "plus " if match.group().startswith("+") else ""
    return f" {plus}{', '.join(map(numbers.digits, groups))} "


def spelled(match: Match) -> str:
    return numbers.digits(match[1])


def identifier(match: Match) -> str:
    """The words before it, then digits one by one, a pause where they are grouped."""
    number = re.sub(r"\d+", lambda run: numbers.digits(run.group()), match[2])
    return match[1] + number.replace("-", ", ")


def address(match: Match) -> str:
    return spell_address(match.group(), ENGLISH_MARKS, ENGLISH_DIGITS)


def host_address(match: Match) -> str:
    host, _, port = match.group().partition(":")
    spoken = " dot ".join(map(numbers.digits, host.split(".")))
    return f" {spoken} " + (f"colon {numbers.digits(port)} " if port else "")


def version(match: Match) -> str:
    return f" {' point '.join(map(numbers.cardinal, match.group().split('.')))} "


def title(match: Match) -> str:
    return TITLES[match[1]] + " "


def saint_or_street(match: Match) -> str:
    """St. and Dr.: of a street, where its name stands before and no other name behind."""
    short, rest = match[2], after(match)
    behind_name = match[1] is not None
    before_name = re.match(r"\s*[A-Z][a-z]", rest)
    ordinary = re.match(r"\s*(?:The|It|He|She|We|They|Is|In|On|At|And|But|Turn|Go|Please|There|This|That|I)\b", rest)
    if behind_name and (not before_name or ordinary):
        stop = "." if (not rest.strip() or before_name) and match.group().endswith(".") else ""
        return f"{match[1]}{'street' if short == 'St' else 'drive'}{stop}"
    if before_name or match.group().endswith("."):
        return f"{match[1] or ''}{TITLES[short]} " if before_name else match.group()
    return match.group()


def abbreviation(match: Match) -> str:
    return ABBREVIATIONS[match[1].lower()]


def state(match: Match) -> str:
    zip_code = f" {numbers.digits(match[2][:5])}" + (f" dash {numbers.digits(match[2][6:])}" if len(match[2] or "") > 5 else "") if match[2] else ""
    return f"{STATES[match[1]]}{zip_code}"


def monarch(match: Match) -> str:
    return f"{match[1]} the {numbers.ordinal(str(numbers.roman(match[2])))}"


def division(match: Match) -> str:
    return f"{match[1]} {numbers.cardinal(str(numbers.roman(match[2])))}"


def paired(match: Match) -> str:
    lead: str = match[1]
    return f"{lead}{' ' if lead[-1].isalpha() else ''}{numbers.paired(match[2])}"


def flight(match: Match) -> str:
    return f"{match[1]} {numbers.digits(match[2])}"


def hyphened_name(match: Match) -> str:
    """F-16, COVID-19, A320: letters, then a number that is paired."""
    return f"{match[1]} {numbers.paired(match[2])}"


def part_numbers(match: Match) -> str:
    """Figure 2-1."""
    return match[1] + " dash ".join(map(numbers.cardinal, match[2].split("-")))


_B, _E = r"(?<![\d.,])", r"(?!\d|[.,]\d)"

ADDRESSES: list[Row] = [
    ("e-mail address", EMAIL, address),
    ("web address", URL, address),
    ("network address", r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\d.]*\d)", host_address),
    ("version", r"(?<![\d.])\d{1,6}(?:\.\d{1,6}){2,}(?![\d.]*\d)", version),
]

# Abbreviations whose full stop ends no sentence.
WORDS: list[Row] = [
    ("degree", r"\bPh\.\s?D\b\.?", "p h d"),
    ("latin", r"\be\.\s?g\.,?", "for example"),
    ("latin", r"\bi\.\s?e\.,?", "that is"),
    ("time of day", r"(?<=\d) ?([aApP])\.\s?[mM]\.(?=\s+[A-Z]|$)", r" \1m."),
    ("street or saint", r"((?:\b[A-Z][a-z]{1,20}|\d(?:st|nd|rd|th))\s)?\b(St|Dr)\b(?:\.|(?=\s[A-Z]|,|$))", saint_or_street),
    ("title", rf"\b({alternatives(set(TITLES) - {'St', 'Dr'})})\.\s*(?=[A-Z])", title),
    ("title", r"\b(Mr|Mrs|Ms|Prof)\.?\s+(?=[A-Z]|(?:and|or|&)\b)", title),
    ("title", r"\b(Dr)\.?\s+(?=(?:and|or|&)\b)", title),
    ("weekday", rf"\b({_DAYS_ONLY_CAPITAL})\.(?=\s+[A-Za-z0-9]|,)", abbreviation),
    ("abbreviation", rf"(?i)\b({_BEFORE_FIGURES_ONLY.replace('|p|', '|')})\.(?=\s+\d)", abbreviation),
    ("abbreviation", rf"(?i)\b({alternatives(set(ABBREVIATIONS) - set(_BEFORE_FIGURES_ONLY.split('|')) - set(_DAYS_ONLY_CAPITAL.lower().split('|')) - {'tue','thur','tues','thurs'})})\.(?=\s+[a-z0-9(]|,|$)", abbreviation),
    ("abbreviation", r"(?<=[A-Za-z] )\b(vs)\b", abbreviation),
    ("page", r"\bp\.\s?(?=\d)", "page "),
    ("number", r"(?i)\bnos?\.\s*(?=\d)|#\s?(?=\d)", "number "),
    ("state", rf"(?<=[a-z], )({alternatives(STATES)}) (\d{{5}}(?:-\d{{4}})?)(?!\d)", state),
    ("state", rf"(?:(?<=[a-z], ))(?<!Hi, )(?<!Oh, )({alternatives(set(STATES) - _WORDS_TOO)})(?=[.,;!?)]|\s[a-z]|$)()", state),
    ("initials", r"\b(?<!\b[A-Za-z]\.)((?:[A-Za-z]\.){2,})(?=[\s,;:!?)]|$)",
     lambda m: " ".join(m[1].replace(".", " ").split())),
    ("no", r"\bNo(?=[.!?,;…])", "no"),
    ("monarch", rf"\b({_MONARCHS})\s({numbers.ROMAN})\b(?!')", monarch),
    ("division", rf"(?i:\b({_DIVISIONS}))\s({numbers.ROMAN})\b(?![.'][A-Za-z])", division),
]

NAMES: list[Row] = [
    ("day with a name", r"\b9/11\b(?!/)", "nine eleven"),
    ("all day", r"\b24/7(?:/365)?\b", lambda m: "twenty four seven" + (" three sixty five" if m.group().endswith("5") else "")),
    ("shares", r"(?<![\d/])(\d\d)/(\d0)(?![\d/])(?=\s+(?:rule|split|principle|chance|odds|deal|shot|law|partnership|mix|balance))|(?<![\d/])(50)/(50)(?![\d/])",
     lambda m: f"{numbers.cardinal(m[1] or m[3])} {numbers.cardinal(m[2] or m[4])}"),
    ("telephone", r"(?<![\d.])\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){1,4}(?!\d)", telephone),
    ("telephone", r"(?<![\d.-])1[3-9]\d([ -]?)\d{4}\1\d{4}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])(?:1[- ])?\(?\d{3}\)?[ -]\d{3}-\d{4}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])(?:1-)?\(?\d{3}\)?-[A-Z]{3,8}\b", lambda m: re.sub(r"\d+", lambda run: numbers.digits(run.group()) + " ", m.group()).replace("-", " ")),
    ("telephone", r"(?<![\d.])\d{3}\.\d{3}\.\d{4}(?![\d.]*\d)", telephone),
    ("telephone", r"(?<![\d.-])0\d{2,3}-\d{7,8}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])0\d{2,4} \d{3,4} \d{3,4}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])\d{3,4}-\d{3,4}-\d{4}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])[48]00-?\d{3,4}-?\d{3,4}(?![\d-])", telephone),
    ("telephone", r"(?<![\d.-])\d{3}-\d{4}(?![\d-])", telephone),
    ("social security", r"(?<![\d.-])\d{3}-\d{2}-\d{4}(?![\d-])", telephone),
    ("short telephone number", rf"(?i)\b(?:(?<=call )|(?<=dial )|(?<=calls )|(?<=dialed )|(?<=called )|(?<=calling )|(?<=dialing )|(?<=phone )|(?<=text ))(\d{{3,6}}){_E}(?! (?:people|times|of|numbers|customers))", spelled),
    ("short telephone number", r"\b([49]11)(?= (?:calls?|emergency|operator|dispatch\w*|center|right away|immediately|if|for help)\b)", spelled),
    ("grouped digits", r"(?<![\d.,-])\d{4}(?:[ -]\d{4}){2,4}(?: \d{1,3})?(?![\d-])", telephone),
    ("identifier", r"(?i)\b((?:pin|code|password|passcode|zip(?: code)?|extension|ext|serial number|account number|tracking number|order number|confirmation number|isbn|id|acct|ending in|ends in|card number|(?:order|ticket|invoice|case|account|ref|reference|confirmation|tracking) number|number is|order)(?: is|:)? ?#? ?)(?<![\d.-])(\d{3,}+(?:-\d{2,}+)*+)(?![.,]\d)", identifier),
    ("flight", r"(?i)(?<=flight )([A-Z]{2}) ?(\d{2,4})\b", flight),
    ("flight", r"\b([A-Z]{2}) ?(\d{3,4})(?= (?:flight|from|to|departs|arrives|lands|is|was|has|will)\b)", flight),
    ("flight", rf"(?i)\b(flight )(\d{{3,4}}){_E}", lambda m: f"{m[1]}{numbers.digits(m[2])}"),
    ("room", rf"(?i)\b((?:room|suite|apartment|unit|gate|route|highway|interstate|bus|train|apt|locker|area|studio|section|hwy|i|us|platform|channel|psalm|boeing|airbus|model|type|class|peugeot|porsche|ferrari|bmw) ?-? ?[A-Z]?)(\d{{3,4}}){_E}(?! (?:of|times|years|people|students|passengers|meters|minutes))", paired),
    ("address", rf"{_B}(?<![$£€#])(\d{{3,4}})(?= (?:[NSEW]\. )?(?:[A-Z][a-z]{{1,15}} ){{1,3}}(?:street|drive|road|avenue|boulevard|lane|way|court|place|plaza|square|parkway|St|Street|Drive|Road|Avenue|Boulevard|Lane|Way|Court|Place|Ave|Rd|Blvd|Ln)\b)", lambda m: numbers.paired(m[1])),
    ("part number", rf"(?i)\b((?:{_NUMBERED})\.? )(\d{{1,3}}(?:-\d{{1,3}}){{1,2}})(?![\d-])", part_numbers),
    ("versus", r"(?<![\w.])(\d{1,2}) ?[vV][sS]?\.? ?(\d{1,2})(?![\w.])", lambda m: f"{numbers.cardinal(m[1])} v {numbers.cardinal(m[2])}"),
    ("name with a hyphen", r"\b([A-Za-z]{1,20})-(\d{1,4})(?![\d-]|\.\d)", hyphened_name),
    ("name with a hyphen", r"(?<![\d.-])(\d{1,3})-(?=[A-Za-z]{2})", lambda m: numbers.cardinal(m[1]) + " "),
    ("model", r"\b([A-Z]{1,4})(\d{3,4})(?![\d]|[.]\d|[a-z])", hyphened_name),
    ("airplane", r"\b(7[0-8]7)(?=s?\b(?: (?:jet|plane|aircraft|max|dreamliner|airliner|crashed|landed)))", lambda m: numbers.paired(m[1])),
    ("leading zero, or very long", r"(?<![\d./,-])(0\d++|\d{13,}+)(?![./-]?\d)", spelled),
]
