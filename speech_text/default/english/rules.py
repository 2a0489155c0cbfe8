"""The default rules for English, in the order in which they are applied."""

from __future__ import annotations

import re

from speech_text.default.data import Words
from speech_text.default.english import dates
from speech_text.default.english.classify import PATTERNS, TESTS
from speech_text.default.english.measures import Measures, number
from speech_text.default.english.money import Money
from speech_text.default.english.stops import ending
from speech_text.default.english.tokens import ENGLISH
from speech_text.default.english.verbalise import SAID
from speech_text.default.number_tagger import Language, NumberTagger
from speech_text.default.table import Rules, table
from speech_text.default.tokens import token_rules
from speech_text.english import number_words

_LEFT_OVER = {"-": " ", "²": " squared ", "³": " cubed ", "…": ". "}


def rules(words: Words) -> Rules:
    """Returns the default rules for English in the order in which they are applied. `words` are the known
    units, currencies and teams. Rules for dates come before those for telephone numbers of the same shape.
    Rules for bare numbers come after all other rules for numbers."""
    money, measures = Money(words), Measures(words)
    return table(
        token_rules("tokens_en.tsv", ENGLISH),
        NumberTagger(
            Language(
                "figures_en.tsv",
                SAID | dates.SAID | money.said | measures.said,
                TESTS | dates.TESTS | measures.tests | money.tests,
                patterns={**ENGLISH.patterns} | measures.patterns | money.patterns | PATTERNS,
                near=40,
                ending=ending,
                number=number,
            )
        ),
        token_rules("signs_en.tsv", ENGLISH),
        [  # for signs and digits of no other rule; these changes are of no kind
            (None, re.compile(r"\d+"), lambda run: f" {number_words(run[0])} "),
            *((None, sign, said) for sign, said in _LEFT_OVER.items()),
            (None, re.compile(r"(?:(?<!\s)\s+)?([.,!?:;])\s*"), r"\1 "),
        ],
    )
