"""Words for English prices: lakhs, and the shillings and pence of old money. Table tokens_en.tsv names
the functions."""

from __future__ import annotations

from speech_text.default.english import numbers
from speech_text.default.english.stops import NOTHING, with_stop
from speech_text.default.table import Match


def old_money(match: Match) -> str:
    """Returns pounds, shillings and pence in words: £3 4s. 6d. -> 3 pounds 4 shillings 6 pence."""
    coins = ("pound", "shilling", "penny")
    amounts = (*match.groups()[:2], " ".join(filter(None, match.groups()[2:])))
    parts = zip(amounts, coins, strict=True)
    return " ".join(f"{amount} {numbers.plural(coin, amount)}" for amount, coin in parts if amount)


def lakhs(match: Match) -> str:
    """Returns an Indian number in words: 1,20,000 -> one lakh twenty thousand, ₹2,00,000 -> two lakh
    rupees."""
    crores, rest = divmod(int(match[2].replace(",", "")), 10_000_000)
    parts = ((crores, " crore"), (rest // 100_000, " lakh"), (rest % 100_000, ""))
    said = " ".join(numbers.cardinal(str(amount)) + scale for amount, scale in parts if amount)
    paise = f" and {numbers.cardinal(match[3])} paise" if match[3] and match[3] != "00" else ""
    return f"{said} rupees{paise}" if match[1] else said


SAID = {
    "lakhs": lakhs,
    "old_money": with_stop(old_money, NOTHING),  # a word with a capital begins a sentence
}
