"""What is shown of a text is what the LLM is given for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from glm_tts_api.contracts import Timings
from glm_tts_api.engine.input_processor import InputProcessor
from glm_tts_api.engine.voice_features import VoiceFeatures
from speech_text import ReadingOptions, TextFrontend
from tests.engine import tiny
from tests.speech_text.readings.accepted import sentences

CONFIGS = Path(__file__).parents[2] / "configs"


class CodePoints:
    """A tokenizer from whose ids the text can be told."""

    def encode(self, text: str) -> list[int]:
        return list(map(ord, text))


class Listener:
    closed = full = False
    timings = Timings()


def test_the_llm_is_given_what_is_shown_for_200_texts(tmp_path: Path) -> None:
    models = replace(tiny.tiny_models(), text_tokenizer=cast(Any, CodePoints()))
    frontend = TextFrontend(cache_dir=tmp_path)
    processor = InputProcessor(models, frontend, VoiceFeatures(models, 1), tiny.CONFIG.stream_chunks)
    texts = [sentence.text for sentence in sentences()[::5]]
    texts += ["\n".join(texts[start::9]) for start in range(9)]  # of many segments
    assert len(texts) > 200
    for number, text in enumerate(texts):
        how = ReadingOptions(use_phoneme=bool(number % 2))
        shown = frontend.read(text, how)
        asked = tiny.asked(text, reading=how)
        request = processor.request(asked, cast(Any, Listener()))
        given = ["".join(map(chr, segment.ids)) for segment in request.segments]
        assert given == [segment.spoken for segment in shown.segments], text


def test_the_model_says_how_long_a_segment_may_be(tmp_path: Path) -> None:
    models, frontend = tiny.tiny_models(), TextFrontend(cache_dir=tmp_path)
    models.llm.config = replace(models.llm.config, longest_segment=24)
    InputProcessor(models, frontend, VoiceFeatures(models, 1), tiny.CONFIG.stream_chunks)
    text = "今天下了一天的雨，街上没有什么人，店铺都关了门，只有一只猫还在等。" * 3
    segments = [segment.text for segment in frontend.read(text).segments]
    assert segments[:2] == ["今天下了一天的雨，街上没有什么人。", "店铺都关了门，只有一只猫还在等。"]
    assert len(segments) == 6


def test_a_request_begins_with_its_pause_unless_a_mark_asks_for_another(tmp_path: Path) -> None:
    models = replace(tiny.tiny_models(), text_tokenizer=cast(Any, CodePoints()))
    frontend = TextFrontend(cache_dir=tmp_path)
    processor = InputProcessor(models, frontend, VoiceFeatures(models, 1), tiny.CONFIG.stream_chunks)
    for text, pauses in (("一。\n\n二。", [0.5, 0.8]), ("[[pause 0.3]]一。\n\n二。", [0.3, 0.8])):
        request = processor.request(tiny.asked(text, pause_s=0.5), cast(Any, Listener()))
        assert [segment.pause_s for segment in request.segments] == pauses


def test_a_segment_knows_what_was_written_where_times_are_asked_for(tmp_path: Path) -> None:
    models = replace(tiny.tiny_models(), text_tokenizer=cast(Any, CodePoints()))
    frontend = TextFrontend(cache_dir=tmp_path)
    processor = InputProcessor(models, frontend, VoiceFeatures(models, 1), tiny.CONFIG.stream_chunks)
    text = "今天是5月1日。" * 12
    written = frontend.read(text).written()
    for timestamps, told in ((None, [None] * len(written)), ("segment", written)):
        request = processor.request(tiny.asked(text, timestamps=timestamps), cast(Any, Listener()))
        assert [segment.written for segment in request.segments] == told
