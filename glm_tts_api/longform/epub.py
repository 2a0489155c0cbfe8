"""EPUB to a Book. Knows bytes and strings, no disk."""

from __future__ import annotations

from glm_tts_api.errors import UnparsableBody
from glm_tts_api.longform.script import Book


def read_epub(data: bytes, max_characters: int) -> Book:
    """Raises UnparsableBody for what is no EPUB."""
    raise UnparsableBody("An .epub cannot be read yet.", param="file")
