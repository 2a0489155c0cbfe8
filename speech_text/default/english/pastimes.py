"""English rules for the signs of pastimes: cards, music, crafts, racing, crosswords, sailing, cooking."""

from __future__ import annotations

import re

from speech_text.default.characters import CARD, rank_and_suit
from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.short_forms import STATES
from speech_text.default.english.stops import stop
from speech_text.default.table import Match, Row, after, before, beside, names

_NEAR = 60  # characters to either side that are examined
_SUITS = {"♤": "spade", "♡": "heart", "♢": "diamond", "♧": "club"}
_RANKS = {"A": "ace", "K": "king", "Q": "queen", "J": "jack"}
_BIDDING = re.compile(
    r"\b(?:bids?|bidding|opened|opens|opening|pass(?:ed|es)? over|overcall\w*|doubled|doubles"
    r"|raised|[1-7] ?NT)\b"
)
_KNITTED = re.compile(
    r"\b(?:sts?|[kp]\dtog|rep from|garter|stockinette|ribbing|yo|ssk|knit\w*)\b|\bk\d+, ?p\d|\bp\d+, ?k\d"
)
_CLUED = re.compile(r"(?i)\b(?:anagrams?|crosswords?|cryptic|clues?|grid|solve\w*|stuck|\d{1,2}(?:dn|ac))\b")
_CROCHETED = re.compile(
    r"\b(?:crochet\w*|hook|sl(?:ip)? st|(?:sc|dc|hdc) in|\d{1,3} (?:sc|dc|hdc)(?=[,.;)]|$))(?!\w)"
)
_TUNED = re.compile(r"\b(?:DAB|VHF|UHF|Freeview|Freesat|multiplex|coastguard)\b")
_BATTED = re.compile(
    r"(?i)\b(?:hit(?:s|ting)?|bats|batt(?:ed|ing)|slashed|OBP|OPS|slugging|on-base|percentage)\b[^.]{0,24}_"
    r"|_ (?:avg|average|hitter|OBP|OPS|SLG|batting|percentage|slugging|winning|with \d{1,2} HR)\b"
)
# Places before the St. of a college's team.
_COLLEGES = "Ball|Boise|Fresno|Jackson|Kent|Murray|NC|Penn|San (?:Diego|Jose)|Weber|Wichita|Youngstown|"
_COLLEGES += either(state.title() for state in STATES.values())
_FOOD = (
    "(?:[a-z]{3,12} )?(?:broth|butter|cheese|cinnamon|cream|cumin|extract|flour|garlic|ginger|honey|juice"
    "|milk|oats|oil|paprika|pepper|powder|rice|salt|soda|sugar|vanilla|vinegar|water|yeast)\\b"
)
_STITCHES = names("k=knit; p=purl;")
_CHORDS = names("maj=major; M=major; min=minor; m=minor; dim=diminished; aug=augmented; sus=sus; add=add;")
_STARS = names("M=mass masses; R=radius radii; L=luminosity luminosities;")
_PLAYS = names("Ham=Hamlet; Mac=Macbeth; Macb=Macbeth; Oth=Othello; Lr=Lear;")


def cups(match: Match) -> str:
    """Returns the c. of a recipe in words: the c. of 1 c. sugar -> cup, the c. of 2 1/2 c. flour -> cups."""
    lead = before(match)
    one = re.search(r"(?:^|[^\d/.])1 ?$|\d/\d ?$", lead) and not re.search(r"\d[ -]+\d/\d ?$", lead)
    return " cup " if one else " cups "


def _around(match: Match) -> str:
    return f"{before(match, _NEAR)}{match[0]}{after(match, _NEAR)}"


def card(match: Match) -> str:
    """Returns a playing card in words: A♤ -> ace of spades. Where bids are told, 2♡ -> two hearts."""
    rank, suit = rank_and_suit(match)
    bid = rank in "1234567" and _BIDDING.search(_around(match))
    said = numbers.plural(_SUITS[suit], rank) if bid else f"of {_SUITS[suit]}s"
    return f"{_RANKS.get(rank, rank)} {said}{' ' * after(match, 1).isalnum()}"


