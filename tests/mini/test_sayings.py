"""The texts of the natural voice: what people say, none of it what the mini is measured with."""

import random
import re
from pathlib import Path

import pytest

from mini.heldout import CHINESE, ENGLISH
from mini.sayings import Grammar, SayingMaker, prepared
from mini.sentences import Sentence
from speech_text import TextFrontend

CONFIGS = Path(__file__).parents[2] / "configs"
N = 4000


@pytest.fixture(scope="module")
def sayings() -> list[Sentence]:
    maker, rng = SayingMaker(), random.Random(5)
    return [maker.make(rng) for _ in range(N)]


def test_the_same_seed_gives_the_same_texts_and_few_twice(sayings: list[Sentence]) -> None:
    maker, rng = SayingMaker(), random.Random(5)
    assert [maker.make(rng) for _ in range(50)] == sayings[:50]
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
    frontend = TextFrontend(cache_dir=tmp_path)
    for sentence in sayings[:150]:
        assert frontend.normalize(sentence.text) == prepared(sentence)


@pytest.mark.parametrize(
    ("slot", "template", "said"),
    [
        ("rice | soup", "{it} or {it}?", {"rice or soup?", "soup or rice?"}),
        (
            "owl | fox | unicorn",
            "it was a {it}.",
            {f"it was {it}." for it in ("an owl", "a fox", "a unicorn")},
        ),
    ],
)
def test_a_slot_is_not_filled_twice_alike_and_an_article_fits(
    slot: str, template: str, said: set[str]
) -> None:
    grammar = Grammar(f"[slots]\nit: {slot}\n[talk]\n{template}")
    assert {grammar.fill(template, random.Random(seed)) for seed in range(30)} == said
