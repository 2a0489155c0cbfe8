"""When segments and sentences are heard: to the sample, whatever their speeds and pauses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glm_tts_api.contracts import AudioChunk, SpeechRequest, Timestamps, UploadedVoice
from glm_tts_api.speech.encoding import encode_whole
from glm_tts_api.speech.times import SegmentTimes
from speech_text import Written, WrittenWord

RATE = 24000
TEXT = "早。你好。\n再见！"
WORDS = [WrittenWord(at, at + 1, 1.0, char in "早好见") for at, char in enumerate(TEXT) if char.isalpha()]


def chunk(seconds: float, segment: int = 0, *, last: bool = True, speed: float | None = 1.0) -> AudioChunk:
    tone = np.sin(np.arange(round(seconds * RATE)) / 10).astype(np.float32)
    return AudioChunk(tone, RATE, segment, last, speed, written=Written(TEXT, WORDS, 3))


def times(
    *chunks: AudioChunk, level: Timestamps | None = "segment", speed: float = 1.0
) -> list[SegmentTimes]:
    voice = UploadedVoice(bytes, "")
    asked = SpeechRequest("id", TEXT, voice, audio_format="pcm", timestamps=level, speed=speed)
    speech = encode_whole(list(chunks), asked)
    assert len(speech.audio) / 2 / RATE == speech.seconds
    return list(speech.times)


def test_a_pause_lies_between_segments_and_belongs_to_none() -> None:
    pause = chunk(0.25, 1, last=False, speed=None)
    first, second = times(chunk(0.5, last=False), chunk(0.5), pause, chunk(1.0, 1), chunk(0.3, 1, speed=None))
    assert (first.whole.start_s, first.whole.end_s) == (0.0, 1.0)
    assert (second.number, second.whole.start_s, second.whole.end_s) == (1, 1.25, 2.25)
    assert (first.whole.text, first.whole.paragraph, first.sentences, first.words) == (TEXT, 3, (), ())


def test_at_other_speeds_a_segment_is_as_much_shorter_and_a_pause_stays() -> None:
    pause = chunk(0.5, 1, last=False, speed=None)
    first, second = times(chunk(1.0), pause, chunk(1.0, 1, speed=0.5), speed=2.0)
    assert (first.whole.start_s, first.whole.end_s) == (0.0, 0.5)
    assert (second.whole.start_s, second.whole.end_s) == (1.0, 2.0)


def test_sentences_fill_their_segment_and_say_what_is_estimated() -> None:
    (segment,) = times(chunk(1.0), level="word")
    assert [(one.text, one.estimated, one.paragraph) for one in segment.sentences] == [
        ("早。", True, 3),
        ("你好。", True, 3),
        ("再见！", True, 4),
    ]
    assert (segment.sentences[0].start_s, segment.sentences[-1].end_s) == (0.0, 1.0)
    edges = [at for one in segment.sentences for at in (one.start_s, one.end_s)]
    assert edges == sorted(edges)
    assert [one.text for one in segment.words] == list("早你好再见")
    assert all(one.estimated for one in segment.words)


def test_a_segment_that_is_one_sentence_is_exact() -> None:
    whole = AudioChunk(chunk(1.0).pcm, RATE, 0, written=Written("你好。", WORDS[:2], 0))
    (segment,) = times(whole, level="sentence")
    ((only,), words) = segment.sentences, segment.words
    assert (only.text, only.start_s, only.end_s, only.estimated, words) == ("你好。", 0.0, 1.0, False, ())


def test_words_are_heard_when_the_engine_says_at_the_speed_of_the_answer() -> None:
    said = [(0.25 * at, 0.25 * at + 0.125) for at in range(len(WORDS))]
    _, segment = times(chunk(0.5), replace(chunk(1.5, 1), times=said), level="word", speed=2.0)
    assert [(one.start_s, one.end_s) for one in segment.words] == [
        (0.25 + start / 2, 0.25 + end / 2) for start, end in said
    ]
