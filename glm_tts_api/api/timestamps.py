"""The times of segments, sentences and words, and subtitles, in the form in which answers have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field

from glm_tts_api.contracts import Timestamps
from glm_tts_api.longform.subtitles import Subtitle, TimedText, subtitle_file
from glm_tts_api.speech.times import SegmentTimes, Timed

TimestampsField = Annotated[
    Timestamps | None,
    Field(
        default=None,
        description="Gives the time of each segment; sentence: also of its sentences; word: also of its "
        "words. The times are in JSON and in events (stream_format=sse). For other answers, "
        "GET /api/v1/audio/{request_id}/timestamps has them.",
        examples=["sentence"],
    ),
]
SubtitleField = Annotated[
    Subtitle | None,
    Field(
        default=None,
        description="Adds subtitles of the text as it was written to a JSON answer. For other answers, "
        "GET /api/v1/audio/{request_id}/subtitles.srt or .vtt has them.",
        examples=["srt"],
    ),
]


class TimedPiece(BaseModel):
    """A sentence or a word, and when it is heard."""

    text: str = Field(description="The text as it was written.", examples=["你好，"])
    start: float = Field(
        description="When it begins, in seconds from the beginning of the audio.", examples=[0.12]
    )
    end: float = Field(examples=[0.61])
    estimated: bool = Field(
        description="true: the times are estimated from the sound. docs/api.md says how exact they are.",
        examples=[True],
    )


class TimedSegment(BaseModel):
    """A segment of the answer, and when it is heard. The segment's own times are exact."""

    segment: int = Field(description="The number of the segment, from 0.", examples=[0])
    text: str = Field(description="The text as it was written.", examples=["你好，世界。"])
    start: float = Field(
        description="When it begins, in seconds from the beginning of the audio.", examples=[0.0]
    )
    end: float = Field(examples=[1.36])
    sentences: list[TimedPiece] = Field(
        default=[], description="The sentences, with timestamps=sentence or word."
    )
    words: list[TimedPiece] = Field(
        default=[],
        description="With timestamps=word: words, Hanzi and figures, without the punctuation around them.",
    )


def times_body(segment: SegmentTimes, level: Timestamps = "word") -> dict[str, Any]:
    """Returns the fields of TimedSegment for `segment`. `level` is the smallest unit whose times are
    included: segment, sentence or word."""
    body = {"segment": segment.number, **_piece(segment.whole)}
    del body["estimated"]
    levels = get_args(Timestamps)
    if segment.sentences and levels.index(level) >= levels.index("sentence"):
        body["sentences"] = [*map(_piece, segment.sentences)]
    if segment.words and level == "word":
        body["words"] = [*map(_piece, segment.words)]
    return body


def _piece(timed: Timed) -> dict[str, Any]:
    return {
        "text": timed.text,
        "start": round(timed.start_s, 6),
        "end": round(timed.end_s, 6),
        "estimated": timed.estimated,
    }


def subtitles(times: Iterable[SegmentTimes], kind: Subtitle) -> str:
    """Makes a subtitle file of the format `kind`, with the text as it was written. `times` are the times of
    the text's segments."""
    return subtitle_file((piece for segment in times for piece in _pieces(segment)), kind)


def _pieces(segment: SegmentTimes) -> Iterator[TimedText]:
    """Yields the timed words of a segment, each with the punctuation after it, or its timed sentences if
    words have no times. Each word gets the paragraph number of its sentence."""
    words = list(segment.words)
    for sentence in segment.sentences or (segment.whole,):
        mine = [word for word in words if sentence.start_s <= word.start_s < sentence.end_s]
        yield from _within(sentence, mine)


def _within(sentence: Timed, words: Sequence[Timed]) -> Iterator[TimedText]:
    places, at = [], 0
    for word in words:
        found = sentence.text.find(word.text, at)
        if found < 0:
            break
        places.append(found)
        at = found + len(word.text)
    if len(places) < max(1, len(words)):
        yield TimedText(sentence.text, sentence.start_s, sentence.end_s, sentence.paragraph)
        return
    places[0] = 0
    for number, (word, start) in enumerate(zip(words, places, strict=True)):
        end = places[number + 1] if number + 1 < len(places) else len(sentence.text)
        yield TimedText(sentence.text[start:end], word.start_s, word.end_s, sentence.paragraph)
