"""English: what a figure is by the figures beside it, by name for the table of the classes."""

from __future__ import annotations

from glm_tts_api.text.default.figures import Figure


def like_the_last(figure: Figure) -> bool:
    """Rooms 304 and 305: the figure before it is a name of the same kind."""
    return figure.last_kind == "room"


TESTS = {"like_the_last": like_the_last}
