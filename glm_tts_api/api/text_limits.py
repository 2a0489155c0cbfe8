"""The limits of a text that is to be spoken, the same for every API."""

from __future__ import annotations

from fastapi import Request

from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.logged import log_of
from glm_tts_api.errors import NothingToSay, TextTooLong


def check_text(request: Request, state: AppState, text: str, *, field: str) -> None:
    """Notes the text's length in the request's log. Raises TextTooLong, or NothingToSay for a blank text. The
    error names `field`, in which the text was sent."""
    log_of(request).length = state.speech.admission.config.measure(len(text))
    require_text(text, state.config.max_text_length, field=field)


def require_text(text: str, most: int, *, field: str) -> None:
    """Raises TextTooLong if the text has more than `most` characters, NothingToSay if it is blank. The error
    names `field`, in which the text was sent."""
    if len(text) > most:
        raise TextTooLong(
            f"{field} has {len(text)} characters; at most {most} are possible (MAX_TEXT_LENGTH): "
            "send it in parts, or as a job (POST /api/v1/jobs), which takes a whole book.",
            field,
        )
    if not text.strip():
        raise NothingToSay(f"{field} is blank: send the text to speak.", field)
