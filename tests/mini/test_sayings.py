"""The texts of the natural voice: what people say, none of it what the mini is measured with."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from mini.heldout import CHINESE, ENGLISH
from mini.sayings import Grammar, SayingMaker, prepared
from mini.sentences import Sentence
from speech_text.frontend import TextFrontend

CONFIGS = Path(__file__).parents[2] / "configs"
N = 4000


@pytest.fixture(scope="module")
def sayings() -> list[Sentence]:
    maker, rng = SayingMaker(), random.Random(5)
    return [maker.make(rng) for _ in range(N)]


def test_the_same_seed_gives_the_same_texts(sayings: list[Sentence]) -> None:
    maker, rng = SayingMaker(), random.Random(5)
    assert [maker.make(rng) for _ in range(50)] == sayings[:50]


def test_half_of_them_are_english_and_few_are_said_twice(sayings: list[Sentence]) -> None:
    assert 0.45 < Counter(s.language for s in sayings)["en"] / N < 0.55
    assert len({s.text for s in sayings}) > 0.75 * N


def test_they_hold_words_and_marks_alone(sayings: list[Sentence]) -> None:
    allowed = {"en": r"[a-z' ,.:;!?]+", "zh": "[\u4e00-\u9fff，。：、？！]+"}
    assert [s.text for s in sayings if not re.fullmatch(allowed[s.language], s.text)] == []


def test_no_held_out_sentence_is_among_them(sayings: list[Sentence]) -> None:
    held_out = {text.lower() for text in (*ENGLISH, *CHINESE)}
    kinds = [kind for grammar in SayingMaker().grammars.values() for kind in grammar.kinds.values()]
    assert not held_out & ({s.text for s in sayings} | {template for kind in kinds for template in kind})


def test_the_model_is_trained_on_them_as_the_front_end_normalises_them(
    sayings: list[Sentence], tmp_path: Path
) -> None:
    frontend = TextFrontend(CONFIGS, cache_dir=tmp_path)
    for sentence in sayings[:150]:
        assert frontend.normalize(sentence.text) == prepared(sentence)


def test_a_slot_is_not_filled_twice_alike() -> None:
    grammar = Grammar("[slots]\nfood: rice | soup\n[talk]\n{food} or {food}?")
    said = {grammar.fill("{food} or {food}?", random.Random(seed)) for seed in range(20)}
    assert said == {"rice or soup?", "soup or rice?"}


def test_an_article_fits_its_noun() -> None:
    grammar = Grammar("[slots]\nanimal: owl | fox | unicorn\n[talk]\nit was a {animal}.")
    said = {grammar.fill("it was a {animal}.", random.Random(seed)) for seed in range(30)}
    assert said == {"it was an owl.", "it was a fox.", "it was a unicorn."}
