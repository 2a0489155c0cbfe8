"""The default rules for Chinese, in the order in which they are applied."""

from __future__ import annotations

from glm_tts_api.text.default.chinese.amounts import COUNTS, THOUSANDS
from glm_tts_api.text.default.chinese.amounts import SAID as AMOUNTS
from glm_tts_api.text.default.chinese.amounts import TESTS as COUNTED
from glm_tts_api.text.default.chinese.classify import TESTS
from glm_tts_api.text.default.chinese.days import TESTS as DAYS
from glm_tts_api.text.default.chinese.measures import Measures
from glm_tts_api.text.default.chinese.money import Money
from glm_tts_api.text.default.chinese.names import ADDRESSES, LETTERED
from glm_tts_api.text.default.chinese.pairs import SAID as PAIRS
from glm_tts_api.text.default.chinese.pairs import TESTS as PAIRED
from glm_tts_api.text.default.chinese.signs import DOTS, ROMAN, SIGNS, WIDE
from glm_tts_api.text.default.chinese.spans import SPANS
from glm_tts_api.text.default.chinese.sums import LETTERS, POWERS, SUMS
from glm_tts_api.text.default.chinese.times import SAID as TIMES
from glm_tts_api.text.default.chinese.times import TESTS as TIMED
from glm_tts_api.text.default.chinese.trades import TRADES
from glm_tts_api.text.default.chinese.verbalise import SAID
from glm_tts_api.text.default.chinese.years import TESTS as YEARS
from glm_tts_api.text.default.data import Words
from glm_tts_api.text.default.figures import Figures, Language, by_name
from glm_tts_api.text.default.table import Rule, table


def rules(words: Words) -> list[Rule | Figures]:
    """Returns the default rules for Chinese in the order in which they are applied. `words` are the known
    units, currencies and teams. A rule for a name comes before the rule for a date or number that the name
    looks like; rules for bare numbers come last."""
    money, measures = Money(words), Measures(words)
    return table(
        TRADES,
        WIDE,
        ADDRESSES,
        ROMAN,
        THOUSANDS,
        LETTERED,
        Figures(
            Language(
                "figures_zh.tsv",
                SAID | TIMES | AMOUNTS | PAIRS | by_name(money.money) | measures.said,
                TESTS | DAYS | YEARS | TIMED | COUNTED | PAIRED | measures.tests,
                patterns=measures.patterns | money.patterns,
                near=16,
            )
        ),
        POWERS,
        SPANS,
        SUMS,
        COUNTS,
        LETTERS,
        SIGNS,
        DOTS,
    )
