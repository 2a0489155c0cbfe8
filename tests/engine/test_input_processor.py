"""What is shown of a text is what the LLM is given for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from glm_tts_api.contracts import Voice
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.input_processor import InputProcessor
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.messages import Speak
from glm_tts_api.engine.voice_features import VoiceFeatures
from speech_text import ReadingOptions, TextFrontend
from tests.engine import tiny
from tests.speech_text.readings.accepted import sentences


class CodePoints:
    """A tokenizer from whose ids the text can be told."""

    def encode(self, text: str) -> tuple[list[int], list[str]]:
        return list(map(ord, text)), [*text]


@pytest.fixture(scope="module")
def processor(frontend: TextFrontend) -> InputProcessor:
    models = replace(tiny.tiny_models(), text_tokenizer=cast(Any, CodePoints()))
    models.llm.config = replace(models.llm.config, longest_segment=24)
    return InputProcessor(models, frontend, VoiceFeatures(models, 1), tiny.CONFIG.stream_chunks)


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> TextFrontend:
    return TextFrontend(cache_dir=tmp_path_factory.mktemp("cache"))


def segments_of(processor: InputProcessor, text: str, **options: Any) -> Sequence[Segment]:
    return processor.request(Speak(0, tiny.asked(text, **options)), EventSink()).segments


def test_the_llm_is_given_what_is_shown_for_100_texts(
    frontend: TextFrontend, processor: InputProcessor
) -> None:
    texts = [sentence.text for sentence in sentences()[::100]]
    texts += ["\n".join(texts[start::9]) for start in range(9)]  # of many segments
    assert len(texts) > 100
    for number, text in enumerate(texts):
        how = ReadingOptions(use_phoneme=bool(number % 2))
        given = ["".join(map(chr, one.ids)) for one in segments_of(processor, text, reading=how)]
        assert given == [segment.spoken for segment in frontend.read(text, how).segments], text


def test_a_text_without_words_is_read_in_the_language_of_the_voice(processor: InputProcessor) -> None:
    for transcript, said in (("你好", "三十八摄氏度。"), ("hello", "thirty eight degrees celsius.")):
        voice = Voice(tiny.voice().recording, transcript, digest=transcript)
        assert "".join(map(chr, segments_of(processor, "38°C", voice=voice)[0].ids)) == said


@pytest.mark.usefixtures("processor")
def test_the_model_says_how_long_a_segment_may_be(frontend: TextFrontend) -> None:
    text = "今天下了一天的雨，街上没有什么人，店铺都关了门，只有一只猫还在等。" * 3
    segments = [segment.text for segment in frontend.read(text).segments]
    assert segments[:2] == ["今天下了一天的雨，街上没有什么人。", "店铺都关了门，只有一只猫还在等。"]
    assert len(segments) == 6


def test_a_request_begins_with_its_pause_unless_a_mark_asks_for_another(processor: InputProcessor) -> None:
    for text, pauses in (("一。\n\n二。", [0.5, 0.8]), ("[[pause 0.3]]一。\n\n二。", [0.3, 0.8])):
        assert [segment.pause_s for segment in segments_of(processor, text, pause_s=0.5)] == pauses


def test_a_segment_knows_what_was_written_where_times_are_asked_for(
    frontend: TextFrontend, processor: InputProcessor
) -> None:
    text = "今天是5月1日。" * 12
    written = frontend.read(text).written()
    for timestamps, told in ((None, [None] * len(written)), ("segment", written)):
        assert [one.written for one in segments_of(processor, text, timestamps=timestamps)] == told
