"""Where in the text a code belongs, and how English spelling maps to sounds."""

import numpy as np

from mini.spelling import LetterAligner


def test_letters_find_their_sounds() -> None:
    lexicon = {
        "ship": ["S", "I", "p"],
        "shop": ["S", "0", "p"],
        "hip": ["h", "I", "p"],
        "sip": ["s", "I", "p"],
        "mash": ["m", "a", "S"],
        "ham": ["h", "a", "m"],
    }
    aligner = LetterAligner(lexicon)
    spans = aligner.align("ship", lexicon["ship"])
    assert [lexicon["ship"][a:b] for a, b in spans[2:]] == [["I"], ["p"]]
    assert spans[0][0] == 0
    assert spans[-1][1] == 3


def test_every_sound_is_given_to_a_letter() -> None:
    aligner = LetterAligner({"ab": ["a", "b"]})
    assert aligner.align("a", ["a", "b", "c", "d"])[-1][1] == 4


def test_places_count_tokens_not_characters() -> None:
    from mini.utterances import place_in_tokens, spread

    spans = ((0, 1), (1, 5), (5, 6))
    places = place_in_tokens(np.array([0.5, 3.0, 5.5], np.float32), spans)
    assert places.tolist() == [0.0, 1.0, 2.0]
    two_for_one = spread(((0, 1), (0, 1), (1, 2)))
    assert two_for_one == ((0, 1), (1, 2), (2, 4))


def test_merges_join_the_heaviest_pair_first() -> None:
    from mini.vocabulary import train_merges

    assert train_merges({b" the": 5.0, b" then": 2.0, b"hat": 1.0}, 3)[0] in (b"th", b"he", b" t")
    assert b" the" in train_merges({b" the": 5.0, b" then": 2.0}, 3)


def test_common_english_words_are_ids_of_their_own_and_the_rest_falls_into_pieces() -> None:
    from mini.sentences import SentenceMaker
    from mini.vocabulary import build

    vocabulary = build(SentenceMaker(), n_words=300, n_first=40, n_pieces=60, n_codes=4)
    assert len(vocabulary.encode("the people want this")) == 4
    assert len(vocabulary.encode("people")) > 1  # only the commonest begin a text as one id
    rare = vocabulary.encode(" tomatoes")
    assert 1 < len(rare) < len(" tomatoes")
    assert b"".join(vocabulary.ranks[i] for i in rare) == b" tomatoes"
    assert len(vocabulary.encode("你好，")) == 3


def test_factors_of_a_composed_table_are_found_again() -> None:
    import torch

    from mini.restart import fit_factors

    generator = torch.Generator().manual_seed(0)
    factors, rows = torch.rand(200, 12, generator=generator), torch.randn(12, 8, generator=generator)
    torch.testing.assert_close(fit_factors(factors @ rows, factors, ridge=1e-6), rows, atol=1e-3, rtol=0)
