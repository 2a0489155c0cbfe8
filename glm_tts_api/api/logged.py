"""A speech request's log, from the route that begins it to the middleware that writes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect

from glm_tts_api.errors import ClientGone
from glm_tts_api.http.middleware import LOG
from glm_tts_api.speech.request_log import RequestLog, recorded_outcome
from glm_tts_api.stats.figures import Api, Figures


@contextmanager
def logged_speech(request: Request, api: Api, figures: Figures) -> Iterator[RequestLog]:
    """The request's log, with the outcome that the context ends with. The sender of the answer writes it when
    that is done."""
    log = RequestLog(request.state.request_id, api, figures, request.state.client)
    setattr(request.state, LOG, log)
    with recorded_outcome(log):
        try:
            yield log
        except ClientDisconnect:  # while the body was still arriving
            raise ClientGone from None


def log_of(request: Request) -> RequestLog:
    """The log of a request that is inside `logged_speech`."""
    log: RequestLog = getattr(request.state, LOG)
    return log
