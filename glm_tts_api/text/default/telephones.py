"""Telephone numbers, as they are written in either language, and the groups in which they are said."""

from __future__ import annotations

import re

from glm_tts_api.text.default.figures import Class, Figure, Say

_GROUPED = re.compile(r"(1[3-9]\d)(\d{4})(\d{4})|([48]00)(\d{3})(\d{4})")


def groups(number: str) -> list[str]:
    """The groups of digits between which a speaker pauses."""
    found = []
    for group in re.findall("[0-9]+", number):
        parts = _GROUPED.fullmatch(group)
        found += [part for part in parts.groups() if part] if parts else [group]
    return found


def telephones(say: Say) -> list[Class]:
    """Abroad; a mobile telephone; with the code of an area; of a company."""
    return [
        Class("telephone", r"\+[\d ()-]+", say, when=_has_eight_digits),
        Class("telephone", "11|3 4 4|3-4-4", say, text=r"1[3-9].*"),
        Class(
            "telephone",
            r"\(?[34]\)?[ -]?[34]?[ -]?[478](?:[-转][1-5])?|[345] [34] [34]",
            say,
            text=r"\(?0\d+\W.*",
        ),
        Class("telephone", "9|1[01]|3[ -]?[34][ -]?[34]", say, text="[48]00.*"),
        Class("telephone", "[34]-[34]-4", say),
    ]


def _has_eight_digits(figure: Figure) -> bool:
    return sum(map(str.isdigit, figure.text)) >= 8
