"""The published rules, quirks included (spec 9.1): what the model heard in training, and the goldens hold."""

from __future__ import annotations

from collections.abc import Iterable

from glm_tts_api.text import steps
from glm_tts_api.text.chinese import published_chinese
from glm_tts_api.text.english import published_english
from glm_tts_api.text.pieces import sentences
from glm_tts_api.text.wetext import Verbaliser


class PublishedRules:
    def __init__(self, chinese: Verbaliser, english: Verbaliser) -> None:
        self._chinese = chinese
        self._english = english

    def normalise(self, text: str, replacements: Iterable[tuple[str, str]]) -> str:
        text = steps.part_hyphenated_words(steps.drop_emoji(steps.join_lines(text)))
        if steps.has_hanzi(text):
            words = published_chinese(text, self._speak_chinese, replacements).lower()
        else:
            words = published_english(text, self._speak_english)
        return steps.close_sentence(steps.tidy_punctuation(steps.tidy_spaces(words)))

    def _speak_chinese(self, text: str) -> str:
        return "".join(_spoken(self._chinese, piece) for piece in sentences(text))

    def _speak_english(self, text: str) -> str:
        return "".join(_spoken(self._english, piece) for piece in sentences(text))


def _spoken(verbaliser: Verbaliser, piece: str) -> str:
    spoken = verbaliser(piece)
    return piece if spoken is None else spoken
