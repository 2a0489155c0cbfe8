"""The field by which requests ask for a recogniser's verdicts on the speech, and the verdicts in answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from glm_tts_api.api.app_state import AppState
from glm_tts_api.contracts import Timings, Verdict
from glm_tts_api.http.body import Body

VerifyField = Annotated[
    bool,
    Field(
        default=False,
        description="true: a recogniser hears each segment and compares it with its text. A segment with "
        "other words is spoken again, at most twice; in a stream it is only reported. Needs "
        "the extra asr and ASR_MODEL_DIR.",
        examples=[False],
    ),
]


class _Address(BaseModel):
    verify: VerifyField


class VerifiedSegment(BaseModel):
    """The words that a recogniser heard in a segment, and its verdict."""

    segment: int = Field(description="The number of the segment, from 0.", examples=[0])
    verdict: Verdict = Field(
        description="ok: the words are right. drift: other words were heard. inconclusive: the recogniser "
        "is not sure.",
        examples=["ok"],
    )
    said: str = Field(
        description="The text that the segment should say, in words.", examples=["你好，世界。"]
    )
    heard: str = Field(description="The words that the recogniser heard.", examples=["你好世界"])
    respoken: int = Field(description="How often the segment was spoken again.", examples=[0])


def require_recogniser(verify: bool, state: AppState) -> None:
    """Raises InvalidField if `verify` is true and the server has no recogniser."""
    if verify:
        state.speech.recogniser.require("verify", "verify=true")


def in_address(request: HTTPConnection) -> bool:
    """Whether the request's query string has verify=true. A client sends it there if its users can change
    only the URL. Raises InvalidField if verify is neither true nor false there."""
    sent = request.query_params.get("verify")
    return bool(sent) and Body({"verify": sent}, {}).parse(_Address)[0].verify


def verdict_headers(timings: Timings) -> dict[str, str]:
    return {} if timings.worst is None else {"X-Verified": timings.worst.verdict}


def doubts(timings: Timings) -> Iterator[str]:
    """Yields a sentence for each segment whose verdict is not ok."""
    for segment, each in sorted(timings.verified.items()):
        if each.verdict != "ok":
            yield f"Segment {segment} ({each.verdict}): '{each.said}' was heard as '{each.heard}'."
