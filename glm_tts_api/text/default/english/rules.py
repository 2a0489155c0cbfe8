"""The default rules for English, in the order in which they are applied."""

from __future__ import annotations

from glm_tts_api.text.default.data import Words
from glm_tts_api.text.default.english.abbreviations import ABBREVIATIONS
from glm_tts_api.text.default.english.amounts import AMOUNTS, COUNTS, THOUSANDS
from glm_tts_api.text.default.english.amounts import SAID as COUNTED
from glm_tts_api.text.default.english.capitals import CAPITALS
from glm_tts_api.text.default.english.classify import TESTS
from glm_tts_api.text.default.english.dates import DATES
from glm_tts_api.text.default.english.days import TESTS as DAYS
from glm_tts_api.text.default.english.fractions import SAID as FRACTIONS
from glm_tts_api.text.default.english.fractions import TESTS as SHARES
from glm_tts_api.text.default.english.measures import Measures
from glm_tts_api.text.default.english.money import Money
from glm_tts_api.text.default.english.names import ADDRESSES, NAMES
from glm_tts_api.text.default.english.pastimes import PASTIMES
from glm_tts_api.text.default.english.prices import PRICES
from glm_tts_api.text.default.english.romans import ROMAN
from glm_tts_api.text.default.english.signs import DOTS, LETTERS, POWERS, SIGNS, SPANS, SUMS
from glm_tts_api.text.default.english.stops import ending
from glm_tts_api.text.default.english.times import PATTERNS
from glm_tts_api.text.default.english.times import SAID as TIMES
from glm_tts_api.text.default.english.times import TESTS as TIMED
from glm_tts_api.text.default.english.trades import TRADES
from glm_tts_api.text.default.english.verbalise import SAID
from glm_tts_api.text.default.english.words import WORDS
from glm_tts_api.text.default.figures import Figures, Language
from glm_tts_api.text.default.table import Rule, table


def rules(words: Words) -> list[Rule | Figures]:
    """Returns the default rules for English in the order in which they are applied. `words` are the known
    units, currencies and teams. Rules for dates come before those for telephone numbers of the same shape.
    Rules for bare numbers come after all other rules for numbers."""
    money, measures = Money(words), Measures(words)
    return table(
        ADDRESSES,
        PASTIMES,
        PRICES,
        TRADES,
        ABBREVIATIONS,
        WORDS,
        ROMAN,
        THOUSANDS,
        DATES,
        NAMES,
        Figures(
            Language(
                "figures_en.tsv",
                SAID | TIMES | COUNTED | FRACTIONS | money.said | measures.said,
                TESTS | DAYS | TIMED | SHARES | measures.tests | money.tests,
                patterns=measures.patterns | money.patterns | PATTERNS,
                near=40,
                ending=ending,
            )
        ),
        AMOUNTS,
        POWERS,
        SPANS,
        SUMS,
        COUNTS,
        CAPITALS,
        LETTERS,
        SIGNS,
        DOTS,
    )
