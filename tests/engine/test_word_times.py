"""When the written words of a segment are heard, by the LLM's attention on its ids."""

from __future__ import annotations

from dataclasses import replace

from glm_tts_api.contracts import SamplingOptions
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.word_times import word_times
from glm_tts_api.model.alignment import Spoken
from glm_tts_api.model.sequence import SpeechSequence
from speech_text import Written, WrittenWord
from tests.engine.test_request import prompt

PIECES = ["It", " costs", " thirty", " eu", "ros", ",", " for", " now", "."]
WORDS = [(0, 2, 0), (3, 8, 3), (9, 12, 9), (14, 17, 23), (18, 21, 27)]  # It costs €30, for now.
WRITTEN = Written(
    "It costs €30, for now.", [WrittenWord(start, end, 1.0, False, said) for start, end, said in WORDS], 0
)
SEGMENT = Segment([*range(9)], prompt(), pieces=PIECES, written=WRITTEN)
TAKE = SpeechSequence([0], 0, 0, SamplingOptions())
TAKE.spoken = Spoken([at for at in range(9) for _ in range(10)], [1.0] * 9, 1.0, lead=0.5)


def test_a_word_lasts_from_its_first_id_to_the_next_word_or_mark() -> None:
    assert word_times(TAKE, SEGMENT) == [(0.0, 0.4), (0.4, 0.8), (0.8, 2.0), (2.4, 2.8), (2.8, 3.2)]


def test_without_attention_or_in_phonemes_the_times_are_not_known() -> None:
    assert word_times(replace(TAKE, spoken=None), SEGMENT) == []
    assert word_times(TAKE, replace(SEGMENT, is_plain=False)) == []
    assert word_times(TAKE, replace(SEGMENT, written=None)) == []
