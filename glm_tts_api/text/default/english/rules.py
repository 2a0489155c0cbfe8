"""The default rules for English, in the order in which they are applied."""

from __future__ import annotations

from glm_tts_api.text.default.english.amounts import AMOUNTS, COUNTS, THOUSANDS
from glm_tts_api.text.default.english.classify import TESTS
from glm_tts_api.text.default.english.dates import DATES
from glm_tts_api.text.default.english.days import TESTS as DAYS
from glm_tts_api.text.default.english.fractions import FRACTIONS
from glm_tts_api.text.default.english.money import MONEY
from glm_tts_api.text.default.english.names import ADDRESSES, NAMES
from glm_tts_api.text.default.english.signs import DOTS, LETTERS, POWERS, SIGNS, SPANS, SUMS
from glm_tts_api.text.default.english.times import TIMES
from glm_tts_api.text.default.english.verbalise import SAID
from glm_tts_api.text.default.english.words import WORDS
from glm_tts_api.text.default.figures import Figures, Language
from glm_tts_api.text.default.table import table

# Dates go before telephone numbers of the same shape; bare numbers come last of all figures.
RULES = table(
    ADDRESSES,
    WORDS,
    THOUSANDS,
    DATES,
    NAMES,
    Figures(Language("figures_en.tsv", SAID, TESTS | DAYS, near=40)),
    TIMES,
    MONEY,
    AMOUNTS,
    FRACTIONS,
    POWERS,
    SPANS,
    SUMS,
    COUNTS,
    LETTERS,
    SIGNS,
    DOTS,
)
