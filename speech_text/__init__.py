"""Reads written text, Chinese and English: numbers, dates, units and signs become words, and the text is cut
into segments for a TTS model (README.md).

These names are the package's interface; the submodules `blocks` and `marks` belong to it. Each name is
imported on first use, because the reading rules take a third of a second.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speech_text.cut.block_pauses import Pauses
    from speech_text.cut.incremental import SentenceSplitter, utterances
    from speech_text.dictionaries import Dictionaries
    from speech_text.errors import TextError, quote
    from speech_text.frontend import TextFrontend
    from speech_text.lexicon import Lexicon
    from speech_text.markup.ssml import with_marks
    from speech_text.reading import Reading, ShownReading, spoken_seconds
    from speech_text.signs import has_hanzi
    from speech_text.types import LexiconEntry, ReadingOptions, RuleSet, Verbatim, Written, WrittenWord

__all__ = [
    "Dictionaries",
    "Lexicon",
    "LexiconEntry",
    "Pauses",
    "Reading",
    "ReadingOptions",
    "RuleSet",
    "SentenceSplitter",
    "ShownReading",
    "TextError",
    "TextFrontend",
    "Verbatim",
    "Written",
    "WrittenWord",
    "has_hanzi",
    "quote",
    "spoken_seconds",
    "utterances",
    "with_marks",
]
_PLACES = {
    **dict.fromkeys(("Reading", "ShownReading", "spoken_seconds"), "reading"),
    **dict.fromkeys(("SentenceSplitter", "utterances"), "cut.incremental"),
    **dict.fromkeys(("TextError", "quote"), "errors"),
    "Dictionaries": "dictionaries",
    "Lexicon": "lexicon",
    "Pauses": "cut.block_pauses",
    "TextFrontend": "frontend",
    "has_hanzi": "signs",
    "with_marks": "markup.ssml",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES.get(name, 'types')}"), name)
