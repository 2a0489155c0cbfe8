"""Where in the text a code belongs, and how English spelling maps to sounds."""

import numpy as np
import torch

from mini.restart import fit_factors
from mini.sentences import SentenceMaker
from mini.spelling import LetterAligner
from mini.utterances import place_in_tokens, spread
from mini.vocabulary import build


def test_letters_find_their_sounds() -> None:
    sounds = {"ship": "SIp", "shop": "S0p", "hip": "hIp", "sip": "sIp", "mash": "maS", "ham": "ham"}
    lexicon = {word: list(phonemes) for word, phonemes in sounds.items()}
    aligner = LetterAligner(lexicon)
    spans = aligner.align("ship", lexicon["ship"])
    assert [lexicon["ship"][a:b] for a, b in spans[2:]] == [["I"], ["p"]]
    assert spans[0][0] == 0
    assert spans[-1][1] == 3


def test_places_count_tokens_not_characters() -> None:
    spans = ((0, 1), (1, 5), (5, 6))
    places = place_in_tokens(np.array([0.5, 3.0, 5.5], np.float32), spans)
    assert places.tolist() == [0.0, 1.0, 2.0]
    two_for_one = spread(((0, 1), (0, 1), (1, 2)))
    assert two_for_one == ((0, 1), (1, 2), (2, 4))


def test_common_english_words_are_ids_of_their_own_and_the_rest_falls_into_pieces() -> None:
    vocabulary = build(SentenceMaker(), n_words=300, n_first=40, n_pieces=60, n_codes=4)
    assert len(vocabulary.encode("the people want this")) == 4
    assert len(vocabulary.encode("people")) > 1  # only the commonest begin a text as one id
    rare = vocabulary.encode(" tomatoes")
    assert 1 < len(rare) < len(" tomatoes")
    assert b"".join(vocabulary.ranks[i] for i in rare) == b" tomatoes"
    assert len(vocabulary.encode("你好，")) == 3


def test_factors_of_a_composed_table_are_found_again() -> None:
    generator = torch.Generator().manual_seed(0)
    factors, rows = torch.rand(200, 12, generator=generator), torch.randn(12, 8, generator=generator)
    torch.testing.assert_close(fit_factors(factors @ rows, factors, ridge=1e-6), rows, atol=1e-3, rtol=0)
