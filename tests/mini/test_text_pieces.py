"""Where in the text a code belongs, and how English spelling maps to sounds."""

import numpy as np

from scripts.mini.spelling import LetterAligner


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
    from scripts.mini.utterances import place_in_tokens, spread

    spans = ((0, 1), (1, 5), (5, 6))
    places = place_in_tokens(np.array([0.5, 3.0, 5.5], np.float32), spans)
    assert places.tolist() == [0.0, 1.0, 2.0]
    two_for_one = spread(((0, 1), (0, 1), (1, 2)))
    assert two_for_one == ((0, 1), (1, 2), (2, 4))


def test_merges_join_the_heaviest_pair_first() -> None:
    from scripts.mini.vocabulary import train_merges

    assert train_merges({b" the": 5.0, b" then": 2.0, b"hat": 1.0}, 3)[0] in (b"th", b"he", b" t")
    assert b" the" in train_merges({b" the": 5.0, b" then": 2.0}, 3)
