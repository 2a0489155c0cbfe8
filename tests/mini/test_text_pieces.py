"""Where in the text a code belongs, and how English spelling maps to sounds."""

import numpy as np
import torch

from mini.restart import fit_factors
from mini.spelling import LetterAligner
from mini.utterances import place_in_tokens, spread


def test_letters_find_their_sounds() -> None:
    sounds = {"ship": "SIp", "shop": "S0p", "hip": "hIp", "sip": "sIp", "mash": "maS", "ham": "ham"}
    lexicon = {word: list(phonemes) for word, phonemes in sounds.items()}
    spans = LetterAligner(lexicon).align("ship", lexicon["ship"])
    assert [lexicon["ship"][a:b] for a, b in spans[2:]] == [["I"], ["p"]]
    assert (spans[0][0], spans[-1][1]) == (0, 3)


def test_places_count_tokens_not_characters() -> None:
    places = place_in_tokens(np.array([0.5, 3.0, 5.5], np.float32), [(0, 1), (1, 5), (5, 6)])
    assert places.tolist() == [0.0, 1.0, 2.0]
    assert spread([(0, 1), (0, 1), (1, 2)]) == [(0, 1), (1, 2), (2, 4)]  # two tokens for one character


def test_factors_of_a_composed_table_are_found_again() -> None:
    generator = torch.Generator().manual_seed(0)
    factors, rows = torch.rand(200, 12, generator=generator), torch.randn(12, 8, generator=generator)
    torch.testing.assert_close(fit_factors(factors @ rows, factors, ridge=1e-6), rows, atol=1e-3, rtol=0)
