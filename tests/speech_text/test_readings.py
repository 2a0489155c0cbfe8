"""The sentences of readings/ are read as a listener expects, but for those that are known not to be."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.speech_text.readings.accepted import FOLDER, compile_accepted, plain, sentences


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("去了(两|二)次", "去了两次"),
        ("one hundred (and)? five", "One hundred and five."),
        ("二零二四年", "二〇二四年"),
        ("...三比二...", "他们以三比二赢了"),
        ("全场...三比二", "全场三比一到三比二"),
    ],
)
def test_an_accepted_reading_matches(accepted: str, spoken: str) -> None:
    assert compile_accepted(accepted).match(plain(spoken))


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [("第二名", "第两名"), ("二次", "二次了"), ("...三比二", "三比二赢"), ("a (b|c)", "a")],
)
def test_another_reading_does_not_match(accepted: str, spoken: str) -> None:
    assert not compile_accepted(accepted).match(plain(spoken))


@pytest.mark.parametrize("accepted", ["(a", "a)", "a|b", "(a...b)"])
def test_brackets_that_do_not_pair_are_refused(accepted: str) -> None:
    with pytest.raises(ValueError, match="bracket"):
        compile_accepted(accepted)


def test_every_sentence_stands_once_and_has_a_pattern_that_compiles() -> None:
    every = [*sentences(), *sentences(FOLDER / "aside")]
    assert [text for text, count in Counter(one.text for one in every).items() if count > 1] == []
    for one in every:
        assert one.language in ("zh", "en", "mixed")
        compile_accepted(one.accepted)


def test_the_sentences_are_read_well_but_for_the_known_misses() -> None:
    """In the frozen table, which tests/frozen compares with what is said now."""
    known = set((FOLDER / "known_misses.txt").read_text(encoding="utf-8").splitlines())
    frozen = (FOLDER.parents[1] / "frozen/readings.txt").read_text(encoding="utf-8").splitlines()
    counts, good = Counter[str](), Counter[str]()
    missed = {}
    for one, spoken in zip(sentences(), frozen, strict=False):  # other sentences follow in the table
        counts[one.kind] += 1
        if one.is_read_well(spoken):
            good[one.kind] += 1
        else:
            missed[one.text.replace("\n", "\\n")] = (one.accepted, spoken)
    for kind, count in sorted(counts.items()):
        print(f"{good[kind]:4} of {count:4}  {kind}")
    print(f"{good.total():4} of {counts.total():4}")
    assert {text: missed[text] for text in missed.keys() - known} == {}, "read worse than before"
    assert known - missed.keys() == set(), "read well now: take them out of known_misses.txt"
