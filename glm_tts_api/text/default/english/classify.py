"""English: what a figure is by the figures beside it, by name for the table of the classes."""

from __future__ import annotations

import re

from glm_tts_api.text.default.figures import Figure


def like_the_last(figure: Figure) -> bool:
    """Rooms 304 and 305: the figure before it is a name of the same kind."""
    return figure.last_kind == "room"


_COUNTS = re.compile(
    r"(?i)\b(?:worth|about|over|nearly|almost|hit|hits|reach\w*|than|to|at|raised|of|under|roughly|around|some|total"
    r"|with|by|only|just|has|have) $"
)


def letter_behind(figure: Figure) -> bool:
    """Seat 14B, a 7B bus; 2B views and worth 3B are billions."""
    return not _COUNTS.search(figure.lead)


TESTS = {test.__name__: test for test in (like_the_last, letter_behind)}
