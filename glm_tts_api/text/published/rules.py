"""The published rules (docs/model.md 9.1), quirks included: the model was trained on texts read so."""

from __future__ import annotations

from collections.abc import Iterable

from glm_tts_api.text import signs
from glm_tts_api.text.changes import Use
from glm_tts_api.text.cut.pieces import Check, sentences, unwatched
from glm_tts_api.text.published import steps
from glm_tts_api.text.published.chinese import published_chinese
from glm_tts_api.text.published.english import published_english
from glm_tts_api.text.wetext import TextNormalizer


class PublishedRules:
    def __init__(self, chinese: TextNormalizer, english: TextNormalizer) -> None:
        self._chinese = chinese
        self._english = english

    def forget(self) -> None:
        """Empties the transducers' caches of what was read before."""
        self._chinese.forget()
        self._english.forget()

    def fold(self, text: str) -> str:
        """The published rules read every character as it stands."""
        return text

    def speak(
        self, text: str, replacements: Iterable[tuple[str, str]], _uses: list[Use], check: Check = unwatched
    ) -> str:
        """`text` in words; `check` is called between two pieces of it. A transducer's change has no name."""
        text = steps.part_hyphenated_words(steps.drop_emoji(steps.join_lines(text)))
        if signs.has_hanzi(text):
            words = published_chinese(
                text, lambda part: spoken_in_pieces(self._chinese, part, check), replacements
            ).lower()
        else:
            words = published_english(text, lambda part: spoken_in_pieces(self._english, part, check))
        return signs.close_sentence(signs.tidy_punctuation(steps.tidy_spaces(words)))

    def speak_segment(self, segment: str, replacements: Iterable[tuple[str, str]]) -> str:
        """A part of a spoken text: it is read once more (docs/model.md 9)."""
        return self.speak(segment, replacements, [])


def spoken_in_pieces(normalizer: TextNormalizer, text: str, check: Check = unwatched) -> str:
    """The words of `normalizer` for `text`. `check` is called before each piece."""
    spoken = ""
    for piece in sentences(text, max_digits=normalizer.max_digits):
        check()
        words = normalizer(piece)
        if words is None:
            words = piece
        else:  # the English automata drop spaces at either end, and the next word would touch this one
            words = " " * (piece.startswith(" ") and spoken != "" and not words.startswith(" ")) + words
            words += " " * (piece.endswith(" ") and not words.endswith(" "))
        spoken += words
    return spoken
