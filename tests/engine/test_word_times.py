"""When the written words of a segment are heard, by the LLM's attention on its ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glm_tts_api.contracts import SamplingOptions
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.word_times import word_times
from glm_tts_api.model.alignment import Spoken
from glm_tts_api.model.sequence import SpeechSequence
from speech_text import Written, WrittenWord
from tests.engine.test_request import LAYOUT, make_request, prompt

PIECES = ["It", " costs", " thirty", " eu", "ros", ",", " for", " now", "."]
TEXT = "It costs €30, for now."
WORDS = [
    WrittenWord(start, end, 1.0, pause=False, said=said)
    for start, end, said in [(0, 2, 0), (3, 8, 3), (9, 12, 9), (14, 17, 23), (18, 21, 27)]
]
SPOKEN = Spoken([at for at in range(9) for _ in range(10)], [1.0] * 9, 1.0, lead=0.5)
TAKE = SpeechSequence([0], 0, 0, SamplingOptions(), spoken=SPOKEN)
TIMES = [(0.0, 0.4), (0.4, 0.8), (0.8, 2.0), (2.4, 2.8), (2.8, 3.2)]


def test_a_word_lasts_from_its_first_id_to_the_next_word_or_mark() -> None:
    assert word_times(TAKE, PIECES, WORDS) == TIMES
    assert word_times(replace(TAKE, spoken=None), PIECES, WORDS) == []


@pytest.mark.parametrize(("is_plain", "times"), [(True, TIMES), (False, [])])
def test_the_server_is_told_them_but_for_a_text_in_phonemes(
    is_plain: bool, times: list[tuple[float, float]]
) -> None:
    segment = Segment([*range(9)], prompt(), pieces=PIECES, is_plain=is_plain)
    request, sink = make_request(replace(segment, written=Written(TEXT, WORDS, 0)))
    sequence = request.next_sequence(LAYOUT)
    sequence.spoken = SPOKEN
    request.take(sequence)
    assert sink.times[0] == times
