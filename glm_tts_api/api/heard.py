"""When each segment, sentence and word of an answer is heard, and what a recogniser heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.fields import described
from glm_tts_api.contracts import Timestamps, Timings, Verdict
from glm_tts_api.http.body import Body
from glm_tts_api.longform.subtitles import Subtitle, TimedText, subtitle_file
from glm_tts_api.speech.times import SegmentTimes, Timed

TimestampsField = Annotated[
    Timestamps | None,
    described(
        "Gives the time of each segment; sentence: also of its sentences; word: also of its words. The times "
        "are in JSON and in events (stream_format=sse). For other answers, GET "
        "/api/v1/audio/{request_id}/timestamps has them.",
        "sentence",
        default=None,
    ),
]
SubtitleField = Annotated[
    Subtitle | None,
    described(
        "Adds subtitles of the text as it was written to a JSON answer. For other answers, GET "
        "/api/v1/audio/{request_id}/subtitles.srt or .vtt has them.",
        "srt",
        default=None,
    ),
]


class TimedPiece(BaseModel):
    """A sentence or a word, and when it is heard."""

    text: str = described("The text as it was written.", "你好，")
    start: float = described("When it begins, in seconds from the beginning of the audio.", 0.12)
    end: float = Field(examples=[0.61])
    estimated: bool = described(
        "true: the times are not exact to the sample. docs/api.md says how exact they are.", True
    )


class TimedSegment(BaseModel):
    """A segment of the answer, and when it is heard. The segment's own times are exact."""

    segment: int = described("The number of the segment, from 0.", 0)
    text: str = described("The text as it was written.", "你好，世界。")
    start: float = described("When it begins, in seconds from the beginning of the audio.", 0.0)
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
    if segment.sentences and level != "segment":
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
    sentences = ((it.words, sentence) for it in times for sentence in it.sentences or (it.whole,))
    return subtitle_file((piece for words, sentence in sentences for piece in _within(sentence, words)), kind)


def _within(sentence: Timed, of_segment: Sequence[Timed]) -> Iterator[TimedText]:
    """Yields the timed words of a sentence, each with the punctuation after it, or the whole sentence if the
    words have no times. Each word gets the paragraph number of its sentence."""
    words = [word for word in of_segment if sentence.start_s <= word.start_s < sentence.end_s]
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
    ends = (*places[1:], len(sentence.text))
    for word, start, end in zip(words, places, ends, strict=True):
        yield TimedText(sentence.text[start:end], word.start_s, word.end_s, sentence.paragraph)


VerifyField = Annotated[
    bool,
    described(
        "true: a recogniser hears each segment and compares it with its text. A segment with other words is "
        "spoken again, at most twice; in a stream it is only reported. Needs the extra asr and "
        "ASR_MODEL_DIR.",
        False,
        default=False,
    ),
]


class _Address(BaseModel):
    verify: VerifyField


class VerifiedSegment(BaseModel):
    """The words that a recogniser heard in a segment, and its verdict."""

    segment: int = described("The number of the segment, from 0.", 0)
    verdict: Verdict = described(
        "ok: the words are right. drift: other words were heard. inconclusive: the recogniser is not sure.",
        "ok",
    )
    said: str = described("The text that the segment should say, in words.", "你好，世界。")
    heard: str = described("The words that the recogniser heard.", "你好世界")
    respoken: int = described("How often the segment was spoken again.", 0)


def is_verified(request: HTTPConnection, state: AppState, sent: bool) -> bool:
    """Whether a recogniser is to hear the answer: verify=true is in the body (`sent`), or in the request's
    query string, for users who can change only the URL. Raises InvalidField if the server has no recogniser,
    or verify is neither true nor false in the query string."""
    given = request.query_params.get("verify")
    verify = sent or (bool(given) and Body({"verify": given}, {}).parse(_Address)[0].verify)
    if verify:
        state.speech.recogniser.require("verify", "verify=true")
    return verify


def misspoken(timings: Timings) -> list[str]:
    """Returns a sentence for each fault that a segment still has, which names the words, and one if there
    were several takes of the answer."""
    faults = [(segment, *each) for segment, found in sorted(timings.faults.items()) for each in found.items()]
    told = [f"Segment {segment} may be misspoken ({fault}): '{words}'." for segment, fault, words in faults]
    if timings.takes > 1:
        told.append(f"Of {timings.takes} takes, the one closest to the duration was chosen.")
    return told


def doubts(timings: Timings) -> Iterator[str]:
    """Yields a sentence for each fault, and for each segment whose verdict is not ok."""
    yield from misspoken(timings)
    for segment, each in sorted(timings.verified.items()):
        if each.verdict != "ok":
            yield f"Segment {segment} ({each.verdict}): '{each.said}' was heard as '{each.heard}'."
