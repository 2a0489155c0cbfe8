"""The published rules (docs/model.md 9.1), quirks included: the model was trained on texts read so."""

from __future__ import annotations

from collections.abc import Iterable

from glm_tts_api.text import steps
from glm_tts_api.text.chinese import published_chinese
from glm_tts_api.text.english import published_english
from glm_tts_api.text.pieces import Check, sentences, unwatched
from glm_tts_api.text.wetext import Verbaliser


class PublishedRules:
    def __init__(self, chinese: Verbaliser, english: Verbaliser) -> None:
        self._chinese = chinese
        self._english = english

    def fold(self, text: str) -> str:
        """The published rules read every character as it stands."""
        return text

    def speak(self, text: str, replacements: Iterable[tuple[str, str]], check: Check = unwatched) -> str:
        """`text` in words; `check` is called between two pieces of it."""
        text = steps.part_hyphenated_words(steps.drop_emoji(steps.join_lines(text)))
        if steps.has_hanzi(text):
            words = published_chinese(
                text, lambda part: spoken_in_pieces(self._chinese, part, check), replacements
            ).lower()
        else:
            words = published_english(text, lambda part: spoken_in_pieces(self._english, part, check))
        return steps.close_sentence(steps.tidy_punctuation(steps.tidy_spaces(words)))


def spoken_in_pieces(verbaliser: Verbaliser, text: str, check: Check = unwatched) -> str:
    """What `verbaliser` makes of `text`, with a call of `check` before each piece."""
    spoken = ""
    for piece in sentences(text, max_digits=verbaliser.max_digits):
        check()
        words = verbaliser(piece)
        if words is None:
            words = piece
        else:  # the English automata drop spaces at either end, and the next word would touch this one
            words = " " * (piece.startswith(" ") and spoken != "" and not words.startswith(" ")) + words
            words += " " * (piece.endswith(" ") and not words.endswith(" "))
        spoken += words
    return spoken
