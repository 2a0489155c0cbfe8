"""English rules for prices: rents, rupees, deposits, and the shillings and pence of old money."""

from __future__ import annotations

import re

from speech_text.default.data import either
from speech_text.default.english import numbers
from speech_text.default.english.stops import with_stop
from speech_text.default.table import Match, Row, behind, beside, names

_NEAR = 40  # characters to either side that are examined
_RENTS = names("""
    pcm=per calendar month; p.c.m=per calendar month; pw=per week; p.w=per week; pa=per annum;
    p.a=per annum; pp=per person; pppn=per person per night; pn=per night; pppw=per person per week;
    p.m=per month; pm=per month; p.p=per person; p.n=per night; ph=per hour; p.h=per hour; pd=per day;
    ono=or nearest offer; ONO=or nearest offer; ovno=or very near offer; obo=or best offer;
    OBO=or best offer;
""")
_NOTHING = re.compile("(?!)")  # after a rent, a word with a capital begins a sentence
_RUPEES = re.compile(r"(?i)\b(?:rs|inr|pkr|npr|lkr|rupees?|lakhs?)\b|₹")
_PENCE = r"(?=\d)(\d{1,2}(?!\d|/))?(?: ?(1/[24]|3/4) ?)?d\b\.?"


def old_money(match: Match) -> str:
    """Returns pounds, shillings and pence in words: £3 4s. 6d. -> 3 pounds 4 shillings 6 pence."""
    coins = ("pound", "shilling", "penny")
    amounts = (*match.groups()[:2], " ".join(filter(None, match.groups()[2:])))
    parts = zip(amounts, coins, strict=True)
    return " ".join(f"{amount} {numbers.plural(coin, amount)}" for amount, coin in parts if amount)


def shillings(match: Match) -> str:
    """Returns an amount of old money in words: 5/- -> 5 shillings. Beside rupees the /- is not said."""
    rupees = _RUPEES.search(beside(match, _NEAR))
    return match[1] if rupees else f"{match[1]} shillings"


def lakhs(match: Match) -> str:
    """Returns an Indian number in words: 1,20,000 -> one lakh twenty thousand, ₹2,00,000 -> two lakh
    rupees."""
    crores, rest = divmod(int(match[2].replace(",", "")), 10_000_000)
    parts = ((crores, " crore"), (rest // 100_000, " lakh"), (rest % 100_000, ""))
    said = " ".join(numbers.cardinal(str(amount)) + scale for amount, scale in parts if amount)
    paise = f" and {numbers.cardinal(match[3])} paise" if match[3] and match[3] != "00" else ""
    return f"{said} rupees{paise}" if match[1] else said


PRICES: list[Row] = [
    ("rupees", r"\bRs\b\.? ?(?=\d)", "₹"),
    (
        "lakhs",
        r"((?:₹|\bINR) ?)?(\d(?<![\d.,].)(?<!\w\(.)\d?(?:,\d\d){1,4},\d{3})(?!\d|,\d)(?:\.(\d\d)\b)?(?:/-)?",
        lakhs,
    ),
    (
        "rent",
        rf"([£€$₹]\d[\d,.]{{0,11}}k?) ?({either(_RENTS)})\b(?!-|/(?!night|day|week|wk))\.?",
        with_stop(lambda m: f"{m[1]} {_RENTS[m[2]]}", _NOTHING),
    ),
    (
        "included",
        r"\b([Ii])ncl\b\.?(?=[,;)]|$| (?!Wi-?Fi\b)[A-Z][a-z])",
        with_stop(lambda m: f"{m[1]}ncluded"),
    ),
    (
        "including",
        rf"(?:(?<=[,(\d] )|(?<=\()|{behind('pcm|pw')})inc\.? (?=[a-z\d£$€])"
        r"|\b[Ii]nc\.? (?=(?:VAT|GST|tax|delivery|p&p|postage|shipping|bills|breakfast|flights|fees|tip)\b)",
        "including ",
    ),
    (
        "deposit",
        r"([£€$]\d[\d,.]{0,9} |\d% )dep\b\.?|\bdep\.?(?= [£€$]| \d (?:wks?|weeks?|months?|mths?)\b)"
        r"|(?<=[Dd]irect )dep\b\.?",
        with_stop(lambda m: f"{m[1] or ''}deposit"),
    ),
    ("ringgit", r"\bRM(?=\d{2,6}\b)", "MYR "),
    (
        "rand",
        r"\bR ?(?=\d{1,3}(?:,\d{3})+\b|\d+\.\d\d\b)"
        rf"|{behind('for|pay|paid|cost|costs')}R(?=\d{{2,5}}\b(?! [A-Z]))"
        r"|\bR(?=\d{2,4}0 (?:each|off|per|for (?:one|two|\d))\b)",
        "ZAR ",
    ),
    (
        "old money",
        rf"(?:£ ?(\d{{1,3}}(?:,?\d{{3}})?),? |(?<![\w.]))(\d{{1,2}})s\b\.?(?:(?:,? )?{_PENCE})",
        with_stop(old_money, _NOTHING),
    ),
    ("old money", r"£ ?(\d{1,3}(?:,?\d{3})?),? (\d{1,2})s\b()()\.?", with_stop(old_money, _NOTHING)),
    ("old money", r"(?<![\w/.₹£$-])(\d{1,2})/-(?!\w)", shillings),
]
