"""English names of currencies and units, from the tables of words. Works on strings only."""

from __future__ import annotations

from speech_text.default.data import Words
from speech_text.default.table import names

# Words of scale after a number.
SCALES = names("""
    k=thousand; m=million; mn=million; b=billion; bn=billion; t=trillion; tn=trillion;
    mm=million; mil=million; hundred=hundred; thousand=thousand; million=million; billion=billion;
    trillion=trillion; lakh crore=lakh crore; lakh=lakh; lakhs=lakh; l=lakh;
    crore=crore; crores=crore; cr=crore;
""")
_WORDS = Words()
UNITS = _WORDS.names("unit", "english")
PER = UNITS | _WORDS.names("per", "english")  # units and other words that stand after a slash
CODES = _WORDS.names("code", "english")
# Units that stand for their word without a number, too: $2 per lb.
ALONE = ("gal", "qt", "lb", "oz", "mi", "mo", "kg", "km", "ml", "min")
# Letters that are a unit only where they touch the number; apart from it they are mostly words or names.
ONLY_JOINED = {"A", "t", "N", "J", "MP", "px", "ct", "pt", "ac", "PB", "Mb", "Gb"}
