"""The published rules (docs/model.md 9.1), with their mistakes: the model was trained on texts that they
read."""

from __future__ import annotations

from collections.abc import Iterable

from speech_text import signs
from speech_text.changes import Use
from speech_text.cut.pieces import Check, sentences, unwatched
from speech_text.published import steps
from speech_text.published.chinese import published_chinese
from speech_text.published.english import published_english
from speech_text.wetext import TextNormalizer


class PublishedRules:
    def __init__(self, chinese: TextNormalizer, english: TextNormalizer) -> None:
        self._chinese = chinese
        self._english = english

    def forget(self) -> None:
        """Empties the transducers' caches of earlier results."""
        self._chinese.forget()
        self._english.forget()

    def fold(self, text: str) -> str:
        """Returns `text` unchanged, since the published rules read every character as it is."""
        return text

    def speak(
        self,
        text: str,
        replacements: Iterable[tuple[str, str]],
        _uses: list[Use],
        check: Check = unwatched,
        _transcript: str = "",
    ) -> str:
        """Returns `text` as it is spoken: its numbers and signs are written as words. Returns a full stop if
        nothing is left to speak. `replacements` are the user's pairs of old and new text, which hold in
        Chinese text alone. `check` is called before each piece of the text. Nothing is appended to `_uses`,
        since the transducers' changes have no rule names."""
        text = steps.part_hyphenated_words(steps.drop_emoji(steps.join_lines(text)))
        if signs.has_hanzi(text):
            words = published_chinese(
                text, lambda part: spoken_in_pieces(self._chinese, part, check), replacements
            ).lower()
        else:
            words = published_english(text, lambda part: spoken_in_pieces(self._english, part, check))
        return signs.close_sentence(signs.tidy_punctuation(steps.tidy_spaces(words)))

    def speak_segment(self, segment: str, replacements: Iterable[tuple[str, str]]) -> str:
        """Reads `segment`, a part of a result of `speak`, a second time, as the published front end does
        (docs/model.md 9)."""
        return self.speak(segment, replacements, [])


def spoken_in_pieces(normalizer: TextNormalizer, text: str, check: Check = unwatched) -> str:
    """Returns `text` as `normalizer` reads it, piece by piece. `check` is called before each piece. A piece
    that the normaliser cannot read stays as it is."""
    spoken = ""
    for piece in sentences(text, max_digits=normalizer.max_digits):
        check()
        words = normalizer(piece)
        if words is None:
            words = piece
        else:  # the English transducers drop outer spaces, which would join two words
            words = " " * (piece.startswith(" ") and spoken != "" and not words.startswith(" ")) + words
            words += " " * (piece.endswith(" ") and not words.endswith(" "))
        spoken += words
    return spoken
