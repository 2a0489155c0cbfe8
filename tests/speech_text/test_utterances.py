"""Where a block of a text is cut, so that each part is about one segment."""

from __future__ import annotations

from speech_text import utterances


def test_a_block_is_cut_between_sentences_and_is_whole() -> None:
    sentence = "春天来了，江南的花都开了，人们走出家门去看花。"
    pieces = list(utterances(sentence * 20))
    assert "".join(pieces) == sentence * 20
    assert all(piece.endswith("。") for piece in pieces)
    assert {len(piece) for piece in pieces} == {2 * len(sentence)}, "one alone is short for the model"


def test_a_long_sentence_is_not_cut_behind_the_full_stop_of_a_title() -> None:
    sentence = "Between the two ends there were about fifty good notes, and fifty notes, as Dr. Whitcombe "
    sentence += "had once told Nora on the ferry, are enough for nearly everything that people want to say."
    pieces = list(utterances(f"The top of it was hopeless {sentence}"))
    assert len(pieces) == 2
    assert not pieces[0].endswith("Dr.")


def test_a_long_text_without_a_mark_is_cut_in_a_time_that_grows_with_its_length() -> None:
    pieces = list(utterances("春" * 200_000))
    assert "".join(pieces) == "春" * 200_000
    assert max(map(len, pieces)) <= 180