def stitches(match: Match) -> str:
    """Returns stitches in words: k2 -> knit 2, p2tog -> purl 2 together."""
    if not (match[3] or _KNITTED.search(_around(match))):
        return match[0]
    return f"{_STITCHES[match[1].lower()]} {match[2]}{' together' if match[3] else ''}"


def chord(match: Match) -> str:
    """Returns the name of a chord in words: F#m7 -> F sharp minor 7, Cmaj7 -> C major 7."""
    sign = {"": "", "#": " sharp", "♯": " sharp"}.get(match[2], " flat")
    return f"{match[1]}{sign} {_CHORDS[match[3]]}{' ' + match[4] if match[4] else ''}"


def clue(match: Match) -> str:
    """Returns the number of a clue in words: 14dn -> 14 down, where the text is about a crossword."""
    if not _CLUED.search(beside(match, _NEAR)):
        return match[0]
    return f"{match[1]} {'down' if match[2] == 'dn' else 'across'}{stop(match)}"


def average(match: Match) -> str:
    """Returns an average of baseball in words: hit .305 -> three oh five. Other decimals stay."""
    near = f"{before(match, 40)}_{after(match, 24)}"
    return numbers.paired(match[1]) if _BATTED.search(near) else match[0]


def hand(match: Match) -> str:
    """Returns the cards of one suit in words: ♤AQ10 -> spades ace queen 10. They stay if no other suit is
    near (♡AJ at the end of a letter)."""
    if not re.search("[♤♡♢♧]", beside(match, _NEAR)):
        return match[0]
    ranks = re.findall("10|.", match[2])
    return f"{_SUITS[match[1]]}s {' '.join(_RANKS.get(rank, rank) for rank in ranks)}, "


def chain(match: Match) -> str:
    """Returns the words for ch: the ch 20 of a pattern for crochet -> chain, the ch. 12B of a radio ->
    channel. Elsewhere it stays."""
    near = _around(match)
    if _TUNED.search(near):
        return "channel"
    return "chain" if _CROCHETED.search(near) and not match[0].endswith(".") else match[0]


def crochet(match: Match) -> str:
    """Returns a stitch of crochet in words: the dc of 2 dc in the next st -> double crochet."""
    kinds = {"s": "single", "d": "double", "h": "half double", "t": "treble"}
    return f"{kinds[match[0][0].lower()]} crochet" if _CROCHETED.search(_around(match)) else match[0]


def solar(match: Match) -> str:
    """Returns a unit of astronomers in words: the M☉ of 1.02 M☉ -> solar masses."""
    one, many = _STARS[match[2]].split()
    return f"{match[1]} solar {one if match[1] == '1' else many}"


def reported_wind(match: Match) -> str:
    """Returns a wind as pilots report it in words: wind 240/12 kt -> wind two four zero at 12 knots."""
    gusts = f" gusting {match[4]}" if match[4] else ""
    return f"{match[1]}{numbers.digits(match[2])} at {match[3]}{gusts} knots"


