"""The default rules for Chinese, in the order in which they are applied."""

from __future__ import annotations

from glm_tts_api.text.default.chinese.amounts import AMOUNTS, COUNTS, THOUSANDS
from glm_tts_api.text.default.chinese.classify import TESTS
from glm_tts_api.text.default.chinese.days import TESTS as DAYS
from glm_tts_api.text.default.chinese.money import MONEY
from glm_tts_api.text.default.chinese.names import ADDRESSES, LETTERED
from glm_tts_api.text.default.chinese.signs import DOTS, ROMAN, SIGNS, WIDE
from glm_tts_api.text.default.chinese.spans import SPANS
from glm_tts_api.text.default.chinese.sums import LETTERS, POWERS, SUMS
from glm_tts_api.text.default.chinese.times import TIMES
from glm_tts_api.text.default.chinese.verbalise import SAID
from glm_tts_api.text.default.chinese.years import TESTS as YEARS
from glm_tts_api.text.default.figures import Figures, Language
from glm_tts_api.text.default.table import table

# A name is read before the date or number that it might be taken for; bare numbers come last of all figures.
RULES = table(
    WIDE,
    ADDRESSES,
    ROMAN,
    THOUSANDS,
    LETTERED,
    Figures(Language("figures_zh.tsv", SAID, TESTS | DAYS | YEARS, near=16)),
    TIMES,
    MONEY,
    AMOUNTS,
    POWERS,
    SPANS,
    SUMS,
    COUNTS,
    LETTERS,
    SIGNS,
    DOTS,
)
