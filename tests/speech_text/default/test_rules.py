"""The default rules against the published ones, as docs/text.md promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from speech_text import TextFrontend
from speech_text.default.characters import clean
from speech_text.default.chinese import rules as chinese_rules
from speech_text.default.data import Words
from speech_text.default.english import rules as english_rules
from speech_text.default.table import Rule
from speech_text.places import Placed
from tests.speech_text.readings.accepted import sentences

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "text.md"


def documented_deviations() -> list[tuple[str, str, str]]:
    rows = []
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) == 6 and re.fullmatch("`.*`", cells[2]):
            rows.append((cells[2].strip("`").replace("⏎", "\n"), cells[3], cells[4]))
    return rows


def test_a_name_that_begins_like_a_numeral_is_a_name(frontend: TextFrontend) -> None:
    """John L... is no king of a number."""
    assert frontend.normalize("John Lennon was born in 1940.") == "john lennon was born in nineteen forty."
    assert frontend.normalize("George C. Scott won in 1971.").startswith("george c scott won in")


def test_the_document_lists_deviations() -> None:
    assert len(documented_deviations()) > 60


@pytest.mark.parametrize(("text", "before", "after"), documented_deviations())
def test_each_documented_deviation(
    frontend: TextFrontend, published: TextFrontend, text: str, before: str, after: str
) -> None:
    assert before != after
    assert published.normalize(text) == before
    assert frontend.normalize(text) == after


@pytest.mark.parametrize("text", [row[0] for row in documented_deviations()])
def test_normalising_a_normalised_text_changes_nothing(frontend: TextFrontend, text: str) -> None:
    once = frontend.normalize(text)
    assert frontend.normalize(once) == once


FULLY_READ = {
    "Revenue grew QoQ.": "revenue grew quarter over quarter.",
    "We live in Gary, Ind.": "we live in gary, indiana.",
    "See you in Feb.": "see you in february.",
    "You pay twice each mo.": "you pay twice each month.",
    "It costs two per gal.": "it costs two per gallon.",
    "She has the second ed.": "she has the second edition.",
    "William Bonney, aka Billy.": "william bonney, a k a billy.",
    "It is two hundred km.": "it is two hundred kilometers.",
    "They like Part L.": "they like part l.",
    "The foot xylophone is loud.": "the foot xylophone is loud.",
}


@pytest.mark.parametrize(("text", "spoken"), FULLY_READ.items())
def test_a_sentence_without_a_digit_is_read_as_beside_a_number(
    frontend: TextFrontend, text: str, spoken: str
) -> None:
    assert frontend.normalize(text) == spoken
    assert frontend.normalize(f"There were 5. {text}").endswith(spoken)


def test_a_rule_that_is_left_out_of_a_text_finds_nothing_in_it() -> None:
    texts = [clean(Placed.written(sentence.text)).text for sentence in sentences()[::24]]
    for rule in (*chinese_rules.rules(Words()), *english_rules.rules(Words())):
        if isinstance(rule, Rule):
            without = [text for text in texts if any(chars.isdisjoint(text) for chars in rule.needs)]
            assert not any(map(rule.pattern.search, without)), rule
