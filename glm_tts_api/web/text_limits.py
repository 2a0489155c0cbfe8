"""What a text must be to be spoken, whichever API it comes by."""

from __future__ import annotations

from glm_tts_api.errors import NothingToSay, TextTooLong
from glm_tts_api.web.app_state import AppState
from glm_tts_api.web.request_log import RequestLog


def accept_text(text: str, state: AppState, log: RequestLog, *, field: str) -> None:
    """Notes how long the text is and which lane it takes. Raises TextTooLong or NothingToSay, naming the
    field that it was sent in."""
    log.n_chars = len(text)
    log.lane = state.admission.config.lane_of(log.n_chars)
    most = state.config.max_text_length
    if len(text) > most:
        raise TextTooLong(
            f"{field} has {len(text)} characters; at most {most} are possible (MAX_TEXT_LENGTH)."
        )
    if not text.strip():
        raise NothingToSay(f"{field} is blank.")
