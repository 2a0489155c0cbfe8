"""The default rules against the published ones, as docs/text.md promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech_text import TextFrontend
from speech_text.cut.pieces import unwatched
from speech_text.default.chinese import rules as chinese_rules
from speech_text.default.data import Words
from speech_text.default.english import rules as english_rules
from speech_text.default.number_tagger import groups
from speech_text.default.rules import DefaultRules, is_plain_chinese, is_plain_english
from speech_text.default.table import Rule, apply_rules
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


LIKELY = """no. etc. vs. st. dr. approx. fig. i.e. e.g. a.m. u.s. foot feet noon o'clock half past to of
by and point dollars page chapter monday jan. may example.com www.a .net main.py it's 'a' don.
Jan. Sept. to Mar revenue grew QoQ in Gary, Ind. Miss. each mo. per gal. lb. oz. second ed.
Bb major aka hundred km Part L
零 一 二 两 十 百 千 万 亿 半 多 年 月 日 号 点 分 秒 元 块 度 比 分之 第 至 到 个 楼 路 负 周 验证码"""

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


def test_no_reading_changes_where_the_rules_are_applied_to_plain_sentences_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = DefaultRules()
    plain = [*FULLY_READ, *(one.text for one in sentences() if not re.search(r"\d", one.text))]
    texts = [rules.fold(Placed.written(text)) for text in plain]
    as_used = [rules.speak(text, ()).text for text in texts]
    for name in ("is_plain_chinese", "is_plain_english"):
        monkeypatch.setattr(f"speech_text.default.rules.{name}", lambda _: False)
    assert as_used == [rules.speak(text, ()).text for text in texts]


IN_CHINESE, IN_ENGLISH = chinese_rules.rules(Words()), english_rules.rules(Words())


@given(st.lists(st.sampled_from([*LIKELY.split(), *"abkm.,?:;'，。？ 行"])), st.sampled_from(["", " "]))
def test_the_rules_find_nothing_in_a_sentence_that_is_left_out_as_plain(
    words: list[str], between: str
) -> None:
    text = between.join(words)
    if is_plain_chinese(text):
        assert apply_rules(IN_CHINESE, Placed.written(text), unwatched).text == text
    if is_plain_english(text):
        assert apply_rules(IN_ENGLISH, Placed.written(text), unwatched).text == text


NEIGHBORS = ("We saw {}.", "the second {}.", "Gary, {}.", "per {} now", "in {}, one", "two hundred {}.")


def test_the_rules_find_none_of_their_words_in_a_sentence_that_is_left_out_as_plain() -> None:
    patterns = [rule.pattern.pattern for rule in IN_ENGLISH if isinstance(rule, Rule)]
    words = {word for pattern in patterns for word in re.findall("[A-Za-z]{2,12}", pattern)}
    assert words > {"oz", "Ind", "mtg", "hundred"}
    texts = [form.format(word) for form in NEIGHBORS for word in words]
    plain = filter(is_plain_english, texts)
    assert [
        text
        for text in plain
        if apply_rules(IN_ENGLISH, Placed.written(text), unwatched).text.lower() != text.lower()
    ] == []


def test_a_telephone_number_is_said_in_groups() -> None:
    assert groups("13812345678") == ["138", "1234", "5678"]
    assert groups("4006279152转8") == ["400", "627", "9152", "8"]


def test_the_kind_of_a_class_is_shown(frontend: TextFrontend) -> None:
    reading = frontend.read("请拨打138-1234-5678")
    assert [change.rule for change in reading.changes] == ["telephone"]
