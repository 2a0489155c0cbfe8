"""Makes the log of a speech request in its route. The middleware writes it when the answer has been sent."""

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
    """Makes the log of a speech request and puts it into the request's state. Records in the log how the
    `with` block ends, for example with an error. The middleware writes the log when the answer has been sent.
    `api` is the API's name in the metrics. Raises ClientGone if the client disconnects while its body
    arrives."""
    log = RequestLog(request.state.request_id, api, figures, request.state.client)
    setattr(request.state, LOG, log)
    with recorded_outcome(log):
        try:
            yield log
        except ClientDisconnect:  # while the body was still arriving
            raise ClientGone from None


def log_of(request: Request) -> RequestLog:
    """Returns the log that `logged_speech` has made for the request."""
    log: RequestLog = getattr(request.state, LOG)
    return log