_AGES = {"U": "under", "u": "under", "O": "over"}
PASTIMES: list[Row] = [
    (
        "cups",
        rf"(?<=\d) ?c(?:\. ?(?!p\.)(?=[a-z+]|[A-Z]{{2}} [a-z]|\))| (?<!\d\d c )(?={_FOOD}))"
        rf"|(?<=\d )C\. (?={_FOOD})",
        cups,
    ),
    (
        "spoons",
        rf"(?<=\d) ?([tT])(?:\. (?=[a-z]{{3}})|\.(?=\))| (?={_FOOD}))",
        lambda m: " tsp " if m[1] == "t" else " tbsp ",
    ),
    (
        "pints",
        r"(?<=\d )pts\.? (?=of (?:ale|beer|bitter|blood|cider|cream|lager|milk|stock|stout|water)\b)",
        "pints ",
    ),
    ("cards", CARD, card),
    ("cards", r"([♤♡♢♧])((?:10|[2-9AKQJTx]){2,13})(?!\w),?", hand),
    ("stitches", r"\b([KkPp])(\d{1,2})(tog)?\b(?![-.]\w)", stitches),
    (
        "chord",
        r"(?<![\w.])([A-G])([#♯b♭]?)(maj|min|dim|aug|sus|add|m(?=\d|(?<=[#♯♭]m)(?![\w-])))"
        r"(\d{1,2})?(?![\w-])",
        chord,
    ),
    ("stitches", r"\byo\b", lambda m: "yarn over" if _KNITTED.search(beside(m, _NEAR)) else m[0]),
    ("catalogue", r"(?:(?<=\()|(?<=['’]s )|(?<=, )(?!.\. ?\d{1,3} [a-z]))([KDS])\. ?(?=\d{1,3}\b)", r"\1 "),
    ("carat", r"(?<=\d) ?-?(?:kt?|K|ct)(?= (?:white |yellow |rose )?gold\b)", " karat"),
    ("angle", r"\b[Ll](at|ong)\. ?(?=\d{1,3}(?:\.\d{1,8})?°)", r"l\1itude "),
    (
        "very",
        r"(?:\bv|^V)\.? (?=(?:bad|busy|cheap|close|cold|early|fast|friendly|funny|good|hard|happy|hot|kind"
        r"|large|late|long|nice|old|poor|quick|quiet|rare|small|sorry|tired|well)\b)",
        "very ",
    ),
    (
        "age group",
        r"\b([UuO])-?([5-9]|[1-9]\d)(?:(s)\b|(?=(?: \w{4,9})? (?:boys|cap|coach|cup|final|football|fixture"
        r"|game|girls|international|league|match|player|side|squad|team|title|tournament)s?\b))",
        lambda m: f"{_AGES[m[1]]} {numbers.plural(numbers.cardinal(m[2]), m[3] or '1')}",
    ),
    ("clue", r"(?<![\w.])(\d{1,2})(dn|ac)\b(?!/|\.\d)\.?", clue),
    ("crochet", r"\b(?:[Ss]c|[Dd]c|hdc|tr)\b(?=,? (?:in|\d|across|around)|[,)])", crochet),
    ("chain or channel", r"\b[Cc]h(?:\.(?= \d)|(?=[-, ;)])(?! \d{1,3} of\b))", chain),
    ("stars", r"(?<![\w.])(\d{1,4}(?:\.\d{1,4})?(?: [mb]illion)?) ?([MRL])[☉⊙]", solar),
    (
        "team",
        rf"\b({_COLLEGES}) St\.?(?= \d{{1,3}}(?:[,;.]|$| \(| at| in [eo])| \(\d{{1,2}}-\d"
        r"| (?:beats?|coach|defeat(?:ed|s)|edged|fac(?:ed|es)|fans?|hosts?|quarterback|upset|visits|vs)\b)"
        rf"|(?:(?<=beat )|(?<=vs\. ))({_COLLEGES}) St\.?(?!\w)",
        lambda m: f"{m[1] or m[2]} State",
    ),
    ("average", r"(?<![\w./])\.(\d{3})\b(?!/)", average),
    (
        "play",
        rf"\b({either(_PLAYS)})\. (?=[IVX]{{1,4}}\.[ivx]|\d\.\d\.\d)",
        lambda m: f"{_PLAYS[m[1]]} ",
    ),
    (
        "sonnet",
        r"(?:(?<=Shakespeare's )|(?<=Shakespeare, ))Son\. (?=\d)|\bSon\. (?=\d{1,3}[,.] ?ll?\.)",
        "Sonnet ",
    ),
    (
        "wind",
        r"\b([Ww]ind (?:is |at )?)([0-3]\d0)/(\d{1,2})(?:(?:G| gusting )(\d\d))? ?(?:kts?|KT|knots)\b\.?",
        reported_wind,
    ),
]
