"""The default rules for English, in the order in which they are applied."""

from __future__ import annotations

from glm_tts_api.text.default.english.amounts import AMOUNTS, COUNTS
from glm_tts_api.text.default.english.names import ADDRESSES, NAMES, WORDS
from glm_tts_api.text.default.english.signs import DOTS, SIGNS, SPANS, SUMS
from glm_tts_api.text.default.english.times import TIMES
from glm_tts_api.text.default.table import table

# Dates go before telephone numbers of the same shape; bare numbers come last of all figures.
RULES = table(ADDRESSES, WORDS, TIMES, NAMES, AMOUNTS, SPANS, SUMS, COUNTS, SIGNS, DOTS)
