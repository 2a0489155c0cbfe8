"""Words for the English short forms and signs of trades and pastimes: weather, cards, crafts, music.
Table tokens_en.tsv names the functions."""

from __future__ import annotations

import re

from speech_text.default.characters import rank_and_suit
from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.names import DIRECTIONS
from speech_text.default.english.stops import stop
from speech_text.default.number_tagger import by_name
from speech_text.default.table import Match, after, before, beside, names

_NEAR = 60  # characters to either side that are examined
_WIND = either(DIRECTIONS)
_BLOWS = re.compile(r" (?:winds?|gales?|breezes?|airs)\b")
_BLOWN = re.compile(
    r"\b[Ww]inds?(?: (?:are|is|was|were))?:? (?:from )?(?:the )?$|\b(?:will|later|then) (?:back|veer) $"
)
_FORCE = re.compile(rf" (?:\d|gale|severe|(?:or|to|then|backing|veering|becoming) (?:(?:{_WIND})\b|\d))")
_WINDY = re.compile(r"(?i)\b(?:winds?|gales?|gusts?|knots|kts?|storm|squally|breeze|beaufort)\b")
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
_STITCHES = names("k=knit; p=purl;")
_CHORDS = names("maj=major; M=major; min=minor; m=minor; dim=diminished; aug=augmented; sus=sus; add=add;")
_STARS = names("M=mass masses; R=radius radii; L=luminosity luminosities;")
_PLAYS = names("Ham=Hamlet; Mac=Macbeth; Macb=Macbeth; Oth=Othello; Lr=Lear;")
_AGES = {"U": "under", "u": "under", "O": "over"}
_COMPARED = {"d": "day", "w": "week", "y": "year", "q": "quarter", "m": "month"}
_LIFE = {"b": "born", "d": "died", "m": "married", "r": "reigned", "fl": "flourished"}
_DAYS = names("M=monday; T=tuesday; Tu=tuesday; W=wednesday; Th=thursday; F=friday; S=saturday; Su=sunday;")
_PERIODS = names("m=month; mo=month; w=week; wk=week; d=day; h=hour; hr=hour; hrs=hour; min=minute;")
_PARTS = names("v=verse; vv=verses; n=note; l=line; sc=Scene; vol=Volume; ph=Phase;")


def wind(match: Match) -> str:
    """Returns the direction of a wind in words: the SW of SW winds -> southwest, the W or NW 5 of winds W or
    NW 5 -> west or northwest 5. The letters stay where no wind is spoken of."""
    lead, rest = before(match, _NEAR), after(match, _NEAR)
    told = _BLOWS.match(rest) or _BLOWN.search(lead)
    near = _FORCE.match(rest) and (_WINDY.search(lead) or _WINDY.search(rest))
    return " or ".join(DIRECTIONS[name] for name in match[0].split("/")) if told or near else match[0]


def reported_wind(match: Match) -> str:
    """Returns a wind as pilots report it in words: wind 240/12 kt -> wind two four zero at 12 knots."""
    gusts = f" gusting {match[4]}" if match[4] else ""
    return f"{match[1]}{numbers.digits(match[2])} at {match[3]}{gusts} knots"


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


def hand(match: Match) -> str:
    """Returns the cards of one suit in words: ♤AQ10 -> spades ace queen 10. They stay if no other suit is
    near (♡AJ at the end of a letter)."""
    if not re.search("[♤♡♢♧]", beside(match, _NEAR)):
        return match[0]
    ranks = re.findall("10|.", match[2])
    return f"{_SUITS[match[1]]}s {' '.join(_RANKS.get(rank, rank) for rank in ranks)}, "


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


def crochet(match: Match) -> str:
    """Returns a stitch of crochet in words: the dc of 2 dc in the next st -> double crochet."""
    kinds = {"s": "single", "d": "double", "h": "half double", "t": "treble"}
    return f"{kinds[match[0][0].lower()]} crochet" if _CROCHETED.search(_around(match)) else match[0]


def chain(match: Match) -> str:
    """Returns the words for ch: the ch 20 of a pattern for crochet -> chain, the ch. 12B of a radio ->
    channel. Elsewhere it stays."""
    near = _around(match)
    if _TUNED.search(near):
        return "channel"
    return "chain" if _CROCHETED.search(near) and not match[0].endswith(".") else match[0]


def solar(match: Match) -> str:
    """Returns a unit of astronomers in words: the M☉ of 1.02 M☉ -> solar masses."""
    one, many = _STARS[match[2]].split()
    return f"{match[1]} solar {one if match[1] == '1' else many}"


def average(match: Match) -> str:
    """Returns an average of baseball in words: hit .305 -> three oh five. Other decimals stay."""
    near = f"{before(match, 40)}_{after(match, 24)}"
    return numbers.paired(match[1]) if _BATTED.search(near) else match[0]


def dose(match: Match) -> str:
    """Returns the times of a dose in words: q6h -> every six hours, q5-15 min -> every five to fifteen
    minutes."""
    first, second, unit = match.groups()
    said = " to ".join(numbers.cardinal(number) for number in (first, second) if number)
    return f"every {said} {numbers.plural(_PERIODS[unit], second or first)}"


def compared(match: Match) -> str:
    """Returns a comparison of periods in words: y/y -> year over year, QoQ -> quarter over quarter."""
    unit = _COMPARED[(match[1] or match[2]).lower()]
    return f"{unit} over {unit}"


SAID = by_name(
    *(wind, reported_wind, cups, card, hand, stitches, chord, clue, crochet, chain, solar, average, dose),
    compared,
) | {
    "averages": lambda m: ", ".join(map(numbers.paired, m.groups())),
    "spoons": lambda m: " tsp " if m[1] == "t" else " tbsp ",
    "age_group": lambda m: f"{_AGES[m[1]]} {numbers.plural(numbers.cardinal(m[2]), m[3] or '1')}",
    "play": lambda m: f"{_PLAYS[m[1]]} ",
    "life": lambda m: f"{_LIFE[m[1]]} ",
    "part": lambda m: f"{_PARTS[m[1].lower()]} ",
    "per_period": lambda m: f"per {_PERIODS[m[1]]}",
    "day_span": lambda m: f"{_DAYS[m[1]]} to {_DAYS[m[2][:2].rstrip('a')]}",
}
