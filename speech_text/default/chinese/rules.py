"""The default rules for Chinese, in the order in which they are applied."""

from __future__ import annotations

from speech_text.default.chinese.classify import TESTS
from speech_text.default.chinese.days import TESTS as DAYS
from speech_text.default.chinese.measures import Measures
from speech_text.default.chinese.money import Money
from speech_text.default.chinese.signs import CHINESE
from speech_text.default.chinese.verbalise import SAID
from speech_text.default.data import Words
from speech_text.default.number_tagger import Language, NumberTagger, by_name
from speech_text.default.table import Rules, table
from speech_text.default.tokens import token_rules


def rules(words: Words) -> Rules:
    """Returns the default rules for Chinese in the order in which they are applied. `words` are the known
    units, currencies and teams. A rule for a name comes before the rule for a date or number that the name
    looks like; rules for bare numbers come last."""
    money, measures = Money(words), Measures(words)
    signs = CHINESE._replace(
        patterns={**measures.patterns, **CHINESE.patterns},
        functions={**CHINESE.functions, **by_name(measures.unit_of_power)},
    )
    return table(
        token_rules("tokens_zh.tsv", CHINESE),
        NumberTagger(
            Language(
                "figures_zh.tsv",
                SAID | by_name(money.money) | measures.said,
                TESTS | DAYS | measures.tests,
                patterns=measures.patterns | money.patterns,
                near=16,
            )
        ),
        token_rules("signs_zh.tsv", signs),
    )
