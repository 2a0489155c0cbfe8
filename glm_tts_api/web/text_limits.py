"""What a text must be to be spoken, whichever API it comes by."""

from __future__ import annotations

from glm_tts_api.errors import NothingToSay, TextTooLong


def require_text(text: str, max_length: int, *, field: str) -> None:
    """Raises TextTooLong or NothingToSay, naming the field that it was sent in."""
    if len(text) > max_length:
        raise TextTooLong(
            f"{field} has {len(text)} characters; at most {max_length} are possible (MAX_TEXT_LENGTH)."
        )
    if not text.strip():
        raise NothingToSay(f"{field} is blank.")
