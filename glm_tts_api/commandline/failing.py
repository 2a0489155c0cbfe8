"""The error of a command that was called wrongly."""

from __future__ import annotations

from glm_tts_api.errors import Failed


class Misused(Failed):
    """The command's arguments do not fit together, or name something that does not exist. Exit code 2."""
